//! What have the tests measured?

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use anyhow::{Context, Result};
use local_envoy::workspace_root;

/// Where the tests of this run leave their figures.
pub(crate) fn folder() -> PathBuf {
    workspace_root().join("target/reports")
}

/// Forgets the figures of another run.
pub(crate) fn clear() -> Result<()> {
    let folder = folder();
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => fs::create_dir_all(&folder),
    }
    .with_context(|| folder.display().to_string())
}

/// Prints what there is.
pub(crate) fn print() -> Result<()> {
    for table in report::tables(&folder()).context("the figures of the tests cannot be read")? {
        println!("\n{}:\n\n{table}", table.name);
    }
    Ok(())
}
