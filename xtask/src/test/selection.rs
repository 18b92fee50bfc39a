//! Reads the words of `cargo xtask test`.

use std::path::PathBuf;

use anyhow::Result;
use clap::builder::RangedU64ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command};
use local_envoy::{DEFAULT_VERSION, OLDEST_VERSION, binary_of, named_binary};

use super::suites::{self, Suite};

/// The words after `cargo xtask test`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// The suites. None means all that can run.
    pub(crate) suites: Vec<&'static str>,
    /// Parts of the names of tests. None means all.
    pub(crate) names: Vec<String>,
    /// The version of Envoy to run them on.
    pub(crate) version: Option<String>,
    /// Runs them on the newest and on the oldest supported Envoy.
    pub(crate) all_envoys: bool,
    /// The executions of each fuzz target.
    pub(crate) runs: Option<u64>,
}

/// The arguments of `cargo xtask test`.
pub(crate) fn arguments() -> Command {
    let suites: Vec<_> = suites::SUITES.iter().map(|suite| format!("  {:<9}{}", suite.name, suite.about)).collect();
    Command::new("test")
        .about("Runs the tests that this machine can run, or those that are asked for")
        .override_usage("cargo xtask test [SUITE]... [NAME]... [OPTIONS]")
        .arg(
            Arg::new("words")
                .value_name("SUITE or NAME")
                .num_args(0..)
                .help("A suite, or a part of the names of tests [default: every suite that can run here]"),
        )
        .arg(
            Arg::new("envoy")
                .long("envoy")
                .value_name("VERSION")
                .conflicts_with("all")
                .help(format!("Runs the tests on this version of Envoy [default: {DEFAULT_VERSION}]")),
        )
        .arg(Arg::new("all").long("all-envoys").action(ArgAction::SetTrue).help(format!(
            "Runs the suites `envoy` and `clients` on Envoy {DEFAULT_VERSION} and on {OLDEST_VERSION}, the oldest supported"
        )))
        .arg(
            Arg::new("runs")
                .long("runs")
                .value_name("NUMBER")
                .value_parser(RangedU64ValueParser::<u64>::new().range(1..))
                .help("Executes each fuzz target this often"),
        )
        .after_help(format!(
            "Suites:
{}

Examples:
  cargo xtask test                        every suite that can run here
  cargo xtask test unit envoy             two suites
  cargo xtask test envoy failover         the tests of `envoy` that have `failover` in their names
  cargo xtask test fuzz --runs 20000000   a long run of the fuzzer",
            suites.join("\n")
        ))
}

impl Selection {
    pub(crate) fn of(arguments: &ArgMatches) -> Self {
        let mut selection = Self {
            version: arguments.get_one("envoy").cloned(),
            all_envoys: arguments.get_flag("all"),
            runs: arguments.get_one("runs").copied(),
            ..Self::default()
        };
        for word in arguments.get_many::<String>("words").into_iter().flatten() {
            match suites::find(word) {
                Some(suite) => selection.suites.push(suite.name),
                None => selection.names.push(word.clone()),
            }
        }
        selection
    }

    /// The suites to choose from, in the order in which they run.
    pub(crate) fn suites(&self) -> impl Iterator<Item = &'static Suite> {
        let asked_for = |suite: &&Suite| self.suites.is_empty() || self.suites.contains(&suite.name);
        suites::SUITES.iter().filter(asked_for)
    }

    /// The Envoys to run on, each with a name for the reader, the newest first. `--envoy` and `--all-envoys` come before
    /// `ENVOY_BIN`, and `ENVOY_BIN` before the newest version.
    pub(crate) fn envoys(&self) -> Result<Vec<(String, PathBuf)>> {
        let versions: &[&str] = match &self.version {
            Some(version) => &[version],
            None if self.all_envoys => &[DEFAULT_VERSION, OLDEST_VERSION],
            None => {
                if let Some(named) = named_binary()? {
                    return Ok(vec![(format!("ENVOY_BIN ({})", named.display()), named)]);
                }
                &[DEFAULT_VERSION]
            }
        };
        versions.iter().map(|version| Ok((format!("Envoy {version}"), binary_of(version)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Selection, clap::Error> {
        let matches = arguments().no_binary_name(true).try_get_matches_from(line.split_whitespace())?;
        Ok(Selection::of(&matches))
    }

    #[test]
    fn an_option_without_its_value_or_unknown_is_refused() {
        let refused = |line: &str, message: &str| {
            let error = parsed(line).unwrap_err().to_string();
            assert!(error.contains(message), "{line}: {error}");
        };
        refused("--envoy", "a value is required for '--envoy <VERSION>'");
        refused("--runs", "a value is required for '--runs <NUMBER>'");
        refused("--runs many", "invalid value 'many' for '--runs <NUMBER>'");
        refused("--runs 0", "invalid value '0' for '--runs <NUMBER>'");
        refused("--nocapture", "unexpected argument '--nocapture'");
        refused("--all-envoys --envoy 1.36.2", "cannot be used with");
    }

    #[test]
    fn all_envoys_are_two() {
        assert!(parsed("envoy --all-envoys").unwrap().all_envoys);
        assert!(!parsed("envoy").unwrap().all_envoys);
    }

    #[test]
    fn fuzz_targets_are_executed_as_often_as_asked_for() {
        let selection = parsed("fuzz sealed --runs 5").unwrap();
        assert_eq!((selection.suites, selection.names, selection.runs), (vec!["fuzz"], vec!["sealed".into()], Some(5)));
    }

    #[test]
    fn nothing_selects_everything() {
        assert_eq!(parsed("").unwrap(), Selection::default());
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
