//! What a sticky load balancer decides, without a word of Envoy.
//!
//! Each question has one home:
//!
//! - how is it written? [`cookie_header`] reads what a client sends, [`set_cookie`] writes what it gets;
//! - what does it say? [`binding`];
//! - may I believe it? [`seal`], with the keys of [`keys`]; [`sealed_cookie`] is its form in a cookie;
//! - what does the load balancer do? [`balancer`], which uses all of these;
//! - what did the operator ask for? [`config`];
//! - what is a request called in the end? [`outcome`].
//!
//! Clock, nonce and header bytes are arguments, so nothing here needs a host or a mock.

#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should"))]

pub mod balancer;
pub mod binding;
pub mod config;
pub mod cookie_header;
pub mod keys;
pub mod names;
pub mod outcome;
pub mod seal;
pub mod sealed_cookie;
pub mod sealed_values;
pub mod set_cookie;
pub mod time;
