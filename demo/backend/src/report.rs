//! The state of instances, as they report it to each other and to the page.

use serde::{Deserialize, Serialize};

use crate::requests::{Columns, Requests};

/// The answer of an instance to `GET /report`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Report {
    /// False if the instance calls itself unhealthy.
    pub(crate) healthy: bool,
    /// The requests of the last minute.
    pub(crate) requests: Requests,
}

/// The state of one instance, for the page.
#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    /// The name of the instance.
    pub(crate) name: &'a str,
    /// The health of the instance.
    pub(crate) state: State,
    /// The requests of the last minute.
    pub(crate) requests: Columns,
}

/// The health of an instance, as the page shows it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// It passes Envoy's health checks.
    Healthy,
    /// It calls itself unhealthy, and so fails them.
    Unhealthy,
    /// It does not answer.
    Away,
}
