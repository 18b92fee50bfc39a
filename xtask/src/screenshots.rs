//! `cargo xtask screenshots`: takes the pictures of the README.

use anyhow::Result;

use crate::{sh, wasm};

/// Runs `demo/screenshots`. It is a program of its own, so that this one has no dependency on a browser.
pub(crate) fn run() -> Result<()> {
    let mut command = sh::cargo(&["run", "--locked", "-p", "screenshots"]);
    command.env("STICKY_SESSIONS_WASM", wasm::build()?).env("DEMO_BACKEND", sh::demo_backend()?);
    sh::run(&mut command)
}
