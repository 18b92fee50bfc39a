//! Starts a proxy, and measures the CPU time that it spends on each request under load.

pub(crate) mod envoys;
pub(crate) mod others;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use local_envoy::{Config, Envoy, Settings};

use self::envoys::EnvoyKind;
use self::others::Other;
use crate::fixture::Fixture;
use crate::requests::Request;
use crate::requests::load;

/// A proxy and how it is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProxyKind {
    Envoy(EnvoyKind),
    Other { proxy: Other, sticky: bool },
}

/// A running proxy. Dropping it ends the process.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    process: Process,
}

enum Process {
    Envoy(Box<Envoy>),
    Other(others::Running),
}

/// The result of one visit: one proxy under load for some seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// CPU time of the process per request, in microseconds.
    pub(crate) cpu: f64,
    /// Requests per second.
    pub(crate) rate: f64,
}

impl Proxy {
    /// Starts a proxy with one worker.
    pub(crate) fn start(fixture: &Fixture, kind: ProxyKind) -> Result<Self> {
        match kind {
            ProxyKind::Envoy(kind) => Self::start_envoy(fixture, kind, 1),
            ProxyKind::Other { proxy, sticky } => Self::start_other(fixture, proxy, sticky),
        }
    }

    /// Starts an Envoy with `workers` workers.
    pub(crate) fn start_envoy(fixture: &Fixture, kind: EnvoyKind, workers: u32) -> Result<Self> {
        Self::start_with(fixture, &envoys::config(fixture, kind)?, workers).with_context(|| format!("{kind:?}"))
    }

    /// Starts an Envoy with this configuration and `workers` workers.
    pub(crate) fn start_with(fixture: &Fixture, config: &Config, workers: u32) -> Result<Self> {
        let environment = vec![("STICKY_SESSIONS_KEYS".to_owned(), harness::KEY.to_owned())];
        let settings = Settings { concurrency: workers, environment, ..Settings::default() };
        let envoy = Envoy::start(&fixture.envoy, config, settings)?;
        Ok(Self { address: envoy.address("sticky")?, process: Process::Envoy(Box::new(envoy)) })
    }

    fn start_other(fixture: &Fixture, proxy: Other, sticky: bool) -> Result<Self> {
        let running = proxy.start(fixture, sticky)?;
        Ok(Self { address: running.address, process: Process::Other(running) })
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        match &self.process {
            Process::Envoy(envoy) => envoy.id(),
            Process::Other(running) => running.child.id(),
        }
    }

    /// The Envoy, or `None` for another proxy.
    pub(crate) fn envoy(&self) -> Option<&Envoy> {
        match &self.process {
            Process::Envoy(envoy) => Some(envoy),
            Process::Other(_) => None,
        }
    }

    /// Puts the proxy under load for some seconds.
    pub(crate) fn measure(&self, request: &Request, seconds: u32) -> Result<Sample> {
        let before = cpu_time(self.id())?;
        let answered = load::put(self.address, request, seconds)?;
        let spent = cpu_time(self.id())?.saturating_sub(before);
        #[allow(clippy::cast_precision_loss, reason = "there are not 2^52 requests")]
        let cpu = spent.as_secs_f64() * 1e6 / answered.requests as f64;
        Ok(Sample { cpu, rate: answered.per_second })
    }
}

/// The CPU time of all threads of a process so far, in user and kernel mode.
///
/// `schedstat` counts nanoseconds (`Documentation/scheduler/sched-stats.rst` of Linux); `/proc/PID/stat` counts hundredths of a
/// second (`proc_pid_stat(5)`).
fn cpu_time(process: u32) -> Result<Duration> {
    let tasks = Path::new("/proc").join(process.to_string()).join("task");
    let mut nanoseconds = 0;
    for task in fs::read_dir(&tasks).with_context(|| tasks.display().to_string())? {
        // A thread may end after the folder was listed. No proxy ends a thread under load.
        let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
        nanoseconds += time_on_cpu(&text).with_context(|| format!("schedstat of process {process} says {text:?}"))?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// The first of three numbers is the time on a CPU. The others are the time in the run queue and the number of time slices.
fn time_on_cpu(schedstat: &str) -> Option<u64> {
    schedstat.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_counts() {
        assert_eq!(time_on_cpu("132491 56907 1\n"), Some(132_491));
        assert_eq!(time_on_cpu(""), None);
    }

    #[test]
    fn the_cpu_time_of_a_process_that_computes_grows() {
        let process = std::process::id();
        let before = cpu_time(process).unwrap();
        let mut sum = 0_u64;
        while cpu_time(process).unwrap() < before + Duration::from_millis(5) {
            sum = (0..10_000).fold(sum, u64::wrapping_add);
        }
        assert_ne!(std::hint::black_box(sum), 0);
    }

    #[test]
    fn a_process_that_does_not_exist_is_an_error() {
        assert!(cpu_time(u32::MAX).is_err());
    }
}
