//! The variants of the main table, and the promise that each has to keep.

use wasm_host::Scenario;

use crate::fixture::{APPLICATION, SMALL};
use crate::hand_written::CALLS;
use crate::proxy::ProxyKind;
use crate::proxy::envoys::EnvoyKind;
use crate::proxy::others::Other;

/// The cookies that the clients of a variant send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Session {
    /// No cookie.
    None,
    /// The cookies that the proxy sets for a client without cookies.
    Given,
    /// A cookie that names a target which does not exist.
    Gone,
    /// A cookie that names a target in plain text.
    Plain,
}

/// The behaviour that a variant must show before it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// The requests reach several targets, and no response sets a cookie.
    Spread,
    /// The requests reach several targets, and each response sets a cookie.
    Begin,
    /// The requests reach one target.
    Pinned {
        /// True if every response sets a cookie, and false if none does.
        renewed: bool,
    },
    /// The requests reach existing targets, and each response sets a cookie.
    FailOver,
}

/// A row of the main table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    pub(crate) kind: ProxyKind,
    pub(crate) session: Session,
    pub(crate) promise: Promise,
    pub(crate) path: &'static str,
    /// The name of the variant of the same proxy without stickiness.
    pub(crate) without: Option<&'static str>,
}

pub(crate) const NO_FILTER: &str = "Envoy, no filter";
pub(crate) const NOOP: &str = "Envoy, wasm filter that does nothing";
pub(crate) const PRUNED_NOOP: &str = "Envoy, the same without unused callbacks";
pub(crate) const NATIVE: &str = "Envoy's cookie sessions: pinned";
pub(crate) const NATIVE_NEW: &str = "Envoy's cookie sessions: new session";
pub(crate) const LUA: &str = "Lua script: pinned";
pub(crate) const PINNED: &str = "this filter: pinned";
/// Without the part of the shipped configuration that removes our headers from requests of clients.
pub(crate) const ALONE: &str = "this filter: pinned, the README's ten lines alone";
pub(crate) const CALLS_ALONE: &str = "the same host calls by a module that computes nothing";
pub(crate) const SDK_CALLS: &str = "the same host calls through the Rust SDK, computing nothing";
pub(crate) const NEW: &str = "this filter: new session";
pub(crate) const HAPROXY: &str = "HAProxy, cookie insert";
pub(crate) const CADDY: &str = "Caddy, lb_policy cookie";
pub(crate) const NGINX: &str = "nginx, sticky cookie";

const GROUPS: &str = "Envoy, no filter, two target groups";
const PLAIN_HAPROXY: &str = "HAProxy, no stickiness";
const PLAIN_CADDY: &str = "Caddy, no stickiness";
const PLAIN_NGINX: &str = "nginx, no stickiness";

const fn without(name: &'static str, kind: ProxyKind) -> Variant {
    Variant { name, kind, session: Session::None, promise: Promise::Spread, path: SMALL, without: None }
}

const fn envoy(name: &'static str, kind: EnvoyKind, session: Session, promise: Promise) -> Variant {
    Variant { name, kind: ProxyKind::Envoy(kind), session, promise, path: SMALL, without: Some(NO_FILTER) }
}

const fn ours(name: &'static str, scenario: Scenario, session: Session, promise: Promise) -> Variant {
    envoy(name, EnvoyKind::Ours(scenario), session, promise)
}

const fn other(name: &'static str, proxy: Other, renewed: bool, without: &'static str) -> Variant {
    Variant {
        name,
        kind: ProxyKind::Other { proxy, sticky: true },
        session: Session::Given,
        promise: Promise::Pinned { renewed },
        path: SMALL,
        without: Some(without),
    }
}

const RENEWED: Promise = Promise::Pinned { renewed: true };
const KEPT: Promise = Promise::Pinned { renewed: false };

/// All variants, in the order of the table.
pub(crate) const VARIANTS: [Variant; 26] = [
    without(NO_FILTER, ProxyKind::Envoy(EnvoyKind::Bare)),
    envoy(NOOP, EnvoyKind::Noop, Session::None, Promise::Spread),
    envoy(PRUNED_NOOP, EnvoyKind::PrunedNoop, Session::None, Promise::Spread),
    envoy(NATIVE, EnvoyKind::Native, Session::Given, KEPT),
    envoy(NATIVE_NEW, EnvoyKind::Native, Session::None, Promise::Begin),
    envoy(LUA, EnvoyKind::Lua, Session::Plain, KEPT),
    ours(PINNED, Scenario::Pinned, Session::Given, RENEWED),
    envoy(ALONE, EnvoyKind::OursAlone, Session::Given, RENEWED),
    envoy(CALLS_ALONE, EnvoyKind::Calls(CALLS.len()), Session::Given, RENEWED),
    envoy(SDK_CALLS, EnvoyKind::SdkCalls, Session::Given, RENEWED),
    ours("this filter: pinned, renew: sliding", Scenario::PinnedSliding, Session::Given, KEPT),
    ours("this filter: pinned, renew: on_change", Scenario::PinnedOnChange, Session::Given, KEPT),
    ours("this filter: pinned, only_target_group", Scenario::PinnedOnlyTargetGroup, Session::Given, RENEWED),
    ours("this filter: pinned, only_target_group, renew: on_change", Scenario::PinnedAtLeastCost, Session::Given, KEPT),
    ours("this filter: pinned, override_host", Scenario::PinnedOverrideHost, Session::Given, RENEWED),
    ours("this filter: pinned, with policies", Scenario::PinnedWithPolicies, Session::Given, RENEWED),
    ours(NEW, Scenario::Pinned, Session::None, Promise::Begin),
    ours("this filter: failover", Scenario::Pinned, Session::Gone, Promise::FailOver),
    Variant { path: APPLICATION, ..without(GROUPS, ProxyKind::Envoy(EnvoyKind::BareGroups)) },
    Variant {
        path: APPLICATION,
        without: Some(GROUPS),
        ..ours(
            "this filter: target group and application cookie",
            Scenario::GroupAndApplication,
            Session::Given,
            RENEWED,
        )
    },
    without(PLAIN_HAPROXY, ProxyKind::Other { proxy: Other::Haproxy, sticky: false }),
    other(HAPROXY, Other::Haproxy, false, PLAIN_HAPROXY),
    without(PLAIN_CADDY, ProxyKind::Other { proxy: Other::Caddy, sticky: false }),
    other(CADDY, Other::Caddy, false, PLAIN_CADDY),
    without(PLAIN_NGINX, ProxyKind::Other { proxy: Other::Nginx, sticky: false }),
    other(NGINX, Other::Nginx, true, PLAIN_NGINX),
];
