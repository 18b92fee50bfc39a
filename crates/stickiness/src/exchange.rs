//! A request and its answer, as far as the load balancer looks at them.

use std::borrow::Cow;

use crate::time::Timestamp;
use crate::trust::scope::Scope;
use crate::wire::cookie_header::CookieHeader;
use crate::wire::user_agent::is_chromium_80;

/// A request.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The target group that the request is routed to. If its route has weights, they have chosen it.
    pub target_group: &'a str,
    /// The settings of its route.
    pub route: RouteChoice,
    /// Its cookies.
    pub cookies: CookieHeader<'a>,
    /// Its `User-Agent`; empty when there is none.
    pub user_agent: &'a [u8],
    /// Its first `X-Forwarded-Proto`; empty when there is none.
    pub forwarded_proto: &'a [u8],
    /// The time at which it came.
    pub now: Timestamp,
}

/// The settings of a route about stickiness.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteChoice {
    /// True if its requests are sticky.
    pub enabled: Option<bool>,
    /// True if its requests are under the rule of their target group.
    pub rule: Option<bool>,
    /// The name of a policy that replaces the target group's own.
    pub policy: Option<String>,
    /// The scope of its bindings, in place of that of the policy.
    pub scope: Option<Scope>,
}

/// The facts about a client that its answer depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientFacts {
    /// True if its browser is a Chromium of version 80 or newer.
    pub(crate) is_chromium_80: bool,
    /// True if it came over HTTPS, according to `X-Forwarded-Proto`.
    pub(crate) forwarded_https: Option<bool>,
}

impl ClientFacts {
    /// The facts about the client that sent this request. Its browser matters only if a policy follows an application.
    pub(crate) fn new(request: &Request<'_>, follows_applications: bool) -> Self {
        let scheme = first_scheme(request.forwarded_proto);
        let forwarded_https = match (scheme.eq_ignore_ascii_case(b"https"), scheme.eq_ignore_ascii_case(b"http")) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        };
        let is_chromium_80 = follows_applications && is_chromium_80(request.user_agent);
        Self { is_chromium_80, forwarded_https }
    }
}

/// The scheme that a client came by, according to an `X-Forwarded-Proto`; empty when it tells none.
///
/// Each proxy of a row may add its own scheme at the end, so the first one is that of the client: `https,http`. A list may
/// have empty entries (RFC 9110 §5.6.1.2).
fn first_scheme(forwarded_proto: &[u8]) -> &[u8] {
    let read = forwarded_proto.get(..MAX_FORWARDED_PROTO).unwrap_or(forwarded_proto);
    let mut entries = read.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    entries.find(|entry| !entry.is_empty()).unwrap_or_default()
}

/// The most bytes of `X-Forwarded-Proto` that are read. The first scheme has five, and a client may send sixty thousand.
const MAX_FORWARDED_PROTO: usize = 128;

/// The sender of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnsweredBy<'a> {
    /// A target.
    Target {
        /// Its target group.
        target_group: Cow<'a, str>,
        /// Its address.
        target: Cow<'a, str>,
    },
    /// The load balancer, because it found no healthy target of this target group for the request. Other requests may find one:
    /// the route may lead to a subset of the targets, or the pin may be strict.
    NoHealthyTarget {
        /// The target group.
        target_group: Cow<'a, str>,
    },
    /// The load balancer, for another reason. This includes a request without an answer.
    LoadBalancer,
}

/// The answer to a request.
#[derive(Clone)]
pub struct Answer<'a> {
    /// Its sender.
    pub by: AnsweredBy<'a>,
    /// The time at which it came.
    pub now: Timestamp,
    /// Returns the values of its `Set-Cookie` headers. It is called only if the policy follows a cookie of the application.
    pub set_cookies: &'a dyn Fn() -> Vec<Vec<u8>>,
    /// Tells whether the client's connection to the listener is encrypted. It is called only if a cookie depends on it.
    pub over_https: &'a dyn Fn() -> bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_scheme_of_x_forwarded_proto_is_that_of_the_client() {
        for (forwarded_proto, https) in [
            ("https", Some(true)),
            ("http", Some(false)),
            ("HTTPS", Some(true)),
            ("Https", Some(true)),
            ("HTTP", Some(false)),
            ("https,http", Some(true)),
            ("https, http", Some(true)),
            ("https,https", Some(true)),
            ("http,https", Some(false)),
            ("http, http", Some(false)),
            (" https\t,http", Some(true)),
            (",, https", Some(true)),
            ("", None),
            (",", None),
            ("wss", None),
            ("wss,https", None),
            ("https:", None),
            ("\"https\"", None),
        ] {
            let request = Request {
                target_group: "web",
                route: RouteChoice::default(),
                cookies: CookieHeader::default(),
                user_agent: b"",
                forwarded_proto: forwarded_proto.as_bytes(),
                now: Timestamp::from_millis(0),
            };
            assert_eq!(ClientFacts::new(&request, false).forwarded_https, https, "{forwarded_proto:?}");
        }
    }
}
