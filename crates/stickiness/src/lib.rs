//! What a sticky load balancer decides, without a word of Envoy.
//!
//! Each question has one home:
//!
//! - how is it written? [`cookie_header`] reads what a client sends, [`set_cookie`] writes what it gets, [`application`]
//!   reads what the application gives it;
//! - what does it say? [`binding`];
//! - may I believe it? [`seal`], with the keys of [`keys`]; [`sealed_cookie`] is its form in a cookie, and [`sealer`] the
//!   keys at work, which remembers what it has opened ([`opened_values`]) and sealed ([`sealed_values`]);
//! - is it still good, and when does it get a successor? [`renewal`];
//! - which cookies does each type of stickiness have? [`lb_cookie`], [`app_cookie`], [`classic`], and [`group_cookie`] for
//!   the target group; [`target_cookie`] is any of the first three, and [`issuer`] dresses what they give as the operator
//!   asked for;
//! - is there a target to go to? [`group_health`];
//! - what does the load balancer do? [`balancer`], which uses all of these;
//! - what did the operator ask for? [`config`] reads it, [`policy`] is what it comes to;
//! - what is a request, an answer and a client? [`exchange`]; what is it called in the end? [`outcome`].
//!
//! Clock, nonce and header bytes are arguments, so nothing here needs a host or a mock.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should"))]

pub mod app_cookie;
pub mod application;
pub mod balancer;
pub mod binding;
pub mod classic;
pub mod config;
pub mod cookie_header;
pub mod exchange;
pub mod group_cookie;
pub mod group_health;
pub mod issuer;
pub mod keys;
pub mod lb_cookie;
pub mod names;
pub mod opened_values;
pub mod outcome;
pub mod policy;
pub mod renewal;
pub mod seal;
pub mod sealed_cookie;
pub mod sealed_values;
pub mod sealer;
pub mod set_cookie;
pub mod target_cookie;
#[cfg(test)]
mod testing;
pub mod time;
pub mod user_agent;
