//! What a test is made of: targets, an Envoy before them, and clients.

mod client;
mod cookies;
mod discovery;
mod load_balancer;
mod target;
mod tls;
mod weighted;

pub(crate) use client::{Client, Response, fetch};
pub(crate) use cookies::{KEY, OTHER_KEY, forge, forge_as, forge_with};
pub(crate) use discovery::{Discovered, Replaceable};
pub(crate) use load_balancer::{
    LoadBalancer, Setup, add_group, answering, counted, envoy_binary, start_envoy, sticky_config, wasm,
};
pub(crate) use target::{Target, WAIT, setting};
pub(crate) use tls::{fetch_over_tls, over_tls};
pub(crate) use weighted::{Weighted, group_of, plugin, routes, shipped_weighted, weigh};

use std::time::Duration;

/// How long a test waits for a condition before it fails. Health checks of the shipped configuration take two seconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Waits for a condition; the test fails when it does not come about.
#[track_caller]
pub(crate) fn wait_until(what: &str, condition: impl FnMut() -> bool) {
    if let Err(error) = local_envoy::wait_until(what, PATIENCE, condition) {
        panic!("{error}");
    }
}
