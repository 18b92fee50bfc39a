//! Test suite: the demo in containers, as `docker compose up` runs it.
//!
//! `cargo xtask test docker` starts it, runs these tests and ends it. By hand: `docker compose up`, then
//! `DEMO_COMPOSE_PROJECT=sticky-sessions cargo test --test docker -- --test-threads 1`. The tests run one at a time, because some of
//! them stop an instance.

#![allow(clippy::restriction, reason = "a test fails by a panic")]

mod build;
mod containers;
mod running;
mod sessions;
