//! Checks `docs/aws-parity.md`: every test that it names exists, and every sentence has a test or a reason.

use std::collections::BTreeSet;

use crate::documents::{quoted, read, root};

const KINDS: [&str; 4] = ["Duration-based", "Application-based", "Target groups", "Classic Load Balancer"];

fn document() -> String {
    read("docs/aws-parity.md")
}

/// The tests that a text names in backticks: `module::test_name`.
fn tests_in(text: &str) -> BTreeSet<&str> {
    let is_path = |text: &&str| {
        let is_name =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
        text.contains("::") && text.split("::").all(is_name)
    };
    quoted(text).filter(is_path).collect()
}

/// The rows of the tables: the sentence of AWS, the mark, and the tests or the reason.
fn rows(text: &str) -> Vec<[&str; 3]> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = rows.filter(|row| !row.starts_with("AWS |"));
    rows.map(|row| row.split(" | ").collect::<Vec<_>>().try_into().unwrap_or_else(|row| panic!("{row:?}"))).collect()
}

/// The part of the document under this heading.
#[track_caller]
fn section<'a>(document: &'a str, heading: &str) -> &'a str {
    let start = document.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no heading {heading}"));
    let rest = &document[start + 1..];
    rest.find("\n## ").map_or(rest, |end| &rest[..end])
}

#[test]
fn every_test_that_the_table_names_exists() {
    let document = document();
    let main = read("tests/envoy/main.rs");
    for path in tests_in(&document) {
        let (module, test) = path.rsplit_once("::").unwrap();
        let file = root().join("tests/envoy").join(module.replace("::", "/")).with_extension("rs");
        let outermost = module.split("::").next().unwrap();
        assert!(main.contains(&format!("\nmod {outermost};\n")), "{path}: {outermost} is not compiled");
        let source =
            std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{path}: {}: {error}", file.display()));
        assert!(source.contains(&format!("#[test]\nfn {test}() {{")), "{path} is no test");
    }
}

#[test]
fn every_kind_of_stickiness_has_tests_in_the_table() {
    let document = document();
    for kind in KINDS {
        assert!(!tests_in(section(&document, kind)).is_empty(), "{kind}");
    }
}

#[test]
fn every_sentence_in_the_table_has_a_mark_and_a_test_or_a_reason() {
    let document = document();
    let rows = rows(&document);
    assert!(rows.len() > KINDS.len());
    for [sentence, mark, here] in rows {
        assert!(["documented", "observed", "unclear"].contains(&mark), "{sentence}: {mark}");
        let has_reason = ["Different: ", "Envoy's: ", "Not here: "].iter().any(|start| here.starts_with(start));
        assert!(has_reason || !tests_in(here).is_empty(), "{sentence}");
    }
}

#[test]
fn no_sentence_is_in_the_table_twice() {
    let document = document();
    let mut seen = BTreeSet::new();
    for [sentence, ..] in rows(&document) {
        assert!(seen.insert(sentence), "{sentence}");
    }
}
