//! A request and its answer, as far as a load balancer looks at them.

use crate::time::Timestamp;
use crate::wire::cookie_header::CookieHeader;
use crate::wire::user_agent::is_chromium_80;

/// A request.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The target group that it is routed to, after a pick by weight.
    pub target_group: &'a str,
    /// What its route says about stickiness.
    pub route: RouteChoice,
    /// Its cookies.
    pub cookies: CookieHeader<'a>,
    /// Its `User-Agent`, empty when there is none.
    pub user_agent: &'a [u8],
    /// Its `X-Forwarded-Proto`, empty when there is none.
    pub forwarded_proto: &'a [u8],
    /// When it came.
    pub now: Timestamp,
}

/// What a route says about stickiness.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteChoice {
    /// Whether its requests are sticky.
    pub enabled: Option<bool>,
    /// Whether they are under the rule that has their target group.
    pub rule: Option<bool>,
    /// The name of a policy, instead of the target group's own.
    pub policy: Option<String>,
}

/// What has to be known of a client until its request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// Whether its browser is a Chromium of version 80 or newer.
    pub is_chromium_80: bool,
    /// Whether it came over HTTPS, by what `X-Forwarded-Proto` says.
    pub forwarded_https: Option<bool>,
}

impl Client {
    /// The client that sent this request. Its browser matters where stickiness follows an application.
    #[must_use]
    pub fn of(request: &Request<'_>, follows_applications: bool) -> Self {
        let forwarded_https = match request.forwarded_proto {
            b"https" => Some(true),
            b"http" => Some(false),
            _ => None,
        };
        let is_chromium_80 = follows_applications && is_chromium_80(request.user_agent);
        Self { is_chromium_80, forwarded_https }
    }
}

/// Who answered a request.
#[derive(Clone, Copy)]
pub enum Answer<'a> {
    /// A target.
    Target(TargetAnswer<'a>),
    /// Envoy itself, because no target is healthy.
    NoHealthyTarget {
        /// The target group that has none.
        target_group: &'a str,
        /// When.
        now: Timestamp,
    },
    /// Envoy itself, for another reason.
    Envoy,
}

/// A target's answer.
#[derive(Clone, Copy)]
pub struct TargetAnswer<'a> {
    /// The target group that answered.
    pub target_group: &'a str,
    /// The target that answered.
    pub target: &'a str,
    /// The values of its `Set-Cookie` headers; needed where stickiness follows the application.
    pub set_cookies: &'a [&'a [u8]],
    /// Whether the client's connection to the listener is encrypted; asked only where a cookie shows it.
    pub over_https: &'a dyn Fn() -> bool,
    /// When it answered.
    pub now: Timestamp,
}
