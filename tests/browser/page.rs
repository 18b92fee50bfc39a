//! The page of the demo: its buttons and its texts.

mod application;
mod cookies;
mod everyone;
mod failover;
mod fixture;
mod lanes;
mod login;
mod pool;
mod socket;
mod visit;

pub(crate) use fixture::Fixture;
pub(crate) use visit::{Lane, Visit};
