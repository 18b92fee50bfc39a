//! The page of the demo: what its buttons do, and what it says about it.

mod application;
mod cookies;
mod everyone;
mod failover;
mod lanes;
mod login;
mod place;
mod socket;
mod visit;

pub(crate) use place::Place;
pub(crate) use visit::{Lane, Visit};
