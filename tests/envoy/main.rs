//! The contract, on a real Envoy with the wasm that ships and the configuration that users copy.
//!
//! `cargo xtask test` runs these on the newest and on the oldest supported Envoy; `cargo test --test envoy` on the one
//! that `ENVOY_BIN` names, or on the newest, which is then fetched. Nothing here links to the filter: a test is a
//! client, a target or an operator, made of what `crates/harness` has.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "a test that panics fails, as it should"
)]

mod application;
mod attributes;
mod bombs;
mod classic;
mod configuration;
mod crash;
mod documents;
mod duration;
mod failover;
mod forbidden;
mod forgery;
mod hostile;
mod hostile_targets;
mod keys;
mod observability;
mod override_host;
mod parity;
mod per_route;
mod raw_http2;
mod reconfigured;
mod renewal;
mod security;
mod smuggling;
mod target_groups;
mod together;
