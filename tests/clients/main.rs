//! Tests with widely used clients, against a real Envoy with the shipped filter and the shipped configuration.
//!
//! Each client has a module. The programs beside the modules are short enough to be copied. `cargo xtask test clients` runs
//! these tests. A test whose program is not installed fails and says how to get it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that panics fails, as it should"
)]

mod curl;
mod grpc;
mod http2;
mod java;
mod packages;
mod program;
mod python;
