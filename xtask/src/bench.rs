//! `cargo xtask bench`: measures what stickiness costs.

use anyhow::{Context, Result};
use clap::{Arg, ArgMatches, Command};

use crate::{sh, wasm};

/// The arguments of `cargo xtask bench`. `crates/bench` reads its options itself.
pub(crate) fn arguments() -> Command {
    Command::new("bench")
        .about("Measures what stickiness costs beside other filters and proxies, and writes docs/performance.md")
        .override_usage("cargo xtask bench [--rounds NUMBER] [--seconds NUMBER] [--only WORD]... [--smoke] [--redraw]")
        .arg(Arg::new("words").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true).hide(true))
        .after_help(
            "--rounds NUMBER sets the rounds of the main table.
--seconds NUMBER sets the seconds of each visit in the main table.
--only WORD only prints the section with the name WORD, or the variants with WORD in their names.
--smoke checks that everything works, and measures nothing.
--redraw only draws docs/performance.svg again from docs/performance.md.",
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
    // The pure part belongs to a whole run only: `--smoke` and `--redraw` measure nothing, and `--only` prints parts.
    if !words.iter().any(|word| ["--smoke", "--redraw", "--only"].contains(&word.as_str())) {
        sh::run(&mut sh::cargo(&["bench", "--quiet", "--locked", "--package", "bench", "--bench", "pure"]))?;
    }
    let mut bench = sh::cargo(&["run", "--quiet", "--locked", "--package", "bench", "--"]);
    sh::run(bench.args(words).env("STICKY_SESSIONS_WASM", filter).env("SDK_CALLS_WASM", sdk_calls))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_has_every_option_of_the_bench() {
        let source = include_str!("../../crates/bench/src/options.rs");
        let (_, command) = source.split_once("\nfn command()").unwrap();
        let command = command.split("\n}\n").next().unwrap();
        let quoted = command.split('"').skip(1).step_by(2);
        let is_name = |word: &&str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase());
        let names: Vec<&str> = quoted.filter(is_name).filter(|word| *word != "bench").collect();
        assert!(names.len() > 4, "{names:?}");
        let mut arguments = arguments();
        let help = arguments.render_help().to_string();
        let usage = arguments.render_usage().to_string();
        for name in names {
            assert!(usage.contains(&format!("[--{name}")) && help.contains(&format!("\n--{name} ")), "{name}: {help}");
        }
    }
}
