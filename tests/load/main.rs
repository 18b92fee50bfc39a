//! Test suite: ten thousand connections, a million sessions and ten million requests. All counts must add up, and memory must not
//! grow.
//!
//! `cargo xtask test load` runs a smaller size. `LOAD_CONNECTIONS=10000 LOAD_SESSIONS=1000000 LOAD_REQUESTS=10000000 cargo xtask test
//! load` runs the full size.

#![allow(clippy::restriction, reason = "a test fails by a panic")]

mod load;
mod memory;
mod size;
