//! `cargo xtask bench`: measures what stickiness costs.

use anyhow::{Context, Result};
use clap::{Arg, ArgMatches, Command};

use crate::{sh, wasm};

/// The arguments of `cargo xtask bench`. `crates/bench` reads its options itself.
pub(crate) fn arguments() -> Command {
    Command::new("bench")
        .about("Measures what stickiness costs beside other filters and proxies, and writes docs/performance.md")
        .override_usage("cargo xtask bench [--rounds NUMBER] [--seconds NUMBER] [--only WORD]... [--smoke]")
        .arg(Arg::new("words").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true).hide(true))
        .after_help(
            "--only WORD runs the sections and variants that have WORD in their names.
--smoke measures nothing and checks that everything works.",
        )
}

/// The words for `crates/bench`.
pub(crate) fn words(arguments: &ArgMatches) -> Vec<String> {
    arguments.get_many("words").into_iter().flatten().cloned().collect()
}

/// Measures the filter that ships. `crates/bench` is a program of its own, so that the other commands do not wait until its
/// dependencies are built.
pub(crate) fn run(words: &[String]) -> Result<()> {
    let filter = wasm::build().context("building the filter failed")?;
    let sdk_calls = wasm::build_sdk_calls().context("building the module that the filter is compared with failed")?;
    // The pure part belongs to a whole run only: a smoke run measures nothing, and `--only` prints parts.
    if !words.iter().any(|word| word == "--smoke" || word == "--only") {
        sh::run(&mut sh::cargo(&["bench", "--quiet", "--locked", "--package", "bench", "--bench", "pure"]))?;
    }
    let mut bench = sh::cargo(&["run", "--quiet", "--locked", "--package", "bench", "--"]);
    sh::run(bench.args(words).env("STICKY_SESSIONS_WASM", filter).env("SDK_CALLS_WASM", sdk_calls))
}
