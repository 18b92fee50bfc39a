//! Holds the table of unsafe code in `SECURITY.md` to the crates that the filter is linked with, and to their sources.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::documents::{quoted, read, root};
use crate::security::collect;

/// The crates of this repository in the module. Another test holds the statements about them.
const OWN: [&str; 3] = ["sticky-sessions", "stickiness", "hostcalls"];

/// The last row of the table: the crates without unsafe code.
const NOTHING: &str = "nothing";

/// The crates that the module is linked with, each with the folder of its sources.
fn linked() -> BTreeMap<String, PathBuf> {
    let arguments = ["tree", "--locked", "--package", "sticky-sessions", "--edges", "normal,no-proc-macro"];
    let format = ["--target", "wasm32-wasip1", "--prefix", "none", "--format", "{p}"];
    let output = Command::new(env!("CARGO")).args(arguments).args(format).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    let crates = tree.lines().map(|line| {
        let mut words = line.split(' ');
        (words.next().unwrap(), words.next().unwrap().trim_start_matches('v'))
    });
    crates
        .filter(|(name, _)| !OWN.contains(name))
        .map(|(name, version)| (name.to_owned(), sources(name, version)))
        .collect()
}

/// The folder into which cargo has unpacked this crate.
fn sources(name: &str, version: &str) -> PathBuf {
    let home = env::var_os("CARGO_HOME").map_or_else(|| env::home_dir().unwrap().join(".cargo"), PathBuf::from);
    let registries = fs::read_dir(home.join("registry/src")).unwrap();
    let folders = registries.map(|registry| registry.unwrap().path().join(format!("{name}-{version}/src")));
    folders.into_iter().find(|folder| folder.exists()).unwrap_or_else(|| panic!("no sources of {name} {version}"))
}

/// The rows of the table, each as the crates and the purpose of their unsafe code.
fn rows(document: &str) -> Vec<(Vec<&str>, &str)> {
    let (_, section) = document.split_once("### Unsafe code").unwrap();
    let (section, _) = section.split_once("\n#").unwrap();
    let lines = section.lines().filter(|line| line.starts_with("| `"));
    lines
        .map(|line| (quoted(line.split('|').nth(1).unwrap()).collect(), line.split('|').nth(2).unwrap().trim()))
        .collect()
}

/// Returns true if the sources have unsafe code, for any platform and feature.
fn is_unsafe(sources: &Path) -> bool {
    if fs::read_to_string(sources.join("lib.rs")).unwrap().contains("#![forbid(unsafe_code") {
        return false;
    }
    let mut files = Vec::new();
    collect(sources, &mut files);
    let code = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    files.iter().any(|file| {
        let text = fs::read_to_string(file).unwrap();
        text.lines().map(code).any(|line| line.split(|c| !is_word(c)).any(|word| word == "unsafe"))
    })
}

#[test]
fn the_table_of_unsafe_code_has_every_crate_that_is_linked_and_no_other() {
    let document = read("SECURITY.md");
    let mut named: Vec<&str> = rows(&document).into_iter().flat_map(|(crates, _)| crates).collect();
    named.sort_unstable();
    let linked = linked();
    assert_eq!(named, linked.keys().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn every_crate_of_the_table_is_unsafe_where_the_table_says_so() {
    let document = read("SECURITY.md");
    let linked = linked();
    let rows = rows(&document);
    assert_eq!(rows.last().map(|(_, purpose)| *purpose), Some(NOTHING));
    for (crates, purpose) in rows {
        for name in crates {
            assert_eq!(is_unsafe(&linked[name]), purpose != NOTHING, "{name}: {purpose}");
        }
    }
}

#[test]
fn tags_are_compared_by_the_crate_that_the_code_names() {
    let comparison = "ctutils::CtEq";
    assert!(
        fs::read_to_string(linked()["universal-hash"].join("lib.rs")).unwrap().contains(&format!("use {comparison};"))
    );
    assert!(read("crates/stickiness/src/trust/key_ring.rs").contains(&format!("`{comparison}`")));
}
