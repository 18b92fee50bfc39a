//! How does one wait for something without a fixed sleep?

use std::thread;
use std::time::{Duration, Instant};

use crate::{Error, Result, child};

/// Between two looks: far below what a person or a test notices.
const PAUSE: Duration = Duration::from_millis(10);

/// Looks at `condition` until it is true, for at most `limit`.
///
/// # Errors
///
/// After `limit`, names `what` was waited for. Also when [`child::end_all`] was called meanwhile.
pub fn wait_until(what: &str, limit: Duration, mut condition: impl FnMut() -> bool) -> Result<()> {
    try_until(what, limit, || Ok(condition()))
}

/// As [`wait_until`], for a condition that can fail for good.
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
        if child::ending() {
            return Err(Error::new(format!("no longer waiting for {what}: everything is being ended")));
        }
        if start.elapsed() >= limit {
            return Err(Error::new(format!("waited {limit:?} in vain for {what}")));
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_in_vain_names_what_it_waited_for() {
        let error = wait_until("the host to be healthy", Duration::from_millis(20), || false);
        assert_eq!(error, Err(Error::new("waited 20ms in vain for the host to be healthy")));
    }

    #[test]
    fn a_condition_that_fails_ends_the_wait_at_once() {
        let error = try_until("x", Duration::from_secs(60), || Err(Error::new("Envoy ended")));
        assert_eq!(error, Err(Error::new("Envoy ended")));
    }
}
