//! `cargo xtask deny`: checks the dependencies with cargo-deny.

use anyhow::{Context, Result, bail};
use clap::{Arg, ArgMatches, Command};
use local_envoy::workspace_root;

use crate::sh;

/// The checks of cargo-deny. The first one downloads the database of advisories.
const CHECKS: [&str; 4] = ["advisories", "licenses", "bans", "sources"];

/// The two workspaces, each with a lock file: everything, and the fuzz targets.
const MANIFESTS: [&str; 2] = ["Cargo.toml", "fuzz/Cargo.toml"];

/// The arguments of `cargo xtask deny`.
pub(crate) fn arguments() -> Command {
    Command::new("deny")
        .about("Checks advisories, licenses, bans and sources of the dependencies")
        .arg(Arg::new("check").value_name("CHECK").num_args(0..).value_parser(CHECKS).help("Only these [default: all]"))
        .after_help("`cargo xtask deny licenses bans sources` works without the database of advisories.")
}

/// The checks that are asked for.
pub(crate) fn checks(arguments: &ArgMatches) -> Vec<String> {
    arguments.get_many("check").into_iter().flatten().cloned().collect()
}

/// Runs these checks, or all of them. A check that cannot run is an error.
pub(crate) fn run(checks: &[String]) -> Result<()> {
    if sh::read(&mut sh::cargo(&["deny", "--version"])).is_err() {
        bail!("cargo-deny is missing; to get it: `cargo install cargo-deny --locked`");
    }
    let checks = if checks.is_empty() { CHECKS.map(str::to_owned).to_vec() } else { checks.to_vec() };
    let config = workspace_root().join("deny.toml");
    for manifest in MANIFESTS {
        sh::step(&format!("the dependencies of {manifest}: {}", checks.join(", ")));
        let mut command = sh::cargo(&["deny", "--locked", "--manifest-path", manifest, "--config"]);
        command.arg(&config).arg("check").args(&checks);
        sh::run(&mut command).with_context(|| {
            let all_but_the_first = CHECKS.get(1..).unwrap_or_default().join(" ");
            format!(
                "the dependencies of {manifest}; where the database of advisories cannot be fetched, `cargo xtask deny \
                     {all_but_the_first}` checks the rest"
            )
        })?;
    }
    println!("\nPassed: {} of the workspace and of the fuzz targets.", checks.join(", "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn a_check_that_is_not_known_is_named() {
        let parse = |line: &str| arguments().no_binary_name(true).try_get_matches_from(line.split_whitespace());
        assert_eq!(checks(&parse("bans licenses").unwrap()), ["bans", "licenses"]);
        let message = parse("licences").unwrap_err().to_string();
        assert!(message.contains("'licences'") && message.contains("'licenses'"), "{message}");
    }

    #[test]
    fn every_lock_file_of_the_repository_is_checked() {
        let files = sh::read(&mut sh::command("git", &["ls-files", "*Cargo.lock"])).unwrap();
        let locked = MANIFESTS.map(|manifest| Path::new(manifest).with_file_name("Cargo.lock").display().to_string());
        assert_eq!(files.lines().collect::<Vec<_>>(), locked);
        assert!(locked.iter().all(|file| fs::exists(workspace_root().join(file)).unwrap()));
    }
}
