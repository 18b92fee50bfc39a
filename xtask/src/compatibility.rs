//! `cargo xtask compatibility`: writes the page about the other proxies.

use std::env;

use anyhow::{Context, Result};

use crate::sh;

/// Tells the suite to write the page instead of comparing it. `tests/peers/main.rs` reads it.
const WRITE: &str = "STICKY_SESSIONS_WRITE_PAGE";

/// Runs the suite `peers`. The suite itself writes the results, so that the page has only scenarios that ran.
pub(crate) fn run() -> Result<()> {
    let this = env::current_exe().context("the path of this program is unknown")?;
    sh::run(sh::command(&this.to_string_lossy(), &["test", "peers"]).env(WRITE, "1"))?;
    println!("\ndocs/compatibility.md has the results.");
    Ok(())
}
