//! The configurations that the exchanges run with.

use std::time::Duration;

/// The target groups.
pub const GROUPS: [&str; 3] = ["blue", "green", "web"];

/// The targets of every target group.
pub const TARGETS: [&str; 3] = ["10.0.0.1:8080", "10.0.0.2:8080", "[2001:db8::1]:443"];

/// The scopes that routes give. The first is that of the target groups; the last fills more than a block.
pub const SCOPES: [&str; 3] = ["", "admin", "a scope whose name is longer than a block of the content is"];

/// A configuration, and what a client can expect of it.
pub struct Case {
    pub(crate) configuration: &'static str,
    pub(crate) stickiness: Stickiness,
    /// The time for which a cookie is valid. `None` when its age does not count.
    pub(crate) duration: Option<Duration>,
    /// A rule with group stickiness covers `blue` and `green`.
    pub(crate) rule: bool,
    /// The rule leaves target groups that are empty.
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
pub const FOLLOWS_APPLICATION: Case = Case {
    configuration: r#"{"target_groups": {"*": {"stickiness": {"type": "app_cookie", "app_cookie":
        {"cookie_name": "sid", "duration_seconds": 60}}}}}"#,
    stickiness: Stickiness::AppCookie,
    duration: Some(Duration::from_mins(1)),
    rule: false,
    repicks: false,
};

/// The application-controlled policy of a Classic Load Balancer.
pub const CLASSIC_APPLICATION: Case = Case {
    configuration: r#"{"target_groups": {"*": {"stickiness": {"type": "classic_app_cookie", "classic_app_cookie":
        {"cookie_name": "sid"}}}}}"#,
    stickiness: Stickiness::ClassicAppCookie,
    duration: None,
    rule: false,
    repicks: false,
};

/// Every kind of stickiness, alone and under a rule, with AWS's cookie names and with others.
pub const CASES: [Case; 8] = [
    Case {
        configuration: "{}",
        stickiness: Stickiness::LbCookie,
        duration: Some(Duration::from_hours(24)),
        rule: false,
        repicks: false,
    },
    Case {
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
    Case {
        configuration: r#"{"target_groups": {"*": {"stickiness": {"type": "classic_lb_cookie", "classic_lb_cookie":
            {"cookie_expiration_period": 900}}}}}"#,
        stickiness: Stickiness::ClassicLbCookie,
        duration: None,
        rule: false,
        repicks: false,
    },
    Case {
        configuration: r#"{"target_groups": {"*": {"stickiness.lb_cookie.duration_seconds": 60}}, "rules": [{"target_groups":
            ["blue", "green"], "target_group_stickiness": {"duration_seconds": 60}}], "cookie": {"renew": "on_change"}}"#,
        stickiness: Stickiness::LbCookie,
        duration: Some(Duration::from_mins(1)),
        rule: true,
        repicks: false,
    },
    Case {
        configuration: r#"{"target_groups": {"*": {"stickiness.enabled": false}}, "rules": [{"target_groups": ["blue", "green"],
            "target_group_stickiness": {"duration_seconds": 60}, "on_empty_group": "repick", "cookie": {"name": "G"}}]}"#,
        stickiness: Stickiness::OfTargetGroupOnly,
        duration: Some(Duration::from_mins(1)),
        rule: true,
        repicks: true,
    },
    Case {
        configuration: r#"{"target_groups": {"*": {"stickiness": {"type": "app_cookie", "app_cookie": {"cookie_name": "sid",
            "duration_seconds": 60}}}}, "policies": {}, "rules": [{"target_groups": ["blue", "green"],
            "target_group_stickiness": {"duration_seconds": 60}}], "cookie": {"unused_shards": "always"}}"#,
        stickiness: Stickiness::AppCookie,
        duration: Some(Duration::from_mins(1)),
        rule: true,
        repicks: false,
    },
];
