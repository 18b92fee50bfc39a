//! Is the code written as it should be?

use anyhow::{Context, Result};

use crate::{sh, wasm};

/// `cargo xtask lint`.
pub(crate) fn run() -> Result<()> {
    let clippy = |arguments: &[&str]| {
        let mut command = sh::cargo(&["clippy"]);
        command.args(arguments).args(["--locked", "--", "-D", "warnings"]);
        command
    };
    sh::step("format");
    sh::run(&mut sh::cargo(&["fmt", "--all", "--check"])).context("`cargo fmt --all` would change files")?;
    sh::step("clippy");
    sh::run(&mut clippy(&["--workspace", "--all-targets"]))?;
    sh::step("clippy, for wasm");
    wasm::add_target()?;
    sh::run(&mut clippy(&["-p", "sticky-sessions", "--target", wasm::TARGET]))?;
    println!("\nPassed: format, clippy natively and for {}.", wasm::TARGET);
    Ok(())
}
