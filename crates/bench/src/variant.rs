//! What is compared in the main table?

use wasm_host::Scenario;

use crate::backend::{APPLICATION, SMALL};
use crate::envoys::Kind;
use crate::noop::CALLS;
use crate::others::Other;

/// What runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setup {
    Envoy(Kind),
    Other { proxy: Other, sticky: bool },
}

/// What a client sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Session {
    /// No cookie.
    None,
    /// The cookies of an answer to a client without any.
    Given,
    /// One that names a target which is gone.
    Gone,
    /// One that names a target in plain text.
    Plain,
}

/// What has to come of a variant's requests, or its figures are those of something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// They go to several targets, and no cookie is given.
    Spread,
    /// They go to several targets, and each answer gives a cookie.
    Begin,
    /// They go to one target.
    Pinned {
        /// Whether each answer gives a cookie. The others give none.
        renewed: bool,
    },
    /// They go to a target that is there, and each answer gives a cookie.
    FailOver,
}

/// A row of the main table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    pub(crate) setup: Setup,
    pub(crate) session: Session,
    pub(crate) promise: Promise,
    pub(crate) path: &'static str,
    /// The same proxy without stickiness.
    pub(crate) without: Option<&'static str>,
}

pub(crate) const NO_FILTER: &str = "Envoy, no filter";
pub(crate) const NOOP: &str = "Envoy, wasm filter that does nothing";
pub(crate) const PRUNED_NOOP: &str = "Envoy, the same without unused callbacks";
pub(crate) const NATIVE: &str = "Envoy's cookie sessions: pinned";
pub(crate) const NATIVE_NEW: &str = "Envoy's cookie sessions: new session";
pub(crate) const LUA: &str = "Lua script: pinned";
pub(crate) const PINNED: &str = "this filter: pinned";
/// Without what the shipped configuration has besides: the removal of our headers by Envoy.
pub(crate) const ALONE: &str = "this filter: pinned, the README's ten lines alone";
pub(crate) const CALLS_ALONE: &str = "the same calls of a module that computes nothing";
pub(crate) const SDK_CALLS: &str = "the same calls through the Rust SDK, which computes nothing else";
pub(crate) const NEW: &str = "this filter: new session";
pub(crate) const HAPROXY: &str = "HAProxy, cookie insert";
pub(crate) const CADDY: &str = "Caddy, lb_policy cookie";
pub(crate) const NGINX: &str = "nginx, sticky cookie";

const GROUPS: &str = "Envoy, no filter, two target groups";
const PLAIN_HAPROXY: &str = "HAProxy, no stickiness";
const PLAIN_CADDY: &str = "Caddy, no stickiness";
const PLAIN_NGINX: &str = "nginx, no stickiness";

const fn without(name: &'static str, setup: Setup) -> Variant {
    Variant { name, setup, session: Session::None, promise: Promise::Spread, path: SMALL, without: None }
}

const fn envoy(name: &'static str, kind: Kind, session: Session, promise: Promise) -> Variant {
    Variant { name, setup: Setup::Envoy(kind), session, promise, path: SMALL, without: Some(NO_FILTER) }
}

const fn ours(name: &'static str, scenario: Scenario, session: Session, promise: Promise) -> Variant {
    envoy(name, Kind::Ours(scenario), session, promise)
}

const fn other(name: &'static str, proxy: Other, renewed: bool, without: &'static str) -> Variant {
    Variant {
        name,
        setup: Setup::Other { proxy, sticky: true },
        session: Session::Given,
        promise: Promise::Pinned { renewed },
        path: SMALL,
        without: Some(without),
    }
}

const RENEWED: Promise = Promise::Pinned { renewed: true };
const KEPT: Promise = Promise::Pinned { renewed: false };

/// In the order of the table.
pub(crate) const VARIANTS: [Variant; 26] = [
    without(NO_FILTER, Setup::Envoy(Kind::Bare)),
    envoy(PRUNED_NOOP, Kind::PrunedNoop, Session::None, Promise::Spread),
    envoy(NOOP, Kind::Noop, Session::None, Promise::Spread),
    envoy(NATIVE, Kind::Native, Session::Given, KEPT),
    envoy(NATIVE_NEW, Kind::Native, Session::None, Promise::Begin),
    envoy(LUA, Kind::Lua, Session::Plain, KEPT),
    ours(PINNED, Scenario::Pinned, Session::Given, RENEWED),
    envoy(ALONE, Kind::OursAlone, Session::Given, RENEWED),
    envoy(CALLS_ALONE, Kind::Calls(CALLS.len()), Session::Given, RENEWED),
    envoy(SDK_CALLS, Kind::SdkCalls, Session::Given, RENEWED),
    ours("this filter: pinned, renew: sliding", Scenario::PinnedSliding, Session::Given, KEPT),
    ours("this filter: pinned, renew: on_change", Scenario::PinnedOnChange, Session::Given, KEPT),
    ours("this filter: pinned, only_target_group", Scenario::PinnedOnlyTargetGroup, Session::Given, RENEWED),
    ours("this filter: pinned, only_target_group, renew: on_change", Scenario::PinnedAtLeastCost, Session::Given, KEPT),
    ours("this filter: pinned, override_host", Scenario::PinnedOverrideHost, Session::Given, RENEWED),
    ours("this filter: pinned, with policies", Scenario::PinnedWithPolicies, Session::Given, RENEWED),
    ours(NEW, Scenario::Pinned, Session::None, Promise::Begin),
    ours("this filter: failover", Scenario::Pinned, Session::Gone, Promise::FailOver),
    Variant { path: APPLICATION, ..without(GROUPS, Setup::Envoy(Kind::BareGroups)) },
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
    without(PLAIN_HAPROXY, Setup::Other { proxy: Other::Haproxy, sticky: false }),
    other(HAPROXY, Other::Haproxy, false, PLAIN_HAPROXY),
    without(PLAIN_CADDY, Setup::Other { proxy: Other::Caddy, sticky: false }),
    other(CADDY, Other::Caddy, false, PLAIN_CADDY),
    without(PLAIN_NGINX, Setup::Other { proxy: Other::Nginx, sticky: false }),
    other(NGINX, Other::Nginx, true, PLAIN_NGINX),
];
