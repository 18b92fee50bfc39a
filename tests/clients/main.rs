//! Tests with widely used clients, against a real Envoy with the shipped filter and the shipped configuration.
//!
//! Each client has a module. The programs beside the modules are short enough to be copied. `cargo xtask test clients` runs
//! these tests. A test whose program is not installed fails and says how to get it.

#![allow(clippy::restriction, reason = "a test fails by a panic")]

mod curl;
mod grpc;
mod http2;
mod java;
mod packages;
mod program;
mod python;
