//! The filter in Envoy. The shell knows Envoy and no AWS; the core, the crate `stickiness`, knows AWS and no Envoy.
//!
//! The life of a request:
//!
//! 1. `stream::request` reads the request's headers and its target group, and asks the core for the session;
//! 2. when a cookie names a target, [`override_header`] writes it where Envoy's own load balancing looks for it;
//! 3. a target answers; [`answering_target`] finds out which one, and `stream::answer` asks the core for the cookies and adds them;
//! 4. [`plugin`] counts the outcome.
//!
//! | Module | Subject |
//! |---|---|
//! | [`root`] | the plugin's configuration, and its callbacks |
//! | [`random_key`] | the key of a plugin to which the operator gives none |
//! | [`plugin`] | a configuration at work: what its streams share |
//! | [`stream`] | one request and its answer: `request` receives it, `answer` answers it |
//! | [`answering_target`] | who answered a request |
//! | [`pin_watch`] | whether Envoy obeys pins |
//! | [`chain_watch`] | whether another instance of the filter is sticky for the same target group |
//! | [`empty_group`] | whether a target group has a healthy target |
//! | [`route_metadata`] | the choices of a route |
//! | [`balanced_clusters`] | in which clusters a pin may choose the target |
//! | [`route_watch`] | whether another filter changes routes |
//! | [`override_header`] | the headers that choose the host and the target group |
//! | [`counters`], [`counted_groups`], [`ticker`] | the statistics, and the clock of a busy worker |
//! | [`host`], [`host_errors`] | the calls of Envoy, and those of them that fail |
//! | [`logger`], [`warn_once`] | Envoy's log |
//!
//! Every call of Envoy goes through the crate `hostcalls`, which returns each status as a value, because a panic ends the worker's
//! VM. The SDK `proxy-wasm` has the entry point and the contexts. Of its calls only one is used, in [`empty_group`].

#![cfg_attr(not(test), forbid(unsafe_code))]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should"))]
#![allow(missing_docs, reason = "nothing is public but the entry point that the SDK's macro makes for Envoy")]

mod answering_target;
mod balanced_clusters;
mod chain_watch;
mod counted_groups;
mod counters;
mod empty_group;
mod host;
mod host_errors;
mod logger;
mod override_header;
mod pin_watch;
mod plugin;
mod random_key;
mod root;
mod route_metadata;
mod route_watch;
mod stream;
mod ticker;
mod warn_once;

#[cfg(test)]
mod tests;

use root::Root;

proxy_wasm::main! {{
    logger::start();
    proxy_wasm::set_root_context(|context| Box::new(Root::new(context.into())));
}}
