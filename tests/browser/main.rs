//! Test suite: a real browser in front of a real Envoy with the filter that ships.
//!
//! `cargo xtask test browser` runs these. They need Chromium and chromedriver, on `PATH` or named by `CHROMIUM_BIN` and
//! `CHROMEDRIVER_BIN`.

#![allow(clippy::restriction, reason = "a test fails by a panic")]

mod cross_site;
mod jar;
mod page;
mod page_over_tls;
mod tls;
mod visitor;

use std::fmt::Display;

/// The result of a test.
type Passed = Result<(), Failure>;

/// The error of a test that uses `?`. It panics at that line, so that Envoy prints its log.
#[derive(Debug)]
enum Failure {}

impl<E: Display> From<E> for Failure {
    #[track_caller]
    fn from(error: E) -> Self {
        panic!("{error}")
    }
}
