//! Runs the fuzz targets: first their seeds, then inputs that the fuzzer makes.
//!
//! There is no sanitizer. It needs a nightly toolchain and finds memory errors, which code without `unsafe` does not have.
//! Overflow checks and debug assertions are on (`fuzz/Cargo.toml`).

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use local_envoy::{child, workspace_root};
use report::Report;

use super::{Passed, reports};
use crate::sh;

/// The executions of each target by default. All targets together take about a minute.
const RUNS: u64 = 150_000;

/// The longest input, in bytes. Longer inputs are slower and reach little more code.
const LONGEST_INPUT: &str = "-max_len=1024";

/// The longest time for one input, in seconds. A longer one counts as a crash.
const LONGEST_TIME: &str = "-timeout=10";

/// The longest time for all executions of a target.
const LIMIT: Duration = Duration::from_hours(24);

const REPORT: Report = Report::of("fuzz", &["target", "seeds", "executions", "crashes", "features", "seconds"]);

/// Builds the targets.
pub(crate) fn build() -> Result<()> {
    sh::run(&mut cargo_fuzz(&["build"])).context("building the fuzz targets failed")
}

/// Runs the targets that have one of these in their names; no names mean all. Returns `None` when there is no such target.
pub(crate) fn run(names: &[String], runs: Option<u64>) -> Result<Option<Passed>> {
    let targets = targets(names)?;
    if targets.is_empty() {
        return Ok(None);
    }
    let runs = runs.unwrap_or(RUNS);
    let mut crashed = Vec::new();
    for target in &targets {
        sh::step(&format!("fuzzing {target}, {runs} executions"));
        if !fuzz(target, runs)? {
            crashed.push(target.as_str());
        }
    }
    if !crashed.is_empty() {
        bail!("fuzzing found a fault, see above: {}", crashed.join(", "));
    }
    let tests = format!("{} targets", targets.len());
    Ok(Some(Passed { what: format!("fuzz, {tests} with {runs} executions each"), tests }))
}

fn targets(names: &[String]) -> Result<Vec<String>> {
    let all = sh::read(&mut sh::cargo(&["fuzz", "list"]))?;
    let is_meant = |target: &&str| names.is_empty() || names.iter().any(|name| target.contains(name.as_str()));
    Ok(all.lines().map(str::trim).filter(|line| !line.is_empty()).filter(is_meant).map(str::to_owned).collect())
}

/// Executes the target this often, and adds a row to the report. Returns false after a crash.
fn fuzz(target: &str, runs: u64) -> Result<bool> {
    let root = workspace_root();
    let seeds = root.join("fuzz/corpus").join(target);
    // The fuzzer writes into the first folder. The seeds in the repository stay as they are.
    let found = root.join("target/fuzz-corpus").join(target);
    fs::create_dir_all(&found).with_context(|| found.display().to_string())?;
    let start = Instant::now();
    let mut command = cargo_fuzz(&["run", target]);
    command.args([&found, &seeds]);
    command.args(["--", &format!("-runs={runs}"), LONGEST_INPUT, LONGEST_TIME, "-print_final_stats=1"]);
    let output = child::output(&mut command, LIMIT)?;
    let seconds = start.elapsed().as_secs();
    if child::ending() {
        bail!("interrupted");
    }
    let is_good = output.status.success();
    if !is_good {
        eprintln!("{}", what_happened(&output.stderr));
    }
    let figures = Figures::read(&output.stderr)
        .with_context(|| format!("{} printed no figures:\n{}", child::describe(&command), output.stderr))?;
    let row = [
        target.to_owned(),
        count(&seeds)?.to_string(),
        figures.executions.to_string(),
        u8::from(!is_good).to_string(),
        figures.features.to_string(),
        seconds.to_string(),
    ];
    REPORT.row_in(&reports::folder(), &row)?;
    if is_good && figures.executions < runs {
        bail!("{target} ended after {} of {runs} executions", figures.executions);
    }
    Ok(is_good)
}

/// `cargo fuzz` with the options that a build and a run must share.
fn cargo_fuzz(arguments: &[&str]) -> Command {
    let mut command = sh::cargo(&["fuzz"]);
    let (name, rest) = arguments.split_first().map_or(("", arguments), |(name, rest)| (*name, rest));
    command.args([name, "--sanitizer", "none"]).args(rest);
    command
}

/// The figures that libFuzzer prints about a run.
#[derive(Debug, PartialEq, Eq)]
struct Figures {
    executions: u64,
    /// Edges of the code, counted apart by how often each was taken.
    features: u64,
}

