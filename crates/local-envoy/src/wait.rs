//! Waits for a condition without a fixed sleep.

use std::thread;
use std::time::{Duration, Instant};

use crate::ending::ending;
use crate::{Error, Result};

/// The pause between two checks. A person or a test does not notice it.
const PAUSE: Duration = Duration::from_millis(10);

/// Checks `condition` until it is true, for at most `limit`.
///
/// # Errors
///
/// After `limit`; the error names `what`. Also after [`crate::child::end_all`].
pub fn wait_until(what: &str, limit: Duration, mut condition: impl FnMut() -> bool) -> Result<()> {
    try_until(what, limit, || Ok(condition()))
}

/// As [`wait_until`], for a condition that can fail.
///
/// # Errors
///
/// The first error of `condition`, and those of [`wait_until`].
pub fn try_until(what: &str, limit: Duration, mut condition: impl FnMut() -> Result<bool>) -> Result<()> {
    let start = Instant::now();
    loop {
        if condition()? {
            return Ok(());
        }
        if ending() {
            return Err(Error::new(format!("stopped waiting for {what}: the program ends")));
        }
        if start.elapsed() >= limit {
            return Err(Error::new(format!("waited {limit:?} for {what}, without success")));
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_a_wait_names_what_it_waited_for() {
        let error = wait_until("the host to be healthy", Duration::from_millis(20), || false);
        assert_eq!(error, Err(Error::new("waited 20ms for the host to be healthy, without success")));
    }

    #[test]
    fn a_condition_that_fails_ends_the_wait_at_once() {
        let error = try_until("x", Duration::from_secs(60), || Err(Error::new("Envoy ended")));
        assert_eq!(error, Err(Error::new("Envoy ended")));
    }
}
