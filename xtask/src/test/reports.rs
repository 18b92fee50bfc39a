//! Keeps the figures that the tests have measured, and prints them at the end.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use local_envoy::workspace_root;
use report::Report;

const SUITES: Report = Report::of("suites", &["suite", "tests passed", "seconds"]);

/// The folder in which the tests of this run leave their figures.
pub(crate) fn folder() -> PathBuf {
    workspace_root().join("target/reports")
}

/// Removes the figures of the last run.
pub(crate) fn clear() -> Result<()> {
    let folder = folder();
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => fs::create_dir_all(&folder),
    }
    .with_context(|| folder.display().to_string())
}

/// Adds a suite that passed. `tests` is empty for a suite that has no tests to count.
pub(crate) fn suite(name: &str, tests: &str, time: Duration) -> Result<()> {
    let row = [name, tests, &time.as_secs().to_string()];
    SUITES.row_in(&folder(), &row).context("the time of a suite cannot be written")
}

/// Prints the figures.
pub(crate) fn print() -> Result<()> {
    for table in report::tables(&folder()).context("the figures of the tests cannot be read")? {
        println!("\n{}:\n\n{table}", table.name);
    }
    Ok(())
}
