//! How many connections may a process have?

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Beside the connections: pipes, the runtime's own, the files of the test, and Envoy's connections to targets.
const OTHER_FILES: u64 = 1100;

/// Lets this process, and those that it starts from now on, hold so many connections at once.
///
/// # Errors
///
/// When the hard limit of open files is too low, with what to do.
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
        // No kernel lets a process have as many: fs.nr_open is 2^30 at most.
        let error = allow_open_files(1 << 40).unwrap_err();
        assert!(error.contains("the hard limit is") && error.contains("ulimit -Hn"), "{error}");
    }
}
