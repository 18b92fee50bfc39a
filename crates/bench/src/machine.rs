//! On what was it measured?

use std::fs;
use std::process::Command;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use local_envoy::child;

use crate::ground::Ground;

/// The machine and the programs of a run.
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) kernel: String,
    pub(crate) programs: Vec<String>,
    /// As `22 Nov 2026`.
    pub(crate) date: String,
    pub(crate) commit: String,
}

impl Machine {
    /// This one; `proxies` are those beside Envoy, with their versions.
    pub(crate) fn describe(ground: &Ground, proxies: &[String]) -> Result<Self> {
        let cores = std::thread::available_parallelism()?;
        let model = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = model.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
        let model = model.trim_start_matches([' ', '\t', ':']);
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let mut programs = vec![format!("Envoy {}", envoy_version(ground))];
        programs.extend_from_slice(proxies);
        programs.push(format!("wrk {}", word(&said("wrk", &["-v"]), 1)));
        programs.push(format!("h2load of {}", word(&said("h2load", &["--version"]), 1)));
        Ok(Self {
            processor: format!("{cores} cores, {model}"),
            kernel: format!("Linux {}", kernel.trim()),
            programs,
            date: date(SystemTime::now()),
            commit: commit(),
        })
    }
}

/// As in `envoy  version: 84a6a7b/1.40.0/Clean/RELEASE/BoringSSL`.
fn envoy_version(ground: &Ground) -> String {
    let said = said(&ground.envoy.to_string_lossy(), &["--version"]);
    let version =
        said.split('/').find(|part| part.split('.').count() == 3 && part.starts_with(|c: char| c.is_ascii_digit()));
    version.unwrap_or("of unknown version").to_owned()
}

/// The commit, and whether anything was changed since.
fn commit() -> String {
    let commit = said("git", &["rev-parse", "--short", "HEAD"]);
    let changed = !said("git", &["status", "--porcelain"]).trim().is_empty();
    format!("{}{}", commit.trim(), if changed { ", with changes" } else { "" })
}

fn said(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(local_envoy::workspace_root());
    child::output(&mut command, Duration::from_secs(10))
        .map(|output| output.stdout + &output.stderr)
        .unwrap_or_default()
}

fn word(text: &str, place: usize) -> &str {
    text.split_whitespace().nth(place).unwrap_or("of unknown version")
}

/// The day and no time of it.
fn date(time: SystemTime) -> String {
    let text = httpdate::fmt_http_date(time);
    text.split_whitespace().skip(1).take(3).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_that_of_the_calendar() {
        assert_eq!(date(SystemTime::UNIX_EPOCH + Duration::from_hours(264_384)), "29 Feb 2000");
    }
}
