//! What can a target be told to do?

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The header in which every answer of a target carries its name.
pub const TARGET: &str = "x-target";

/// The path at which a target is asked for its health, as `envoy/envoy.yaml` asks.
pub const HEALTH_CHECK: &str = "/healthz";

/// How a target answers requests. Health checks pass whatever it is, but for [`Behaviour::Unhealthy`]: an application that fails
/// is seldom one that knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Behaviour {
    /// With 200, at once.
    #[default]
    Normal,
    /// With 200, after so long.
    Slow(Duration),
    /// With this status, at once.
    Status(u16),
    /// With 200 and the beginning of a body, and then a reset of the connection.
    ResetMidResponse,
    /// As [`Behaviour::Normal`], while health checks are answered with 503.
    Unhealthy,
}

/// A line on the standard input of a target, as JSON. It answers each with a line on its standard output once it acts on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Answer the requests that come from now on so.
    Behave(Behaviour),
    /// Give them these `Set-Cookie` lines.
    SetCookies(Vec<String>),
}
