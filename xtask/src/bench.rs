//! How is it measured what stickiness costs?

use anyhow::{Context, Result};

use crate::{sh, wasm};

/// `cargo xtask bench`: with the filter as it ships. The words are for `crates/bench`, a program of its own, because none of
/// the other commands should wait for what it is made of.
pub(crate) fn run(words: &[String]) -> Result<()> {
    let filter = wasm::build().context("building the filter failed")?;
    let sdk_calls = wasm::build_sdk_calls().context("building what the filter is compared with failed")?;
    // A smoke run measures nothing, and parts of the whole are printed without the pure part.
    if !words.iter().any(|word| word == "--smoke" || word == "--only") {
        sh::run(&mut sh::cargo(&["bench", "--quiet", "--locked", "--package", "bench", "--bench", "pure"]))?;
    }
    let mut bench = sh::cargo(&["run", "--quiet", "--locked", "--package", "bench", "--"]);
    sh::run(bench.args(words).env("STICKY_SESSIONS_WASM", filter).env("SDK_CALLS_WASM", sdk_calls))
}
