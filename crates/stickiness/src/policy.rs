//! The types of policies and rules: what a configuration says when it has been read and checked.

use std::rc::Rc;
use std::time::Duration;

/// The requests that browsers add a cookie to (RFC 6265bis §5.6.7).
pub use cookie::SameSite;

use crate::cookies::names::{CookieNames, Pair};
use crate::trust::scope::Scope;
use crate::wire::cookie_header::{CookieName, Use};

/// The longest duration of a stickiness in seconds, of targets and of target groups: "The range is 1 second to 1 week (604800
/// seconds)." (AWS, "Target groups for your Application Load Balancers", section "Target group attributes")
pub const MAX_DURATION_SECONDS: u32 = 604_800;

/// [`MAX_DURATION_SECONDS`] as a duration.
pub const MAX_DURATION: Duration = Duration::from_secs(MAX_DURATION_SECONDS as u64);

/// The stickiness of the targets of a target group, and the attributes of its cookies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The type of stickiness.
    pub stickiness: Stickiness,
    /// The attributes of the cookies. Lines that were made for one client may be given to another if both follow the same `Rc`.
    pub cookie: Rc<CookieOptions>,
    /// The scope of its bindings: empty for the policy of a target group, otherwise the name of the policy or the scope that the
    /// operator gave it.
    pub scope: Scope,
    names: CookieNames,
}

impl Policy {
    /// A policy of a target group: this type of stickiness, with these attributes of its cookies.
    #[must_use]
    pub fn new(stickiness: Stickiness, cookie: CookieOptions) -> Self {
        let names = CookieNames::new(cookie.name.as_deref(), stickiness.application());
        Self { stickiness, cookie: Rc::new(cookie), scope: Scope::default(), names }
    }

    /// The same policy, whose bindings have this scope.
    #[must_use]
    pub fn in_scope(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// The names of the policy's cookies.
    pub(crate) const fn names(&self) -> &CookieNames {
        &self.names
    }

    /// The cookies that the policy reads.
    pub(crate) fn wanted(&self) -> impl Iterator<Item = (&CookieName, Use)> {
        self.names.wanted(&self.stickiness)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::new(Stickiness::default(), CookieOptions::default())
    }
}

/// A type of stickiness, with its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stickiness {
    /// Duration-based: the load balancer's own cookie.
    LbCookie {
        /// The time after which the session of a client that stays away ends: 1 second to [`MAX_DURATION`].
        duration: Duration,
    },
    /// Application-based: follows a cookie of the application.
    AppCookie {
        /// The name of the application's cookie.
        cookie_name: String,
        /// The time after which the session of a client that stays away ends: 1 second to [`MAX_DURATION`].
        duration: Duration,
    },
    /// The duration-based policy of a Classic Load Balancer: the cookie is given once, and its age is never judged.
    ClassicLbCookie {
        /// The time for which browsers keep the cookie; `None` if they keep it until they are closed.
        expiration_period: Option<Duration>,
    },
    /// The application-controlled policy of a Classic Load Balancer: the cookie lasts as long as a cookie of the application.
    ClassicAppCookie {
        /// The name of the application's cookie.
        cookie_name: String,
    },
}

impl Stickiness {
    /// The default of AWS's `stickiness.lb_cookie.duration_seconds`: "The default value is 1 day (86400 seconds)." (AWS, "Target
    /// groups for your Application Load Balancers", section "Target group attributes")
    pub const DEFAULT_DURATION: Duration = Duration::from_hours(24);

    /// Returns true if it follows a cookie of the application.
    #[must_use]
    pub const fn follows_application(&self) -> bool {
        self.application().is_some()
    }

    /// The name of the application's cookie that it follows.
    #[must_use]
    pub const fn application(&self) -> Option<&str> {
        match self {
            Self::AppCookie { cookie_name, .. } | Self::ClassicAppCookie { cookie_name } => Some(cookie_name.as_str()),
            Self::LbCookie { .. } | Self::ClassicLbCookie { .. } => None,
        }
    }

    /// Returns true if it is a policy of a Classic Load Balancer.
    #[must_use]
    pub const fn is_classic(&self) -> bool {
        matches!(self, Self::ClassicLbCookie { .. } | Self::ClassicAppCookie { .. })
    }
}

impl Default for Stickiness {
    /// AWS's default: the load balancer's own cookie, for a day.
    fn default() -> Self {
        Self::LbCookie { duration: Self::DEFAULT_DURATION }
    }
}

