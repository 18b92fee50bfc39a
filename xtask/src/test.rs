//! What has to pass before a change is good?

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use local_envoy::{DEFAULT_VERSION, OLDEST_VERSION, binary_of, named_binary};

use crate::{sh, wasm};

/// Which end-to-end tests are to run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// Parts of their names; none means all.
    pub(crate) names: Vec<String>,
    /// The one version of Envoy to run them on.
    pub(crate) version: Option<String>,
}

impl Selection {
    /// From the words after `test`.
    pub(crate) fn parse(words: &[String]) -> Result<Self, String> {
        let mut selection = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if word == "--envoy" {
                let version = words.next().ok_or("--envoy needs a version, such as 1.40.0")?;
                selection.version = Some(version.clone());
            } else if word.starts_with('-') {
                return Err(format!("test has no option {word:?}, only --envoy VERSION"));
            } else {
                selection.names.push(word.clone());
            }
        }
        Ok(selection)
    }

    /// What to call each Envoy, and where it is. A version that was asked for comes before `ENVOY_BIN`, and that before the
    /// supported range.
    fn envoys(&self) -> Result<Vec<(String, PathBuf)>> {
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

/// `cargo xtask test`.
pub(crate) fn run(selection: &Selection) -> Result<()> {
    let start = Instant::now();
    let envoys = selection.envoys()?;

    step("the filter, as it ships");
    let filter = wasm::build().context("building the filter failed")?;

    step("unit tests");
    sh::run(&mut sh::cargo(&["test", "--workspace", "--lib", "--bins"])).context("the unit tests failed")?;
    sh::run(&mut sh::cargo(&["test", "--workspace", "--exclude", "sticky-sessions", "--doc"]))
        .context("the examples in the documentation failed")?;

    for (name, binary) in &envoys {
        step(&format!("end-to-end tests on {name}"));
        let end_to_end = |arguments: &[&str]| {
            let mut command = sh::cargo(&["test", "-p", "sticky-sessions", "--test", "envoy", "--"]);
            command.args(&selection.names).args(arguments);
            command.env("ENVOY_BIN", binary).env("STICKY_SESSIONS_WASM", &filter);
            command
        };
        if !selection.names.is_empty() && sh::read(&mut end_to_end(&["--list", "--format", "terse"]))?.is_empty() {
            bail!("no end-to-end test has {} in its name", selection.names.join(" or "));
        }
        sh::run(&mut end_to_end(&[])).with_context(|| format!("the end-to-end tests on {name} failed"))?;
    }

    let names: Vec<&str> = envoys.iter().map(|(name, _)| name.as_str()).collect();
    let which = if selection.names.is_empty() { "all".to_owned() } else { selection.names.join(", ") };
    println!(
        "\nPassed in {} s: filter built, unit tests, end-to-end tests ({which}) on {}.",
        start.elapsed().as_secs(),
        names.join(" and ")
    );
    Ok(())
}

/// `cargo xtask lint`.
pub(crate) fn lint() -> Result<()> {
    let clippy = |arguments: &[&str]| {
        let mut command = sh::cargo(&["clippy"]);
        command.args(arguments).args(["--locked", "--", "-D", "warnings"]);
        command
    };
    step("format");
    sh::run(&mut sh::cargo(&["fmt", "--all", "--check"])).context("`cargo fmt --all` would change files")?;
    step("clippy");
    sh::run(&mut clippy(&["--workspace", "--all-targets"]))?;
    step("clippy, for wasm");
    wasm::add_target()?;
    sh::run(&mut clippy(&["-p", "sticky-sessions", "--target", wasm::TARGET]))?;
    println!("\nPassed: format, clippy natively and for {}.", wasm::TARGET);
    Ok(())
}

fn step(what: &str) {
    println!("\n> {what}");
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
        assert_eq!(parsed("--nocapture"), Err("test has no option \"--nocapture\", only --envoy VERSION".into()));
    }

    #[test]
    fn nothing_selects_everything() {
        assert_eq!(parsed(""), Ok(Selection::default()));
    }
}
