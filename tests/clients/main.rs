//! Clients that people really use, each against a real Envoy with the wasm that ships and the configuration that users copy.
//!
//! A module per client. The programs beside the modules are short enough to be copied. `cargo xtask test clients` runs these; a
//! test whose program is not on this machine fails and says how to get it.

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
