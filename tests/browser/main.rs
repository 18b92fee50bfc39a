//! What a visitor sees, in a real browser before a real Envoy with the wasm that ships.
//!
//! `cargo xtask test browser` runs these. They need Chromium and chromedriver, on `PATH` or named by `CHROMIUM_BIN` and
//! `CHROMEDRIVER_BIN`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "a test that panics fails, as it should"
)]

mod cross_site;
mod jar;
mod page;
mod page_over_tls;
mod tls;
mod visitor;

use std::fmt::Display;

/// What a test returns.
type Passed = Result<(), Failure>;

/// How a test fails that uses `?`: by a panic at that line, so that Envoy prints its log too.
#[derive(Debug)]
enum Failure {}

impl<E: Display> From<E> for Failure {
    #[track_caller]
    fn from(error: E) -> Self {
        panic!("{error}")
    }
}