impl Figures {
    fn read(log: &str) -> Option<Self> {
        let executions = log.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))?;
        let features = log.lines().rev().find_map(|line| line.split_once(" ft: "))?.1;
        Some(Self { executions: executions.trim().parse().ok()?, features: features.split(' ').next()?.parse().ok()? })
    }
}

/// The end of a log, from the panic on if there is one. It has the input, and the command that tries it again.
fn what_happened(log: &str) -> String {
    const MOST_LINES: usize = 60;
    let lines: Vec<&str> = log.lines().collect();
    let last = lines.len().saturating_sub(MOST_LINES);
    let start = lines.iter().position(|line| line.contains(" panicked at ")).unwrap_or(last);
    lines.get(start..).unwrap_or_default().join("\n")
}

fn count(folder: &Path) -> Result<usize> {
    Ok(fs::read_dir(folder).with_context(|| format!("the seeds in {}", folder.display()))?.count())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "#2\tINITED cov: 30 ft: 31 corp: 1/1b exec/s: 0 rss: 27Mb
#12\tNEW    cov: 44 ft: 59 corp: 2/9b lim: 4 exec/s: 0 rss: 27Mb L: 3/3 MS: 1 CopyPart-
#20000\tDONE   cov: 45 ft: 114 corp: 39/3343b lim: 1203 exec/s: 0 rss: 27Mb
stat::number_of_executed_units: 20000
stat::peak_rss_mb:              27
";

    #[test]
    fn the_figures_are_those_of_the_end() {
        assert_eq!(Figures::read(LOG), Some(Figures { executions: 20_000, features: 114 }));
        assert_eq!(Figures::read("error: no such target"), None);
    }

    #[test]
    fn of_a_crash_everything_from_the_panic_on_is_shown() {
        let log = format!("{LOG}thread '<unnamed>' (1) panicked at a.rs:1:2:\nnot so\nReproduce with:\n");
        assert_eq!(what_happened(&log), "thread '<unnamed>' (1) panicked at a.rs:1:2:\nnot so\nReproduce with:");
    }

    #[test]
    fn of_a_timeout_the_end_is_shown() {
        let log: String = (0..100).map(|line| format!("{line}\n")).collect();
        assert_eq!(what_happened(&log).lines().next(), Some("40"));
    }

    #[test]
    fn what_is_fuzzed_is_made_of_the_same_versions_as_what_ships() {
        let locked = |file: &str| -> Vec<(String, String)> {
            let text = fs::read_to_string(workspace_root().join(file)).unwrap();
            let value = |line: Option<&str>, key: &str| {
                Some(line?.strip_prefix(key)?.strip_prefix(" = \"")?.trim_end_matches('"').to_owned())
            };
            let packages = text.split("[[package]]\n").skip(1).map(str::lines);
            packages.map(|mut of| (value(of.next(), "name").unwrap(), value(of.next(), "version").unwrap())).collect()
        };
        let (shipped, fuzzed) = (locked("Cargo.lock"), locked("fuzz/Cargo.lock"));
        let is_shared = |name: &str| shipped.iter().any(|(other, _)| other == name);
        let shared: Vec<_> = fuzzed.into_iter().filter(|(name, _)| is_shared(name)).collect();
        assert!(shared.len() > 40, "{shared:?}");
        let other: Vec<_> = shared.iter().filter(|package| !shipped.contains(package)).collect();
        assert!(other.is_empty(), "`cp Cargo.lock fuzz/` and `cargo fuzz build -s none` make them the same: {other:?}");
    }

    #[test]
    fn every_target_has_a_few_seeds_with_names() {
        let manifest = fs::read_to_string(workspace_root().join("fuzz/Cargo.toml")).unwrap();
        let targets: Vec<_> = manifest.lines().filter_map(|line| line.strip_prefix("path = \"fuzz_targets/")).collect();
        assert!(targets.len() > 5, "{targets:?}");
        for target in targets {
            let folder = workspace_root().join("fuzz/corpus").join(target.trim_end_matches(".rs\""));
            let seeds: Vec<_> = fs::read_dir(&folder).unwrap().map(|seed| seed.unwrap().file_name()).collect();
            assert!((10..=30).contains(&seeds.len()), "{} seeds in {}", seeds.len(), folder.display());
            // `cargo fuzz run` by hand adds seeds that are named by their hash.
            let is_hash = |name: &str| name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
            let unnamed = seeds.iter().find(|seed| seed.to_str().is_none_or(is_hash));
            assert_eq!(unnamed, None, "in {}", folder.display());
        }
    }
}
