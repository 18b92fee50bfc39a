//! The filter: the one place that talks to Envoy. It decides nothing: every decision is made by the crate
//! `stickiness`, which has never heard of Envoy.
//!
//! The life of a request:
//!
//! 1. [`stream`] reads the request's headers and its target group, and asks for the session;
//! 2. when a cookie names a target, [`override_header`] writes it where Envoy's own load balancing looks for it;
//! 3. a target answers; [`stream`] asks for the cookies, adds them, counts and names the outcome;
//! 4. [`root`] owns what outlives a request: the configuration, the keys, the counters.
//!
//! [`host`] holds every call to Envoy, [`abi_map`] reads the maps that come of it, [`counters`] has the names of the statistics,
//! [`route_metadata`] what a route may say, and [`ticker`] what is done now and then instead of with every request.

#![cfg_attr(not(test), forbid(unsafe_code))]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should"))]
#![allow(missing_docs, reason = "nothing is public but the entry point that the SDK's macro makes for Envoy")]

mod abi_map;
mod counters;
mod host;
mod override_header;
mod root;
mod route_metadata;
mod stream;
mod ticker;

#[cfg(test)]
mod tests;

use proxy_wasm::types::LogLevel;

use root::Root;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|context| Box::new(Root::new(context)));
}}
