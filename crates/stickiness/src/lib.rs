//! The decisions of a sticky load balancer: which target a request goes to, and which cookies its answer carries.
//!
//! The core knows AWS and no proxy: it does not know Envoy. Clock, nonces and header bytes are arguments, so a test needs
//! no host and no mock.
//!
//! | Folder or module | Question |
//! |---|---|
//! | [`wire`] | How are cookies written in requests and answers? |
//! | [`trust`] | May a cookie's value be believed? |
//! | [`cookies`] | Which cookies does each type of stickiness have? |
//! | [`config`], [`policy`] | What did the operator ask for? |
//! | [`exchange`], [`outcome`] | What is a request, what is its answer, and how did it end? |
//! | [`slots`] | How is something kept under many names without growing? |
//! | [`balancer`] | What does the load balancer do with a request and its answer? It uses all the others. |

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should"))]

pub mod balancer;
pub(crate) mod by_name;
pub mod config;
pub mod cookies;
pub mod exchange;
pub(crate) mod group_health;
pub mod outcome;
pub mod policy;
pub mod slots;
#[cfg(test)]
mod testing;
pub mod time;
pub mod trust;
pub mod wire;
