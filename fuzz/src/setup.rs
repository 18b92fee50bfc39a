//! The configurations under which requests are exchanged.

use std::time::Duration;

/// A configuration, and what is to be expected of it.
pub struct Setup {
    pub(crate) configuration: &'static str,
    pub(crate) stickiness: Stickiness,
    /// For how long a cookie is good; `None` when nobody judges its age.
    pub(crate) duration: Option<Duration>,
    /// Whether `blue` and `green` are under a rule that keeps clients.
    pub(crate) rule: bool,
    /// Whether that rule leaves target groups that are empty.
    pub(crate) repicks: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stickiness {
    OfTargetGroupOnly,
    LbCookie,
    AppCookie,
    ClassicLbCookie,
    ClassicAppCookie,
}

/// Application-based stickiness.
pub const FOLLOWS_APPLICATION: Setup = Setup {
    configuration: r#"{"target_groups": {"*": {"stickiness": {"type": "app_cookie", "app_cookie":
        {"cookie_name": "sid", "duration_seconds": 60}}}}}"#,
    stickiness: Stickiness::AppCookie,
    duration: Some(Duration::from_mins(1)),
    rule: false,
    repicks: false,
};

/// The application-controlled policy of a Classic Load Balancer.
pub const CLASSIC_APPLICATION: Setup = Setup {
    configuration: r#"{"target_groups": {"*": {"stickiness": {"type": "classic_app_cookie", "classic_app_cookie":
        {"cookie_name": "sid"}}}}}"#,
    stickiness: Stickiness::ClassicAppCookie,
    duration: None,
    rule: false,
    repicks: false,
};

/// Every kind of stickiness, alone and under a rule, with cookies that look like AWS's and with others.
pub const SETUPS: [Setup; 8] = [
    Setup {
        configuration: "{}",
        stickiness: Stickiness::LbCookie,
        duration: Some(Duration::from_hours(24)),
        rule: false,
        repicks: false,
    },
    Setup {
        configuration: r#"{"target_groups": {"*": {"stickiness.lb_cookie.duration_seconds": 60}}, "cookie": {"name": "__Secure-lb",
            "renew": "sliding", "max_age": "beside", "http_only": true, "domain": "example.com", "secure": "always",
            "same_site": "lax", "partitioned": true, "twin": false}}"#,
        stickiness: Stickiness::LbCookie,
        duration: Some(Duration::from_mins(1)),
        rule: false,
        repicks: false,
    },
    FOLLOWS_APPLICATION,
    CLASSIC_APPLICATION,
    Setup {
        configuration: r#"{"target_groups": {"*": {"stickiness": {"type": "classic_lb_cookie", "classic_lb_cookie":
            {"cookie_expiration_period": 900}}}}}"#,
        stickiness: Stickiness::ClassicLbCookie,
        duration: None,
        rule: false,
        repicks: false,
    },
    Setup {
        configuration: r#"{"target_groups": {"*": {"stickiness.lb_cookie.duration_seconds": 60}}, "rules": [{"target_groups":
            ["blue", "green"], "target_group_stickiness": {"duration_seconds": 60}}], "cookie": {"renew": "on_change"}}"#,
        stickiness: Stickiness::LbCookie,
        duration: Some(Duration::from_mins(1)),
        rule: true,
        repicks: false,
    },
    Setup {
        configuration: r#"{"target_groups": {"*": {"stickiness.enabled": false}}, "rules": [{"target_groups": ["blue", "green"],
            "target_group_stickiness": {"duration_seconds": 60}, "on_empty_group": "repick", "cookie": {"name": "G"}}]}"#,
        stickiness: Stickiness::OfTargetGroupOnly,
        duration: Some(Duration::from_mins(1)),
        rule: true,
        repicks: true,
    },
    Setup {
        configuration: r#"{"target_groups": {"*": {"stickiness": {"type": "app_cookie", "app_cookie": {"cookie_name": "sid",
            "duration_seconds": 60}}}}, "policies": {}, "rules": [{"target_groups": ["blue", "green"],
            "target_group_stickiness": {"duration_seconds": 60}}], "cookie": {"unused_shards": "always"}}"#,
        stickiness: Stickiness::AppCookie,
        duration: Some(Duration::from_mins(1)),
        rule: true,
        repicks: false,
    },
];
