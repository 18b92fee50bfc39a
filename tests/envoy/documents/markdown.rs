//! Reads the documents of the repository: their code blocks, headings, links and inline code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{quoted, read, root};

/// A Markdown file of the repository.
pub(crate) struct Document {
    /// Its path from the root.
    pub(crate) name: String,
    pub(crate) blocks: Vec<Block>,
    headings: Vec<String>,
    /// The text outside of code blocks.
    prose: String,
}

/// A fenced code block.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) language: String,
    /// The heading above it.
    pub(crate) heading: String,
    pub(crate) text: String,
}

/// The documents in the root and in `docs`.
pub(crate) fn documents() -> Vec<Document> {
    let folders = [root(), root().join("docs")];
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let names: BTreeSet<String> = files
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| path.strip_prefix(root()).unwrap().display().to_string())
        .collect();
    assert!(names.len() > 10, "{names:?}");
    names.iter().map(|name| document(name)).collect()
}

/// The document at this path from the root.
pub(crate) fn document(name: &str) -> Document {
    Document::parse(name, &read(name))
}

impl Document {
    fn parse(name: &str, text: &str) -> Self {
        let mut document =
            Self { name: name.to_owned(), blocks: Vec::new(), headings: Vec::new(), prose: String::new() };
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let indent = line.len() - line.trim_start().len();
            if let Some(language) = line.trim_start().strip_prefix("```") {
                let body = lines.by_ref().take_while(|line| line.trim_start() != "```");
                // In a list item the block is indented as its fence is.
                let text = body.flat_map(|line| [line.get(indent..).unwrap_or_default(), "\n"]).collect();
                let heading = document.headings.last().cloned().unwrap_or_default();
                document.blocks.push(Block { language: language.to_owned(), heading, text });
            } else {
                let title = line.trim_start_matches('#');
                if title.len() < line.len() && title.starts_with(' ') {
                    document.headings.push(title.trim().to_owned());
                }
                document.prose.push_str(line);
                document.prose.push('\n');
            }
        }
        document
    }

    /// The blocks of this language.
    pub(crate) fn blocks_in(&self, language: &str) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(move |block| block.language == language)
    }

    /// The one block of this language under this heading.
    #[track_caller]
    pub(crate) fn block(&self, heading: &str, language: &str) -> &str {
        let mut found = self.blocks_in(language).filter(|block| block.heading == heading);
        let block = found.next().unwrap_or_else(|| panic!("{}: no {language} under {heading:?}", self.name));
        assert!(found.next().is_none(), "{}: several {language} under {heading:?}", self.name);
        &block.text
    }

    /// The targets of links and pictures.
    pub(crate) fn links(&self) -> Vec<&str> {
        let after = |opening: &'static str, closing: char| {
            self.prose.split(opening).skip(1).map(move |rest| rest.split(closing).next().unwrap_or_default())
        };
        after("](", ')').chain(after("src=\"", '"')).chain(after("srcset=\"", '"')).collect()
    }

    /// The inline code.
    pub(crate) fn code(&self) -> Vec<&str> {
        quoted(&self.prose).collect()
    }

    /// The anchors that GitHub makes of its headings.
    pub(crate) fn anchors(&self) -> BTreeSet<String> {
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        let mut anchor = |heading: &String| {
            let kept = heading
                .to_lowercase()
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
                .collect::<String>();
            let base = kept.replace(' ', "-");
            let time = times.entry(base.clone()).or_default();
            *time += 1;
            if *time == 1 { base } else { format!("{base}-{}", *time - 1) }
        };
        self.headings.iter().map(&mut anchor).collect()
    }

    /// The file that a relative link of this document leads to.
    pub(crate) fn file_of(&self, link: &str) -> PathBuf {
        let folder = root().join(&self.name);
        folder.parent().unwrap_or(Path::new("/")).join(link)
    }
}

#[test]
fn a_block_in_a_list_is_read_without_its_indentation_and_belongs_to_its_heading() {
    let document =
        Document::parse("a.md", "# A\n\n1. one\n\n   ```json\n   {\n     }\n   ```\n\n## B `c`-d, e\n\n`f` [g](h#i)\n");
    assert_eq!(document.block("A", "json"), "{\n  }\n");
    assert_eq!(document.links(), ["h#i"]);
    assert_eq!(document.code(), ["c", "f"]);
    assert_eq!(document.anchors(), BTreeSet::from(["a".to_owned(), "b-c-d-e".to_owned()]));
}
