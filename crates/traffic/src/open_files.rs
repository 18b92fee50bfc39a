//! Raises the limit of open files, which is also the limit of connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The files besides the connections: pipes, those of the runtime and of the test, and Envoy's connections to targets.
const OTHER_FILES: u64 = 1100;

/// Allows so many connections at the same time, for this process and those that it starts later.
///
/// # Errors
///
/// When the hard limit of open files is too low. The error names a remedy.
pub fn allow_open_files(connections: usize) -> Result<(), String> {
    let needed = connections as u64 + OTHER_FILES;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if let Some(hard) = limit.maximum.filter(|hard| *hard < needed) {
        return Err(format!(
            "{connections} connections need {needed} open files, and the hard limit is {hard}: raise it (`ulimit -Hn {needed}` as \
             root in this shell, or LimitNOFILE of the service), or ask for at most {} connections",
            hard.saturating_sub(OTHER_FILES)
        ));
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum: limit.maximum })
        .map_err(|error| format!("the limit of open files cannot be raised to {needed}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_too_low_is_named_with_what_to_do() {
        // No kernel allows so many: fs.nr_open is at most 2^30.
        let error = allow_open_files(1 << 40).unwrap_err();
        assert!(error.contains("the hard limit is") && error.contains("ulimit -Hn"), "{error}");
    }
}
