//! Test machinery: targets, a real Envoy in front of them, and clients.
//!
//! The end-to-end tests and the benchmark use it to check what the filter that ships does with each request.

#![allow(
    missing_docs,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::restriction,
    reason = "only tests call it, and a test fails by a panic"
)]

mod client;
mod connection;
mod cookies;
mod discovery;
mod load_balancer;
mod response;
mod target;
mod tls;
mod weighted;

pub use client::Client;
pub use connection::{Connection, fetch};
pub use cookies::{KEY, OTHER_KEY, forge, forge_ahead, forge_as, forge_with};
pub use discovery::{
    Discovered, Replaceable, Resources, assignment, discover_endpoints, discover_listeners, discovered_listener,
    name_the_node,
};
pub use load_balancer::{
    LoadBalancer, Setup, add_group, answering, counted, envoy_binary, http_2_to_targets, start_envoy, sticky_config,
    wait_for_no_connection, wasm,
};
pub use report::Report;
pub use response::Response;
pub use target::{Target, WAIT, setting};
pub use tls::{Certificate, fetch_over_tls, over_http2, over_tls, over_tls_on};
pub use weighted::{Weighted, group_of, plugin, routes, shipped_weighted, weigh};

use std::time::Duration;

/// The time for which a test waits for a condition before it fails. The shipped health checks need two seconds, and a busy machine
/// needs more.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for a condition. The test fails after [`PATIENCE`].
#[track_caller]
pub fn wait_until(what: &str, condition: impl FnMut() -> bool) {
    local_envoy::wait_until(what, PATIENCE, condition).unwrap();
}
