//! Ten thousand connections, a million sessions, ten million requests: does everything add up, and does nothing grow?
//!
//! `cargo xtask test load` runs this scaled down; `LOAD_CONNECTIONS=10000 LOAD_SESSIONS=1000000 LOAD_REQUESTS=10000000 cargo xtask
//! test load` runs all of it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test that panics fails, as it should"
)]

mod load;
mod memory;
mod size;
