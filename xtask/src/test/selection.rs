//! Which tests are asked for?

use std::path::PathBuf;

use anyhow::Result;
use local_envoy::{DEFAULT_VERSION, OLDEST_VERSION, binary_of, named_binary};

use super::suites::{self, Suite};

/// The words after `cargo xtask test`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// The suites; none means all that can run.
    pub(crate) suites: Vec<&'static str>,
    /// Parts of the names of tests; none means all.
    pub(crate) names: Vec<String>,
    /// The one version of Envoy to run them on.
    pub(crate) version: Option<String>,
    /// How often each fuzz target is executed.
    pub(crate) runs: Option<u64>,
}

impl Selection {
    pub(crate) fn parse(words: &[String]) -> Result<Self, String> {
        let mut selection = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--envoy" {
                let version = words.next().ok_or("--envoy needs a version, such as 1.40.0")?;
                selection.version = Some(version.clone());
            } else if word == "--runs" {
                let runs = words.next().and_then(|number| number.parse().ok()).filter(|runs| *runs > 0);
                selection.runs = Some(runs.ok_or("--runs needs a number, such as 20000000")?);
            } else if word.starts_with('-') {
                return Err(format!("test has no option {word:?}, only --envoy VERSION and --runs NUMBER"));
            } else if let Some(suite) = suites::find(word) {
                selection.suites.push(suite.name);
            } else {
                selection.names.push(word.clone());
            }
        }
        Ok(selection)
    }

    /// The suites to choose from, in the order in which they run.
    pub(crate) fn suites(&self) -> impl Iterator<Item = &'static Suite> {
        let asked_for = |suite: &&Suite| self.suites.is_empty() || self.suites.contains(&suite.name);
        suites::SUITES.iter().filter(asked_for)
    }

    /// What to call each Envoy, and where it is, the newest first. A version that was asked for comes before `ENVOY_BIN`, and
    /// that before the supported range.
    pub(crate) fn envoys(&self) -> Result<Vec<(String, PathBuf)>> {
        let versions: &[&str] = match &self.version {
            Some(version) => &[version],
            None => {
                if let Some(named) = named_binary()? {
                    return Ok(vec![(format!("ENVOY_BIN ({})", named.display()), named)]);
                }
                if self.names.is_empty() { &[DEFAULT_VERSION, OLDEST_VERSION] } else { &[DEFAULT_VERSION] }
            }
        };
        versions.iter().map(|version| Ok((format!("Envoy {version}"), binary_of(version)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Selection, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Selection::parse(&words)
    }

    #[test]
    fn an_option_without_its_value_or_unknown_is_refused() {
        assert_eq!(parsed("--envoy"), Err("--envoy needs a version, such as 1.40.0".into()));
        for line in ["--runs", "--runs many", "--runs 0"] {
            assert_eq!(parsed(line), Err("--runs needs a number, such as 20000000".into()), "{line}");
        }
        let message = "test has no option \"--nocapture\", only --envoy VERSION and --runs NUMBER";
        assert_eq!(parsed("--nocapture"), Err(message.into()));
    }

    #[test]
    fn fuzz_targets_are_executed_as_often_as_asked_for() {
        let selection = parsed("fuzz sealed --runs 5").unwrap();
        assert_eq!((selection.suites, selection.names, selection.runs), (vec!["fuzz"], vec!["sealed".into()], Some(5)));
    }

    #[test]
    fn nothing_selects_everything() {
        assert_eq!(parsed(""), Ok(Selection::default()));
        assert_eq!(parsed("").unwrap().suites().count(), suites::SUITES.len());
    }

    #[test]
    fn suites_names_and_a_version_come_in_any_order() {
        let selection = parsed("page:: browser --envoy 1.36.2 unit moved").unwrap();
        assert_eq!(selection.names, ["page::", "moved"]);
        assert_eq!(selection.version.as_deref(), Some("1.36.2"));
        assert_eq!(selection.suites().map(|suite| suite.name).collect::<Vec<_>>(), ["unit", "browser"]);
    }
}
