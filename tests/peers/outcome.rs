//! The outcome of a scenario with a proxy, and the reasons why a run stops.

use crate::proxies::Refusal;
use crate::scenario::Equality;

/// The outcome of a scenario with a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// `without` holds the reasons why the proxy cannot play some variants.
    Passed {
        equality: Option<Equality>,
        without: Vec<String>,
    },
    Failed(Failure),
    Unsupported(String),
    /// The proxy did not start.
    Broken(String),
}

/// An expectation that was not met, in words that are the same in each run, and the observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) expected: String,
    pub(crate) seen: String,
}

/// The reason why a run stops.
pub(crate) enum Stop {
    Failed(Failure),
    Refused(Refusal),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Stop {
    pub(crate) fn failed(expected: impl Into<String>, seen: impl Into<String>) -> Self {
        Self::Failed(Failure { expected: expected.into(), seen: seen.into() })
    }
}
