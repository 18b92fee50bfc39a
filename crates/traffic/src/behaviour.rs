//! The behaviours of a target, and the orders that set them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The header with the name of the target, in each of its answers.
pub const TARGET: &str = "x-target";

/// The path of the health checks in `envoy/envoy.yaml`.
pub const HEALTH_CHECK: &str = "/healthz";

/// The way in which a target answers requests. Only [`Behaviour::Unhealthy`] fails the health checks, because an application that
/// fails seldom knows it.
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

/// An order to a target: a line of JSON on its standard input. The target acknowledges it with a line on its standard output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Sets the behaviour for all later requests.
    Behave(Behaviour),
    /// Sets the `Set-Cookie` lines of all later answers.
    SetCookies(Vec<String>),
}
