//! How much of the processors has a process had?

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

/// All that the threads of a process have had so far, in user and in kernel mode, to the nanosecond: `/proc/PID/stat` counts in
/// hundredths of a second (`proc_pid_stat(5)`, `Documentation/scheduler/sched-stats.rst` of Linux).
pub(crate) fn time_of(process: u32) -> Result<Duration> {
    let tasks = Path::new("/proc").join(process.to_string()).join("task");
    let mut nanoseconds = 0;
    for task in fs::read_dir(&tasks).with_context(|| tasks.display().to_string())? {
        // A thread may end between the two; none of the proxies ends one under load.
        let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
        nanoseconds += on_processor(&text).with_context(|| format!("schedstat of process {process} says {text:?}"))?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// The first of three numbers: the time on a processor. The others are the time in wait for one, and how often.
fn on_processor(schedstat: &str) -> Option<u64> {
    schedstat.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_counts() {
        assert_eq!(on_processor("132491 56907 1\n"), Some(132_491));
        assert_eq!(on_processor(""), None);
    }

    #[test]
    fn the_time_of_a_process_that_computes_goes_on() {
        let process = std::process::id();
        let before = time_of(process).unwrap();
        let mut sum = 0_u64;
        while time_of(process).unwrap() < before + Duration::from_millis(5) {
            sum = (0..10_000).fold(sum, u64::wrapping_add);
        }
        assert_ne!(std::hint::black_box(sum), 0);
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error() {
        assert!(time_of(u32::MAX).is_err());
    }
}
