//! Counts every call of Envoy that failed, and warns of each function once.
//!
//! The counter is `sticky_sessions.host_errors`, to which Envoy adds `wasmcustom.`. It is defined with the first failure: an Envoy
//! whose calls succeed has no such counter. This state belongs to the VM and not to a plugin, because the logger has no plugin.

use std::cell::Cell;

use hostcalls::HostError;

use crate::warn_once::warn_once;

const COUNTER: &str = "sticky_sessions.host_errors";

/// More than there are functions of the host that the filter calls.
const MAX_FUNCTIONS: usize = 32;

thread_local! {
    static HOST_ERRORS: HostErrors = const { HostErrors::new() };
}

struct HostErrors {
    counter: Cell<Option<u32>>,
    /// Failures that Envoy has not been told, because the calls that count failed too.
    untold: Cell<u32>,
    /// The functions of which this worker has warned.
    warned: [Cell<Option<&'static str>>; MAX_FUNCTIONS],
}

/// The value of a call. A failure is counted and warned of, and there is no value then.
pub(crate) fn checked<T>(result: hostcalls::Result<T>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            HOST_ERRORS.with(|errors| errors.report(error));
            None
        }
    }
}

impl HostErrors {
    const fn new() -> Self {
        Self { counter: Cell::new(None), untold: Cell::new(0), warned: [const { Cell::new(None) }; MAX_FUNCTIONS] }
    }

    fn report(&self, error: HostError) {
        self.untold.set(self.untold.get().saturating_add(1));
        if let Err(error) = self.tell() {
            self.warn(error);
        }
        self.warn(error);
    }

    /// Tells Envoy all failures that it has not been told.
    fn tell(&self) -> hostcalls::Result<()> {
        let counter = match self.counter.get() {
            Some(counter) => counter,
            None => hostcalls::define_counter(COUNTER)?,
        };
        self.counter.set(Some(counter));
        hostcalls::increment_counter(counter, self.untold.get())?;
        self.untold.set(0);
        Ok(())
    }

    /// To warn takes calls of Envoy too, which may fail and be reported. That ends: each function is warned of once.
    fn warn(&self, error: HostError) {
        if self.is_first(error.call) {
            warn_once(&format!("a call of Envoy failed: {error}; more failures of it are only counted, in {COUNTER}"));
        }
    }

    fn is_first(&self, call: &'static str) -> bool {
        for place in &self.warned {
            match place.get() {
                Some(warned) if warned == call => return false,
                Some(_) => (),
                None => {
                    place.set(Some(call));
                    return true;
                }
            }
        }
        false
    }
}
