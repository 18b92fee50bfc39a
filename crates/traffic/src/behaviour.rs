//! The behaviours of a target.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The header with the name of the target, in each of its answers.
pub const TARGET: &str = "x-target";

/// The path of the health checks in `envoy/envoy.yaml`.
pub const HEALTH_CHECK: &str = "/healthz";

/// The way in which a target answers requests. Each line of JSON on the standard input of a target sets it, and the target
/// acknowledges it with a line on its standard output. Only [`Behaviour::Unhealthy`] fails the health checks, because an application
/// that fails seldom knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Behaviour {
    /// Answers 200 immediately.
    #[default]
    Normal,
    /// Answers 200 after this time.
    Slow(Duration),
    /// Answers this status immediately.
    Status(u16),
    /// Answers 200 and the start of a body, and then resets the connection.
    ResetMidResponse,
    /// Answers 200, and 503 to health checks.
    Unhealthy,
}
