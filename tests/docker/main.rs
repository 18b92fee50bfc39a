//! The demo in containers, as `docker compose up` runs it.
//!
//! `cargo xtask test docker` brings it up, runs these and takes it down. By hand: `docker compose up`, then
//! `DEMO_COMPOSE_PROJECT=sticky-sessions cargo test --test docker -- --test-threads 1`; one at a time, since some stop an instance.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that panics fails, as it should"
)]

mod build;
mod containers;
mod running;
mod sessions;
