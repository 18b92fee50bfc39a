use super::*;

const HOST: &str = "with a Domain";

fn cookie(json: &str, target_group: &str) -> CookieOptions {
    parse(json).policy(target_group).unwrap().cookie.as_ref().clone()
}

fn warnings(json: &str) -> Vec<String> {
    Config::parse(json.as_bytes()).unwrap().warnings
}

/// Asserts that these options are refused with this message wherever options may stand.
#[track_caller]
fn refused_everywhere(options: &str, key: &str, problem: &str) {
    refused(&format!(r#"{{"cookie": {options}}}"#), &format!("cookie.{key}: {problem}"));
    refused(
        &format!(r#"{{"target_groups": {{"web": {{"cookie": {options}}}}}}}"#),
        &format!("target_groups.web.cookie.{key}: {problem}"),
    );
    refused(
        &format!(r#"{{"policies": {{"long": {{"cookie": {options}}}}}}}"#),
        &format!("policies.long.cookie.{key}: {problem}"),
    );
    refused(
        &format!(r#"{{"rules": [{{"target_groups": ["web"], "cookie": {options}}}]}}"#),
        &format!("rules[0].cookie.{key}: {problem}"),
    );
}

#[test]
fn without_options_cookies_are_awss() {
    assert_eq!(cookie("{}", "web"), CookieOptions::default());
    assert_eq!(cookie(r#"{"target_groups": {"*": {"cookie": {}}}}"#, "web"), CookieOptions::default());
}

#[test]
fn every_option_is_read() {
    let json = r#"{"cookie": {"name": "lb", "expires": "seven_days", "max_age": "beside", "domain": ".example.com",
        "path": "/app", "secure": "always", "trust_x_forwarded_proto": true, "http_only": true, "same_site": "lax",
        "partitioned": true, "twin": false, "unused_shards": "always",
        "renew": "sliding", "renew_after_percent": 99}}"#;
    let all = CookieOptions {
        name: Some("lb".to_owned()),
        expires: Expires::SevenDays,
        max_age: MaxAge::Beside,
        domain: Some(".example.com".to_owned()),
        path: "/app".to_owned(),
        secure: Secure::Always,
        trust_x_forwarded_proto: true,
        http_only: true,
        same_site: Some(SameSite::Lax),
        partitioned: true,
        twin: false,
        unused_shards: UnusedShards::Always,
        renew: Renew::Sliding { after_percent: 99 },
    };
    assert_eq!(cookie(json, "web"), all);
    let in_struct = Config::parse(&as_struct(json)).unwrap().config;
    assert_eq!(*in_struct.policy("web").unwrap().cookie, all);
}

#[test]
fn the_other_words_are_read() {
    let json = r#"{"cookie.max_age": "instead", "cookie.secure": "never", "cookie.same_site": "strict",
        "cookie.twin": "false", "cookie.renew": "on_change"}"#;
    let options = CookieOptions {
        max_age: MaxAge::Instead,
        secure: Secure::Never,
        same_site: Some(SameSite::Strict),
        twin: false,
        renew: Renew::OnChange,
        ..CookieOptions::default()
    };
    assert_eq!(cookie(json, "web"), options);
}

#[test]
fn a_target_group_overrides_field_by_field() {
    let json = r#"{"cookie": {"name": "lb", "http_only": true, "expires": "session"},
        "target_groups": {"*": {}, "web": {"cookie": {"http_only": false, "path": "/web"}, "cookie.twin": false}}}"#;
    let inherited = CookieOptions {
        name: Some("lb".to_owned()),
        http_only: true,
        expires: Expires::Session,
        ..CookieOptions::default()
    };
    assert_eq!(cookie(json, "other"), inherited);
    let overridden = CookieOptions { http_only: false, path: "/web".to_owned(), twin: false, ..inherited };
    assert_eq!(cookie(json, "web"), overridden);
}

#[test]
fn a_rule_overrides_field_by_field_too() {
    let config = parse(
        r#"{"cookie": {"name": "lb", "http_only": true},
            "rules": [{"target_groups": ["web"], "cookie.same_site": "lax"}]}"#,
    );
    let options = CookieOptions {
        name: Some("lb".to_owned()),
        http_only: true,
        same_site: Some(SameSite::Lax),
        ..CookieOptions::default()
    };
    assert_eq!(*config.rules()[0].cookie, options);
}

#[test]
fn the_share_of_a_sliding_renewal_is_half_unless_it_is_given_or_inherited() {
    let renew = |global: &str, own: &str| {
        let json = format!(r#"{{"cookie": {{{global}}}, "target_groups": {{"web": {{"cookie": {{{own}}}}}}}}}"#);
        cookie(&json, "web").renew
    };
    let sliding = |after_percent| Renew::Sliding { after_percent };
    let twenty = r#""renew": "sliding", "renew_after_percent": "20""#;
    assert_eq!(renew("", r#""renew": "sliding""#), sliding(50));
    assert_eq!(renew(twenty, ""), sliding(20));
    assert_eq!(renew(twenty, r#""renew": "sliding""#), sliding(20));
    assert_eq!(renew(twenty, r#""renew_after_percent": 30"#), sliding(30));
    assert_eq!(renew(twenty, r#""renew": "always""#), Renew::Always);
}

#[test]
fn a_share_that_is_nothing_or_all_is_refused() {
    for share in ["0", "100"] {
        refused_everywhere(
            &format!(r#"{{"renew": "sliding", "renew_after_percent": {share}}}"#),
            "renew_after_percent",
            &format!("{share} is not between 1 and 99"),
        );
    }
}

#[test]
fn a_share_without_sliding_renewal_is_refused() {
    let problem = "has no meaning without renew sliding";
    refused_everywhere(r#"{"renew_after_percent": 50}"#, "renew_after_percent", problem);
    refused_everywhere(r#"{"renew": "on_change", "renew_after_percent": 50}"#, "renew_after_percent", problem);
}

#[test]
fn an_unknown_option_is_refused_with_the_near_miss() {
    refused_everywhere(
        r#"{"httponly": true}"#,
        "httponly",
        "there is no such key; allowed here: name, expires, max_age, domain, path, secure, trust_x_forwarded_proto, \
         http_only, same_site, partitioned, twin, unused_shards, renew, renew_after_percent; did you mean http_only?",
    );
    refused_everywhere(
        r#"{"secure": "alway"}"#,
        "secure",
        "\"alway\" is not one of auto, always, never; did you mean always?",
    );
    refused_everywhere(
        r#"{"renew": "slide"}"#,
        "renew",
        "\"slide\" is not one of always, sliding, on_change; did you mean sliding?",
    );
}

#[test]
fn a_name_that_cookies_cannot_be_built_from_is_refused() {
    refused_everywhere(r#"{"name": ""}"#, "name", "\"\" is not a cookie's name: it is empty");
    refused_everywhere(
        r#"{"name": "my lb"}"#,
        "name",
        "\"my lb\" is not a cookie's name: letters, digits and !#$%&'*+-.^_`|~",
    );
    refused_everywhere(
        &format!(r#"{{"name": "{}"}}"#, "x".repeat(65)),
        "name",
        &format!(
            "\"{}…\" is not a name to build the names of cookies from: it is longer than 64 bytes",
            "x".repeat(60)
        ),
    );
    for name in ["x", "AWSALB", "AWSALBX", "lb.1", &"x".repeat(64)] {
        assert_eq!(cookie(&format!(r#"{{"cookie.name": "{name}"}}"#), "web").name.as_deref(), Some(name));
    }
}

#[test]
fn a_text_that_is_no_domain_is_refused() {
    for domain in ["", ".", "..example.com", "a..b", "example.com.", "https://example.com", "a b", "a;b", "münchen.de"]
    {
        refused_everywhere(
            &format!(r#"{{"domain": "{domain}"}}"#),
            "domain",
            &format!("{domain:?} is not a domain: letters, digits and hyphens between dots, at most 253 bytes"),
        );
    }
    let label = "x".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", "x".repeat(61));
    for domain in ["localhost", "example.com", ".example.com", "xn--mnchen-3ya.de", &longest, &format!(".{longest}")] {
        assert_eq!(cookie(&format!(r#"{{"cookie.domain": "{domain}"}}"#), "web").domain.as_deref(), Some(domain));
    }
    let error = Config::parse(format!(r#"{{"cookie.domain": "x{longest}"}}"#).as_bytes()).unwrap_err().to_string();
    assert!(error.ends_with("at most 253 bytes"), "{error}");
}

#[test]
fn a_text_that_is_no_path_is_refused() {
    for path in ["", "app", "/a b", "/a;b", "/a,b", "/ä"] {
        refused_everywhere(
            &format!(r#"{{"path": "{path}"}}"#),
            "path",
            &format!(
                "{path:?} is not a path: / at the start, then printable ASCII without spaces, commas and semicolons, \
                 at most 1024 bytes"
            ),
        );
    }
    let longest = format!("/{}", "x".repeat(1023));
    for path in ["/", "/app/", "/a%20b?=~", &longest] {
        assert_eq!(cookie(&format!(r#"{{"cookie.path": "{path}"}}"#), "web").path, path);
    }
    let error = Config::parse(format!(r#"{{"cookie.path": "{longest}x"}}"#).as_bytes()).unwrap_err().to_string();
    assert!(error.ends_with("at most 1024 bytes"), "{error}");
}

#[test]
fn same_site_none_that_is_never_secure_is_refused() {
    let problem = "same_site none with secure never: browsers refuse SameSite=None without Secure";
    refused_everywhere(r#"{"same_site": "none", "secure": "never"}"#, "same_site", problem);
}

#[test]
fn partitioned_that_is_never_secure_is_refused() {
    let problem = "partitioned with secure never: browsers refuse Partitioned without Secure";
    refused_everywhere(r#"{"partitioned": true, "secure": "never"}"#, "partitioned", problem);
}

#[test]
fn max_age_of_a_cookie_of_the_browser_session_is_refused() {
    let problem = "expires session with max_age: a cookie that lasts as long as the browser runs has no Max-Age";
    for max_age in ["beside", "instead"] {
        refused_everywhere(&format!(r#"{{"max_age": "{max_age}", "expires": "session"}}"#), "max_age", problem);
    }
}

#[test]
fn options_that_go_together_only_globally_are_refused_where_one_is_overridden() {
    refused(
        r#"{"cookie": {"same_site": "none", "secure": "always"},
            "target_groups": {"web": {"cookie.secure": "never"}}}"#,
        "target_groups.web.cookie.secure: same_site none with secure never: browsers refuse SameSite=None without \
         Secure",
    );
    refused(
        r#"{"cookie": {"max_age": "beside"}, "target_groups": {"web": {"cookie.expires": "session"}}}"#,
        "target_groups.web.cookie.expires: expires session with max_age: a cookie that lasts as long as the browser \
         runs has no Max-Age",
    );
    refused(
        r#"{"cookie": {"name": "__Host-lb", "secure": "always"},
            "target_groups": {"web": {"cookie.domain": "example.com"}}}"#,
        &format!("target_groups.web.cookie.domain: browsers refuse a name that starts with __Host- {HOST}"),
    );
}

#[test]
fn a_prefix_of_a_name_that_browsers_take_only_with_other_attributes_is_refused() {
    let (secure, http_only) = ("without Secure; set secure to always", "without HttpOnly; set http_only to true");
    let path = "with another Path than /";
    for (prefix, options, why) in [
        ("__Secure-", "", secure),
        ("__Secure-", r#", "secure": "auto""#, secure),
        ("__Host-", "", secure),
        ("__Host-", r#", "secure": "always", "domain": "example.com""#, HOST),
        ("__Host-", r#", "secure": "always", "path": "/app""#, path),
        ("__Http-", r#", "http_only": true"#, secure),
        ("__Http-", r#", "secure": "always""#, http_only),
        ("__Host-Http-", r#", "secure": "always""#, http_only),
        ("__Host-Http-", r#", "secure": "always", "http_only": true, "domain": "example.com""#, HOST),
        ("__Host-Http-", r#", "secure": "always", "http_only": true, "path": "/app""#, path),
    ] {
        let problem = format!("browsers refuse a name that starts with {prefix} {why}");
        refused_everywhere(&format!(r#"{{"name": "{prefix}lb"{options}}}"#), "name", &problem);
        refused_everywhere(&format!(r#"{{"name": "{}lb"{options}}}"#, prefix.to_ascii_lowercase()), "name", &problem);
    }
}

#[test]
fn a_prefix_of_a_name_with_the_attributes_that_browsers_want_is_taken() {
    for options in [
        r#""name": "__Secure-lb", "secure": "always", "domain": "example.com", "path": "/app""#,
        r#""name": "__Host-lb", "secure": "always""#,
        r#""name": "__Http-lb", "secure": "always", "http_only": true, "domain": "example.com""#,
        r#""name": "__Host-Http-lb", "secure": "always", "http_only": true"#,
        r#""name": "Host-lb", "domain": "example.com""#,
    ] {
        assert_eq!(warnings(&format!(r#"{{"cookie": {{{options}}}}}"#)), [""; 0], "{options}");
    }
}

#[test]
fn a_twin_that_is_never_secure_is_warned_of() {
    let why = "secure never with a twin: browsers refuse the twin, which is SameSite=None without Secure; set twin to \
               false (app_cookie has none)";
    assert_eq!(warnings(r#"{"cookie": {"secure": "never"}}"#), [format!("cookie.secure: {why}")]);
    assert_eq!(warnings(r#"{"cookie": {"secure": "never", "twin": false}}"#), [""; 0]);
    assert_eq!(
        warnings(r#"{"cookie": {"secure": "never", "twin": false}, "target_groups": {"web": {"cookie.twin": true}}}"#),
        [format!("target_groups.web.cookie.twin: {why}")]
    );
}

#[test]
fn same_site_none_that_is_secure_over_https_only_is_warned_of() {
    let why = "same_site none with secure auto: over plain HTTP the cookies are SameSite=None without Secure, and \
               browsers refuse them; set secure to always where all clients use HTTPS";
    assert_eq!(warnings(r#"{"cookie": {"same_site": "none"}}"#), [format!("cookie.same_site: {why}")]);
    assert_eq!(warnings(r#"{"cookie": {"same_site": "none", "secure": "always"}}"#), [""; 0]);
}

#[test]
fn partitioned_that_is_secure_over_https_only_is_warned_of() {
    let why = "partitioned with secure auto: only cookies that are Secure are Partitioned: those with \
               SameSite=None, as the twin, over HTTPS; set secure to always for all of them";
    assert_eq!(warnings(r#"{"cookie": {"partitioned": true}}"#), [format!("cookie.partitioned: {why}")]);
    assert_eq!(warnings(r#"{"cookie": {"partitioned": true, "secure": "always"}}"#), [""; 0]);
}

#[test]
fn a_warning_is_given_where_it_is_set_and_not_again_where_it_is_inherited() {
    let json = r#"{"cookie": {"secure": "never"}, "policies": {"long": {"cookie": {"name": "LONG", "http_only": true}}},
        "target_groups": {"api": {"cookie": {"secure": "auto", "partitioned": true}}, "web": {"cookie.path": "/a"}},
        "rules": [{"target_groups": ["static"], "cookie": {"secure": "auto", "same_site": "none"}}]}"#;
    let warnings = warnings(json);
    let places: Vec<_> =
        warnings.iter().filter_map(|warning| warning.split_once(": ")).map(|(place, _)| place).collect();
    assert_eq!(places, ["cookie.secure", "target_groups.api.cookie.partitioned", "rules[0].cookie.same_site"]);
}

#[test]
fn awss_cookies_are_not_warned_of() {
    assert_eq!(warnings("{}"), [""; 0]);
}

#[test]
fn cookies_of_different_kinds_with_one_name_are_refused() {
    let rule = r#""rules": [{"target_groups": ["blue"], "cookie": {"name": "LB"},
        "target_group_stickiness": {"duration_seconds": 60}}]"#;
    refused(
        &format!(r#"{{"target_groups": {{"web": {{"cookie": {{"name": "LBTG"}}}}}}, {rule}}}"#),
        "rules[0]: \"LBTG\" would be the name of the cookie of a rule and of the duration-based cookie: give one of them \
         another name with cookie.name",
    );
    let follows = r#"{"stickiness": {"type": "app_cookie", "app_cookie": {"cookie_name": "LBTG"}}}"#;
    refused(
        &format!(r#"{{"target_groups": {{"web": {follows}}}, {rule}}}"#),
        "rules[0]: \"LBTG\" would be the name of the cookie of a rule and of the application's cookie: give one of them \
         another name with cookie.name",
    );
    refused(
        &format!(r#"{{"target_groups": {{"a": {follows}, "b": {{"cookie": {{"name": "LBTG"}}}}}}}}"#),
        "target_groups.b: \"LBTG\" would be the name of the duration-based cookie and of the application's cookie: give \
         one of them another name with cookie.name",
    );
}

#[test]
fn cookies_of_one_kind_may_share_a_name() {
    let follows = r#"{"stickiness": {"type": "app_cookie", "app_cookie": {"cookie_name": "sid"}}}"#;
    parse(&format!(
        r#"{{"target_groups": {{"a": {follows}, "b": {follows}, "c": {{}}, "*": {{}}}}, "policies": {{"d": {{}}}}}}"#
    ));
}

#[test]
fn a_name_that_browsers_hold_to_attributes_is_refused_where_the_application_has_the_attributes() {
    refused(
        r#"{"target_groups": {"web": {"cookie": {"name": "__Host-LB", "secure": "always"}, "stickiness":
            {"type": "classic_app_cookie", "classic_app_cookie": {"cookie_name": "sid"}}}}}"#,
        "target_groups.web.stickiness.type: \"classic_app_cookie\" takes its attributes from the application's cookie, but \
         a name that starts with __Host- needs attributes of its own: browsers refuse it without them",
    );
}

#[test]
fn an_option_without_effect_on_the_cookies_of_its_type_makes_a_warning_where_it_is_given() {
    let of = |r#type: &str, option: &str| {
        let stickiness = format!(r#"{{"type": "{type}", "{type}": {{"cookie_name": "s"}}}}"#);
        let stickiness = if r#type.ends_with("lb_cookie") { format!(r#"{{"type": "{type}"}}"#) } else { stickiness };
        warnings(&format!(r#"{{"target_groups": {{"web": {{"stickiness": {stickiness}, "cookie": {{{option}}}}}}}}}"#))
    };
    let renewal = [
        ("expires", r#""expires": "session""#),
        ("max_age", r#""max_age": "beside""#),
        ("renew", r#""renew": "sliding""#),
        ("renew", r#""renew": "sliding", "renew_after_percent": 60"#),
    ];
    let attributes = [
        ("domain", r#""domain": "example.com""#),
        ("path", r#""path": "/cart""#),
        ("secure", r#""secure": "always""#),
        ("http_only", r#""http_only": true"#),
        ("same_site", r#""same_site": "lax""#),
        ("partitioned", r#""partitioned": true, "secure": "always""#),
    ];
    let shards = ("unused_shards", r#""unused_shards": "always""#);
    let warning =
        |key| format!("target_groups.web.cookie.{key}: has no effect on the cookies of this type of stickiness");
    for (key, option) in renewal.into_iter().chain([shards]) {
        for r#type in ["classic_lb_cookie", "classic_app_cookie"] {
            assert_eq!(of(r#type, option), [warning(key)], "{type} {option}");
        }
    }
    for (key, option) in attributes {
        let expected = if key == "partitioned" { "secure" } else { key };
        assert_eq!(of("classic_app_cookie", option), [warning(expected)], "{option}");
        assert_eq!(of("classic_lb_cookie", option), [""; 0], "{option}");
    }
    assert_eq!(of("lb_cookie", shards.1), [warning(shards.0)]);
    for (_, option) in renewal.into_iter().chain(attributes) {
        assert_eq!(of("lb_cookie", option), [""; 0], "{option}");
        assert_eq!(of("app_cookie", option), [""; 0], "{option}");
    }
    // The options above may be for other cookies.
    let above =
        r#"{"cookie": {"renew": "sliding"}, "target_groups": {"web": {"stickiness.type": "classic_lb_cookie"}}}"#;
    assert_eq!(warnings(above), [""; 0]);
}
