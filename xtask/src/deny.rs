//! May every dependency be there?

use anyhow::{Context, Result, bail};
use local_envoy::workspace_root;

use crate::sh;

/// What there is to check, in the words of cargo-deny. The first needs the database of advisories, which it fetches.
pub(crate) const CHECKS: [&str; 4] = ["advisories", "licenses", "bans", "sources"];

/// The lock files: of everything in the workspace, and of the fuzz targets.
const MANIFESTS: [&str; 2] = ["Cargo.toml", "fuzz/Cargo.toml"];

/// `cargo xtask deny`: these checks, or all of them. What cannot be checked is an error: whoever cannot fetch the database of
/// advisories names the other checks.
pub(crate) fn run(checks: &[&str]) -> Result<()> {
    if sh::read(&mut sh::cargo(&["deny", "--version"])).is_err() {
        bail!("cargo-deny is missing; to get it: `cargo install cargo-deny --locked`");
    }
    let checks = if checks.is_empty() { &CHECKS } else { checks };
    let config = workspace_root().join("deny.toml");
    for manifest in MANIFESTS {
        sh::step(&format!("the dependencies of {manifest}: {}", checks.join(", ")));
        let mut command = sh::cargo(&["deny", "--locked", "--manifest-path", manifest, "--config"]);
        command.arg(&config).arg("check").args(checks);
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

/// The checks of these words.
pub(crate) fn parse(words: &[String]) -> Result<Vec<&'static str>, String> {
    let find = |word: &String| {
        let known = CHECKS.into_iter().find(|check| check == word);
        known.ok_or_else(|| format!("deny checks {}, and not {word:?}", CHECKS.join(", ")))
    };
    words.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn a_check_that_is_not_known_is_named() {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(parse(&words("bans licenses")), Ok(vec!["bans", "licenses"]));
        assert_eq!(
            parse(&words("licences")),
            Err("deny checks advisories, licenses, bans, sources, and not \"licences\"".into())
        );
    }

    #[test]
    fn every_lock_file_of_the_repository_is_checked() {
        let files = sh::read(&mut sh::command("git", &["ls-files", "*Cargo.lock"])).unwrap();
        let locked = MANIFESTS.map(|manifest| Path::new(manifest).with_file_name("Cargo.lock").display().to_string());
        assert_eq!(files.lines().collect::<Vec<_>>(), locked);
        assert!(locked.iter().all(|file| fs::exists(workspace_root().join(file)).unwrap()));
    }
}
