//! Follows the links of the documents, and compares the two front pages.

use super::markdown::{Document, document, documents};
use super::root;

/// The largest size of a page that is read before anything else.
const FRONT_PAGE_BYTES: usize = 12 * 1024;

/// The folder that paths of the core's sources are told from.
const CORE: &str = "crates/stickiness/src";

#[test]
fn every_link_leads_to_a_file_and_to_a_heading_of_it() {
    for document in documents() {
        for link in document.links() {
            if link.starts_with("http://") || link.starts_with("https://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
            let file = if path.is_empty() { document.file_of(file_name(&document)) } else { document.file_of(path) };
            assert!(file.exists(), "{}: {link}", document.name);
            if let Some(anchor) = anchor {
                let file = file.canonicalize().unwrap();
                let name = file.strip_prefix(root().canonicalize().unwrap()).unwrap().display().to_string();
                let anchors = self::document(&name).anchors();
                assert!(anchors.contains(anchor), "{}: {link}: the headings are {anchors:?}", document.name);
            }
        }
    }
}

fn file_name(document: &Document) -> &str {
    document.name.rsplit('/').next().unwrap_or_default()
}

#[test]
fn every_source_that_a_document_names_exists() {
    let is_source = |code: &&str| {
        let is_path = code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-./".contains(&byte));
        is_path && !code.starts_with('/') && [".rs", ".toml", ".md", ".yaml"].iter().any(|end| code.ends_with(end))
    };
    // The changelog also names what is gone.
    for document in documents().iter().filter(|document| document.name != "CHANGELOG.md") {
        for code in document.code().into_iter().filter(is_source) {
            let folders = [root(), root().join(CORE)];
            assert!(folders.iter().any(|folder| folder.join(code).exists()), "{}: {code}", document.name);
        }
    }
}

#[test]
fn the_front_page_is_short() {
    let bytes = std::fs::metadata(root().join("README.md")).unwrap().len();
    assert!(usize::try_from(bytes).unwrap() <= FRONT_PAGE_BYTES, "{bytes} bytes");
}

/// The texts that do not depend on the language. They are sorted, because sentences have another order of words.
fn sorted<'a>(texts: Vec<&'a str>, without: &str) -> Vec<&'a str> {
    let mut texts: Vec<_> = texts.into_iter().filter(|text| *text != without).collect();
    texts.sort_unstable();
    texts
}

#[test]
fn the_korean_front_page_has_the_commands_the_configurations_and_the_links_of_the_english_one() {
    let [english, korean] = ["README.md", "README.ko.md"].map(document);
    let blocks = |document: &Document| -> Vec<(String, String)> {
        document.blocks.iter().map(|block| (block.language.clone(), block.text.clone())).collect()
    };
    assert_eq!(blocks(&korean), blocks(&english));
    // Each links to the other one.
    assert!(english.links().contains(&"README.ko.md") && korean.links().contains(&"README.md"));
    assert_eq!(sorted(korean.links(), "README.md"), sorted(english.links(), "README.ko.md"));
    assert_eq!(sorted(korean.code(), ""), sorted(english.code(), ""));
}
