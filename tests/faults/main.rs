//! What does a fault do to the sessions of the shipped configuration? Real targets fail behind a real Envoy, while thousands of
//! sessions go on sending requests.
//!
//! After each fault, and while it lasts: no session of a living target moves, no request is lost but those in flight on a target
//! that dies, and the sessions of that target spread evenly over the others. Every test adds its figures to the report.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by a panic"
)]

mod clock;
mod configuration;
mod discovery;
mod draining;
mod envoys;
mod filter_discovery;
mod health;
mod keys;
mod scene;
mod targets;
mod verdict;
