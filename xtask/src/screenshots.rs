//! How do the pictures of the README come about?

use anyhow::Result;

use crate::{sh, wasm};

/// `cargo xtask screenshots`: what draws them is a program of its own, because this one stays without a browser.
pub(crate) fn run() -> Result<()> {
    let mut command = sh::cargo(&["run", "--locked", "-p", "screenshots"]);
    command.env("STICKY_SESSIONS_WASM", wasm::build()?).env("DEMO_BACKEND", sh::demo_backend()?);
    sh::run(&mut command)
}
