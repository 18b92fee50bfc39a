//! Describes the machine, the programs and the commit of a run.

use std::fs;
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use local_envoy::child;

use crate::fixture::Fixture;

/// The machine, the programs and the commit of a run.
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) kernel: String,
    pub(crate) programs: Vec<String>,
    /// Such as `22 Nov 2026`.
    pub(crate) date: String,
    pub(crate) commit: String,
}

impl Machine {
    /// Describes this machine. `proxies` are the names and versions of the proxies other than Envoy.
    pub(crate) fn describe(fixture: &Fixture, proxies: &[String]) -> Result<Self> {
        let cores = std::thread::available_parallelism()?;
        let model = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = model.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
        let model = model.trim_start_matches([' ', '\t', ':']);
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let mut programs = vec![format!("Envoy {}", envoy_version(fixture))];
        programs.extend_from_slice(proxies);
        programs.push(format!("wrk {}", word(&output_of("wrk", &["-v"]), 1)));
        programs.push(format!("h2load of {}", word(&output_of("h2load", &["--version"]), 1)));
        Ok(Self {
            processor: format!("{cores} cores, {model}"),
            kernel: format!("Linux {}", kernel.trim()),
            programs,
            date: date(SystemTime::now()),
            commit: commit(),
        })
    }
}

/// Finds the version in a line such as `envoy  version: 84a6a7b/1.40.0/Clean/RELEASE/BoringSSL`.
fn envoy_version(fixture: &Fixture) -> String {
    let output = output_of(&fixture.envoy.to_string_lossy(), &["--version"]);
    let version =
        output.split('/').find(|part| part.split('.').count() == 3 && part.starts_with(|c: char| c.is_ascii_digit()));
    version.unwrap_or("of unknown version").to_owned()
}

/// The commit, with a note if the work tree has changes.
fn commit() -> String {
    let commit = output_of("git", &["rev-parse", "--short", "HEAD"]);
    let changed = !output_of("git", &["status", "--porcelain"]).trim().is_empty();
    format!("{}{}", commit.trim(), if changed { ", with changes" } else { "" })
}

/// The output of a program, or an empty text if it cannot run.
fn output_of(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(local_envoy::workspace_root());
    child::output(&mut command, Duration::from_secs(10))
        .map(|output| output.stdout + &output.stderr)
        .unwrap_or_default()
}

fn word(text: &str, place: usize) -> &str {
    text.split_whitespace().nth(place).unwrap_or("of unknown version")
}

/// The day, without the time of day.
fn date(time: SystemTime) -> String {
    let text = httpdate::fmt_http_date(time);
    text.split_whitespace().skip(1).take(3).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_formatted() {
        assert_eq!(date(SystemTime::UNIX_EPOCH + Duration::from_hours(264_384)), "29 Feb 2000");
    }
}
