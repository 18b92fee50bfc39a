//! What the operator asked for, checked and ready for use.

use std::time::Duration;

/// How the targets of a target group are sticky, and what its cookies look like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// How.
    pub stickiness: Stickiness,
    /// What the cookies look like.
    pub cookie: CookieOptions,
}

/// How the targets of a target group are sticky.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stickiness {
    /// Duration-based: the load balancer's own cookie.
    LbCookie {
        /// How long a client may stay away before its session ends: 1 second to 7 days.
        duration: Duration,
    },
    /// Application-based: follows a cookie of the application.
    AppCookie {
        /// The name of the application's cookie.
        cookie_name: String,
        /// How long a client may stay away before its session ends: 1 second to 7 days.
        duration: Duration,
    },
    /// The duration-based policy of a Classic Load Balancer: given once, and never judged by its age.
    ClassicLbCookie {
        /// How long browsers keep the cookie; `None` for as long as the browser runs.
        expiration_period: Option<Duration>,
    },
    /// The application-controlled policy of a Classic Load Balancer: lives as long as a cookie of the application.
    ClassicAppCookie {
        /// The name of the application's cookie.
        cookie_name: String,
    },
}

impl Stickiness {
    /// `stickiness.lb_cookie.duration_seconds` of AWS: "The default value is 1 day (86400 seconds)."
    pub const DEFAULT_DURATION: Duration = Duration::from_hours(24);

    /// Whether it follows a cookie of the application.
    #[must_use]
    pub const fn follows_application(&self) -> bool {
        matches!(self, Self::AppCookie { .. } | Self::ClassicAppCookie { .. })
    }

    /// Whether it is that of a Classic Load Balancer.
    #[must_use]
    pub const fn is_classic(&self) -> bool {
        matches!(self, Self::ClassicLbCookie { .. } | Self::ClassicAppCookie { .. })
    }
}

impl Default for Stickiness {
    /// AWS's default: the load balancer's cookie, for a day.
    fn default() -> Self {
        Self::LbCookie { duration: Self::DEFAULT_DURATION }
    }
}

/// A forward to several target groups, between which the weights of Envoy's route decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its target groups, 1 to 5.
    pub target_groups: Vec<String>,
    /// How long a client that stays away keeps its target group, 1 second to 7 days; `None` when the weights decide
    /// about every request.
    pub stickiness: Option<Duration>,
    /// What happens to the sessions of a target group without a healthy target.
    pub on_empty_group: OnEmptyGroup,
    /// What the target group's cookies look like.
    pub cookie: CookieOptions,
}

/// What happens to the sessions of a target group that has no healthy target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OnEmptyGroup {
    /// They get 503 until a target is healthy or the stickiness ends, as at AWS.
    #[default]
    Fail,
    /// They go to another target group of the rule.
    Repick {
        /// The path under which a target group is asked whether it has a healthy target.
        probe_path: String,
    },
}

/// What cookies look like, and when they are given.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own, as the operator knows it")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieOptions {
    /// What stands in the names instead of `AWSALB` and `AWSELB`.
    pub name: Option<String>,
    /// What `Expires` shows.
    pub expires: Expires,
    /// Where `Max-Age` stands.
    pub max_age: MaxAge,
    /// `Domain`.
    pub domain: Option<String>,
    /// `Path`.
    pub path: String,
    /// When `Secure` is there.
    pub secure: Secure,
    /// Whether `https` in `x-forwarded-proto` is believed.
    pub trust_x_forwarded_proto: bool,
    /// Whether `HttpOnly` is there.
    pub http_only: bool,
    /// `SameSite` of every cookie but the twins, whose is always `None`.
    pub same_site: Option<SameSite>,
    /// Whether `Partitioned` is there, where `Secure` is.
    pub partitioned: bool,
    /// Whether each cookie has a twin for cross-site requests.
    pub twin: bool,
    /// When the parts of an application-based cookie that are not in use are withdrawn.
    pub unused_shards: UnusedShards,
    /// When a session that goes on gets a new cookie.
    pub renew: Renew,
}

impl Default for CookieOptions {
    /// AWS's cookies, but for what `Expires` shows and for unused shards.
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

/// What a cookie's `Expires` shows. The load balancer judges by the time sealed inside, whatever it shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expires {
    /// The end of the stickiness.
    #[default]
    Duration,
    /// Seven days from now, as AWS's own cookies: "The load balancer generated cookie has its own expiry of 7 days".
    SevenDays,
    /// Nothing: the cookie lasts as long as the browser runs.
    Session,
}

/// Where a cookie's `Max-Age` stands, which shows the same as [`Expires`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MaxAge {
    /// Nowhere: "Application Load Balancers use the Expires attribute in the cookie header instead of the Max-Age
    /// attribute."
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
    /// As at AWS: with `SameSite=None`, over HTTPS.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// To which requests browsers add a cookie (RFC 6265bis §5.6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SameSite {
    /// Those from the same site.
    Strict,
    /// Those and following a link to it.
    Lax,
    /// All.
    None,
}

/// When the parts of an application-based cookie that are not in use are withdrawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnusedShards {
    /// When the client has one.
    #[default]
    WhenSent,
    /// With every answer, as AWS.
    Always,
}

/// When a session that goes on gets a new cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Renew {
    /// With every answer, as AWS: "the Application Load Balancer resets the expiry of the cookies it generates after
    /// every request".
    #[default]
    Always,
    /// With the first answer after this share of the duration, in percent: 1 to 99.
    Sliding {
        /// The share.
        after_percent: u8,
    },
    /// When another target answers. The session then ends once the duration has passed, used or not.
    OnChange,
}
