//! `cargo xtask lint`: checks the format, and runs clippy.

use anyhow::{Context, Result};

use crate::{sh, wasm};

/// Checks the workspace natively, the filter for wasm, and the fuzz targets.
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
    let of_fuzz = ["--manifest-path", "fuzz/Cargo.toml"];
    sh::step("format and clippy of the fuzz targets");
    sh::run(sh::cargo(&["fmt", "--check"]).args(of_fuzz))
        .context("`cargo fmt --manifest-path fuzz/Cargo.toml` would change files")?;
    sh::run(&mut clippy(&[&of_fuzz[..], &["--all-targets"]].concat()))?;
    println!("\nPassed: format, clippy natively and for {}, and both of the fuzz targets.", wasm::TARGET);
    Ok(())
}
