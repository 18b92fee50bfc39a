//! The memory of an Envoy, and a bound for its growth.

use std::fmt;
use std::fs;

use local_envoy::Envoy;

/// The memory of an Envoy at one moment, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// The resident memory (`VmRSS`, `proc_pid_status(5)`), with the filter's VMs.
    resident: u64,
    /// The allocated memory by Envoy's admin interface, without the VMs, whose memory V8 maps itself.
    allocated: u64,
}

impl Memory {
    /// The memory at this moment.
    #[track_caller]
    pub(crate) fn of(envoy: &Envoy) -> Self {
        let status = fs::read_to_string(format!("/proc/{}/status", envoy.id())).unwrap();
        let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
        let resident = kib.unwrap().parse::<u64>().unwrap() * 1024;
        let allocated = envoy.admin().json("/memory").unwrap()["allocated"].as_str().unwrap().parse().unwrap();
        Self { resident, allocated }
    }

    /// The rows of a report: a name, and its value in each sample.
    pub(crate) fn rows(samples: &[Self]) -> [(&'static str, Vec<String>); 2] {
        let cells = |of: fn(&Self) -> u64| samples.iter().map(|sample| megabytes(of(sample))).collect();
        [("resident", cells(|sample| sample.resident)), ("allocated", cells(|sample| sample.allocated))]
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} MB resident, {} MB allocated", megabytes(self.resident), megabytes(self.allocated))
    }
}

/// The largest allowed memory.
#[derive(Debug)]
pub(crate) struct Bound(pub(crate) Memory);

impl Bound {
    /// The bound after a warm sample. A tenth more may be resident, because heaps become fragmented. A leak of ten bytes in each of
    /// ten million requests would be more. A quarter more may be allocated, because that varies by a tenth with the requests in
    /// flight.
    pub(crate) fn after(warm: &Memory) -> Self {
        Self(Memory { resident: warm.resident / 10 * 11, allocated: warm.allocated / 4 * 5 })
    }

    #[track_caller]
    pub(crate) fn assert_holds_for(&self, samples: &[Memory]) {
        for (part, sample) in samples.iter().enumerate() {
            let flat = sample.resident <= self.0.resident && sample.allocated <= self.0.allocated;
            assert!(flat, "sample {part}: {sample}, and not more than {} are allowed: all were {samples:?}", self.0);
        }
    }
}

/// Rounded to a tenth.
fn megabytes(bytes: u64) -> String {
    let tenths = (bytes + 50_000) / 100_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}
