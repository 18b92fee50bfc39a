//! End-to-end tests on a real Envoy, with the shipped filter and the shipped configuration.
//!
//! `cargo xtask test envoy` runs them. `cargo test --test envoy` runs them on the Envoy that `ENVOY_BIN` names, or fetches the newest
//! one. The tests do not link the filter. They act as a client, a target or an operator, with the parts of `crates/harness`.

#![allow(clippy::restriction, reason = "a test fails by a panic")]

mod application;
mod attributes;
mod bombs;
mod changed_routes;
mod classic;
mod configuration;
mod counted_groups;
mod crash;
mod documents;
mod duration;
mod failover;
mod filter_off;
mod forbidden;
mod forgery;
mod gate;
mod group_health;
mod hostile;
mod hostile_targets;
mod keys;
mod linked_crates;
mod newest;
mod observability;
mod override_host;
mod parity;
mod passed_over;
mod per_route;
mod pins_not_obeyed;
mod pool;
mod random_key;
mod raw_http2;
mod reconfigured;
mod renewal;
mod requested_targets;
mod scope;
mod security;
mod smuggling;
mod steps;
mod target_groups;
mod together;
mod two_instances;