/// A forward to several target groups. The weights of the proxy's route choose between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its target groups, 1 to 5.
    pub target_groups: Vec<String>,
    /// The time for which a client that stays away keeps its target group, 1 second to [`MAX_DURATION`]; `None` when the weights
    /// choose for every request.
    pub stickiness: Option<Duration>,
    /// The fate of sessions whose target group has no healthy target.
    pub on_empty_group: OnEmptyGroup,
    /// The attributes of the target-group cookies, as [`Policy::cookie`].
    pub cookie: Rc<CookieOptions>,
    /// The names of the target-group cookies.
    pub(crate) names: Pair,
}

impl Rule {
    /// A rule with these target groups, stickiness, and attributes of its cookies.
    #[must_use]
    pub fn new(
        target_groups: Vec<String>,
        stickiness: Option<Duration>,
        on_empty_group: OnEmptyGroup,
        cookie: CookieOptions,
    ) -> Self {
        let names = Pair::of_target_group(cookie.name.as_deref());
        Self { target_groups, stickiness, on_empty_group, cookie: Rc::new(cookie), names }
    }
}

/// The fate of sessions whose target group has no healthy target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OnEmptyGroup {
    /// Their requests are answered with 503 until a target is healthy or the stickiness ends, as at AWS.
    #[default]
    Fail,
    /// They continue in another target group of the rule.
    Repick {
        /// The path of the request that finds out whether a target group has a healthy target.
        probe_path: String,
    },
}

/// The attributes of cookies, and when they are given.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own, as the operator knows it")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieOptions {
    /// The base of the names, in place of `AWSALB` and `AWSELB`.
    pub name: Option<String>,
    /// The time that `Expires` shows.
    pub expires: Expires,
    /// The use of `Max-Age`: beside `Expires`, in its place, or none.
    pub max_age: MaxAge,
    /// `Domain`.
    pub domain: Option<String>,
    /// `Path`.
    pub path: String,
    /// When `Secure` is written.
    pub secure: Secure,
    /// True if `https` in `x-forwarded-proto` is believed.
    pub trust_x_forwarded_proto: bool,
    /// True if `HttpOnly` is written.
    pub http_only: bool,
    /// `SameSite` of every cookie except the twins. Theirs is always `None`.
    pub same_site: Option<SameSite>,
    /// True if `Partitioned` is written on cookies with `Secure`.
    pub partitioned: bool,
    /// True if each cookie has a twin for cross-site requests.
    pub twin: bool,
    /// When the unused shards of an application-based cookie are withdrawn.
    pub unused_shards: UnusedShards,
    /// When a client whose session continues is given a new cookie.
    pub renew: Renew,
}

impl Default for CookieOptions {
    /// AWS's cookies, except that `Expires` shows the end of the stickiness and that unused shards are not always withdrawn.
    fn default() -> Self {
        Self {
            name: None,
            expires: Expires::default(),
            max_age: MaxAge::default(),
            domain: None,
            path: "/".to_owned(),
            secure: Secure::default(),
            trust_x_forwarded_proto: false,
            http_only: false,
            same_site: None,
            partitioned: false,
            twin: true,
            unused_shards: UnusedShards::default(),
            renew: Renew::default(),
        }
    }
}

/// The time that a cookie's `Expires` shows. The load balancer does not read it: it judges by the time in the sealed value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expires {
    /// The end of the stickiness.
    #[default]
    Duration,
    /// Seven days from now, as AWS's own cookies: "The load balancer generated cookie has its own expiry of 7 days" (AWS, "Edit
    /// target group attributes for your Application Load Balancer", section "Sticky sessions").
    SevenDays,
    /// No time: the cookie lasts until the browser is closed.
    Session,
}

/// The use of `Max-Age`, which shows the same time as [`Expires`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MaxAge {
    /// Never: "Application Load Balancers use the Expires attribute in the cookie header instead of the Max-Age attribute." (AWS,
    /// "Edit target group attributes for your Application Load Balancer", section "Sticky sessions")
    #[default]
    None,
    /// Beside `Expires`.
    Beside,
    /// Instead of `Expires`.
    Instead,
}

/// When a cookie is `Secure`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Secure {
    /// With `SameSite=None` over HTTPS, as at AWS.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// When the unused shards of an application-based cookie are withdrawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnusedShards {
    /// When the client sends them.
    #[default]
    WhenSent,
    /// With every answer, as AWS.
    Always,
}

/// When a client whose session continues is given a new cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Renew {
    /// With every answer, as AWS: "the Application Load Balancer resets the expiry of the cookies it generates after every
    /// request" (AWS, "Edit target group attributes for your Application Load Balancer", section "Sticky sessions").
    #[default]
    Always,
    /// With the first answer after this share of the duration, in percent: 1 to 99.
    Sliding {
        /// The share in percent.
        after_percent: u8,
    },
    /// When another target answers. The session then ends when the duration has passed, even if it is used.
    OnChange,
}
