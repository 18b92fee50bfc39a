//! The filter that ships, on a host that fails in every way in which a host can: no call of it may end the VM.
//!
//! `cargo xtask test host` runs these. An interpreter takes Envoy's place, because Envoy cannot be made to answer every call
//! with every status, or to call in every order.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "a test that panics fails, as it should"
)]

mod calls;
mod orders;
mod plugin;
mod properties;
mod statuses;
