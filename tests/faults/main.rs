//! Test suite: real targets fail behind a real Envoy with the shipped configuration, while thousands of sessions send requests.
//!
//! During and after each fault, no session of a living target moves. Only requests in flight to a dead target are lost, and the
//! sessions of that target spread evenly over the others. Every test adds its figures to the report.

#![allow(clippy::restriction, reason = "a test fails by a panic")]

mod clock;
mod configuration;
mod discovery;
mod draining;
mod envoys;
mod filter_discovery;
mod fixture;
mod health;
mod keys;
mod targets;
mod verdict;
