//! How does the page about the other proxies come about?

use std::env;

use anyhow::{Context, Result};

use crate::sh;

/// Tells the suite to write the page instead of comparing it; as `tests/peers/main.rs` has it.
const WRITE: &str = "STICKY_SESSIONS_WRITE_PAGE";

/// `cargo xtask compatibility`: the suite writes what came of its scenarios, so that a page cannot say what did not run.
pub(crate) fn run() -> Result<()> {
    let this = env::current_exe().context("where this program lies")?;
    sh::run(sh::command(&this.to_string_lossy(), &["test", "peers"]).env(WRITE, "1"))?;
    println!("\ndocs/compatibility.md says what came of them.");
    Ok(())
}
