use super::*;

#[test]
fn nothing_means_that_every_target_group_is_sticky_for_a_day() {
    for nothing in ["", " \n", "{}", r#"{"target_groups": {}}"#] {
        assert_eq!(seconds(&parse(nothing), "any"), Some(86_400), "{nothing:?}");
    }
}

#[test]
fn a_target_group_that_is_named_has_what_it_is_given_and_others_are_not_sticky() {
    let config = parse(NESTED);
    assert_eq!(seconds(&config, "web"), Some(60));
    assert_eq!(seconds(&config, "api"), None);
}

#[test]
fn the_star_stands_for_every_target_group_that_is_not_named() {
    let config = parse(
        r#"{"target_groups": {"*": {}, "web": {"stickiness": {"lb_cookie": {"duration_seconds": 60}}},
            "api": {"stickiness": {"enabled": false}}}}"#,
    );
    assert_eq!(seconds(&config, "web"), Some(60));
    assert_eq!(seconds(&config, "api"), None);
    assert_eq!(seconds(&config, "other"), Some(86_400));
}

#[test]
fn attributes_of_the_other_types_may_stand_beside_as_aws_lists_them() {
    let config = parse(
        r#"{"target_groups": {"web": {"stickiness.app_cookie.cookie_name": "",
            "stickiness.app_cookie.duration_seconds": "86400", "stickiness.lb_cookie.duration_seconds": "60"}}}"#,
    );
    assert_eq!(seconds(&config, "web"), Some(60));
}

#[test]
fn the_name_of_a_target_group_may_hold_dots() {
    let config = parse(r#"{"target_groups": {"outbound|80||web.default.svc.cluster.local": {}}}"#);
    assert_eq!(seconds(&config, "outbound|80||web.default.svc.cluster.local"), Some(86_400));
}

#[test]
fn the_limits_of_a_duration_are_one_second_and_seven_days() {
    for (given, shown) in [("0", "0"), ("604801", "604801"), ("\"0\"", "0")] {
        refused(
            &NESTED.replace("60", given),
            &format!("target_groups.web.stickiness.lb_cookie.duration_seconds: {shown} is not between 1 and 604800"),
        );
    }
    for given in ["1", "604800"] {
        assert_eq!(seconds(&parse(&NESTED.replace("60", given)), "web"), given.parse().ok());
    }
}

#[test]
fn a_duration_that_is_no_whole_number_is_refused() {
    for given in ["-1", "\"+5\"", "\"060\"", "1.5", "\"soon\"", "true", "null", "1e300"] {
        let error = Config::parse(NESTED.replace("60", given).as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("target_groups.web.stickiness.lb_cookie.duration_seconds: "), "{error}");
        assert!(error.ends_with(" is not a whole number between 1 and 604800"), "{error}");
    }
}

#[test]
fn a_reserved_cookie_name_is_refused() {
    for (name, prefix) in [
        ("AWSALB", "AWSALB"),
        ("AWSALBAPP-0", "AWSALB"),
        ("AWSALBTG", "AWSALB"),
        ("AWSALBX", "AWSALB"),
        ("AWSELB", "AWSELB"),
        ("AWSELBCORS", "AWSELB"),
    ] {
        refused(
            &format!(r#"{{"target_groups": {{"web": {{"stickiness.app_cookie.cookie_name": "{name}"}}}}}}"#),
            &format!(
                "target_groups.web.stickiness.app_cookie.cookie_name: \"{name}\" is not allowed as the name of an \
                 application's cookie: names that start with {prefix} are reserved"
            ),
        );
    }
}

#[test]
fn a_cookie_name_that_no_cookie_can_have_is_refused() {
    let named =
        |name: &str| format!(r#"{{"target_groups": {{"web": {{"stickiness.app_cookie.cookie_name": "{name}"}}}}}}"#);
    let path = "target_groups.web.stickiness.app_cookie.cookie_name";
    for name in ["my cookie", "a=b", "a;b", "café"] {
        refused(
            &named(name),
            &format!("{path}: \"{name}\" is not a cookie's name: letters, digits and !#$%&'*+-.^_`|~"),
        );
    }
    refused(
        &named(&"x".repeat(257)),
        &format!("{path}: \"{}…\" is not a cookie's name: it is longer than 256 bytes", "x".repeat(60)),
    );
    for name in ["JSESSIONID", "connect.sid", "__Host-id", "a!#$%&'*+-.^_`|~", &"x".repeat(256)] {
        parse(&named(name));
    }
}

#[test]
fn a_target_group_may_be_called_target_groups() {
    let config = parse(r#"{"target_groups": {"target_groups": {"stickiness.lb_cookie.duration_seconds": 60}}}"#);
    assert_eq!(seconds(&config, "target_groups"), Some(60));
}

fn stickiness(config: &Config, target_group: &str) -> Stickiness {
    config.policy(target_group).unwrap().stickiness.clone()
}

#[test]
fn application_based_stickiness_has_a_cookie_name_and_lasts_a_day_unless_told_otherwise() {
    let config = parse(
        r#"{"target_groups": {
            "web": {"stickiness": {"type": "app_cookie", "app_cookie": {"cookie_name": "JSESSIONID"}}},
            "api": {"stickiness.type": "app_cookie", "stickiness.app_cookie.cookie_name": "sid",
                    "stickiness.app_cookie.duration_seconds": "60"}}}"#,
    );
    let app_cookie = |cookie_name: &str, seconds| Stickiness::AppCookie {
        cookie_name: cookie_name.to_owned(),
        duration: Duration::from_secs(seconds),
    };
    assert_eq!(stickiness(&config, "web"), app_cookie("JSESSIONID", 86_400));
    assert_eq!(stickiness(&config, "api"), app_cookie("sid", 60));
}

#[test]
fn a_classic_cookie_lasts_for_its_period_or_as_long_as_the_browser_runs() {
    let config = parse(
        r#"{"target_groups": {
            "web": {"stickiness": {"type": "classic_lb_cookie"}},
            "api": {"stickiness.type": "classic_lb_cookie",
                    "stickiness.classic_lb_cookie.cookie_expiration_period": "4294967295"}}}"#,
    );
    assert_eq!(stickiness(&config, "web"), Stickiness::ClassicLbCookie { expiration_period: None });
    let expiration_period = Some(Duration::from_secs(4_294_967_295));
    assert_eq!(stickiness(&config, "api"), Stickiness::ClassicLbCookie { expiration_period });
}

#[test]
fn a_classic_period_is_at_least_a_second() {
    for given in ["0", "4294967296"] {
        refused(
            &format!(
                r#"{{"target_groups": {{"web": {{
                    "stickiness.classic_lb_cookie.cookie_expiration_period": {given}}}}}}}"#
            ),
            &format!(
                "target_groups.web.stickiness.classic_lb_cookie.cookie_expiration_period: {given} is not between 1 and \
                 4294967295"
            ),
        );
    }
}

#[test]
fn classic_application_stickiness_has_a_cookie_name() {
    let config = parse(
        r#"{"target_groups": {"web": {"stickiness": {
            "type": "classic_app_cookie", "classic_app_cookie": {"cookie_name": "JSESSIONID"}}}}}"#,
    );
    assert_eq!(stickiness(&config, "web"), Stickiness::ClassicAppCookie { cookie_name: "JSESSIONID".to_owned() });
}

#[test]
fn stickiness_by_an_applications_cookie_without_its_name_is_refused_in_awss_words() {
    for block in ["app_cookie", "classic_app_cookie"] {
        for name in ["", r#", "cookie_name": """#] {
            let attributes = format!(r#""type": "{block}", "{block}": {{{}}}"#, name.trim_start_matches(", "));
            refused(
                &format!(r#"{{"target_groups": {{"web": {{"stickiness": {{{attributes}}}}}}}}}"#),
                &format!(
                    "target_groups.web.stickiness.{block}.cookie_name: You must set an application cookie name to \
                     enable stickiness of type '{block}'"
                ),
            );
        }
    }
}

#[test]
fn stickiness_that_is_off_needs_no_cookie_name() {
    let config = parse(r#"{"target_groups": {"web": {"stickiness": {"enabled": false, "type": "app_cookie"}}}}"#);
    assert_eq!(config.policy("web"), None);
}

#[test]
fn an_application_cookie_may_not_be_called_as_ours_are() {
    for (group, path) in [
        (r#""stickiness.app_cookie.cookie_name": "lbAPP-0", "stickiness.type": "app_cookie""#, "app_cookie"),
        (
            r#""stickiness.classic_app_cookie.cookie_name": "lbAPP-0", "stickiness.type": "classic_app_cookie""#,
            "classic_app_cookie",
        ),
    ] {
        refused(
            &format!(r#"{{"cookie": {{"name": "lb"}}, "target_groups": {{"web": {{{group}}}}}}}"#),
            &format!(
                "target_groups.web.stickiness.{path}.cookie_name: \"lbAPP-0\" is not allowed as the name of an \
                 application's cookie: with cookie.name \"lb\", names that start with it are the load balancer's"
            ),
        );
        parse(&format!(
            r#"{{"cookie": {{"name": "lb"}}, "target_groups": {{"web": {{{group}, "cookie.name": "x"}}}}}}"#
        ));
    }
}

#[test]
fn stickiness_by_address_is_refused_with_what_to_use() {
    for name in ["source_ip", "source_ip_dest_ip", "source_ip_dest_ip_proto"] {
        refused(
            &format!(r#"{{"target_groups": {{"web": {{"stickiness.type": "{name}"}}}}}}"#),
            &format!(
                "target_groups.web.stickiness.type: \"{name}\" is stickiness of connections, which is Envoy's own: \
                 give the cluster lb_policy RING_HASH or MAGLEV and its routes hash_policy: \
                 [{{connection_properties: {{source_ip: true}}}}]; or use lb_cookie"
            ),
        );
    }
}

#[test]
fn routes_choose_only_where_there_are_named_policies() {
    for (json, choose) in [("{}", false), (r#"{"policies": {}}"#, true), (r#"{"policies": {"long": {}}}"#, true)] {
        assert_eq!(parse(json).routes_choose(), choose, "{json}");
    }
}

#[test]
fn a_named_policy_is_written_as_a_target_group_is() {
    let config = parse(
        r#"{"policies": {"for.long": {"stickiness.lb_cookie.duration_seconds": "604800", "cookie.http_only": true},
            "off": {"stickiness": {"enabled": false}}}}"#,
    );
    let policy = config.named_policy("for.long").unwrap().unwrap();
    assert_eq!(policy.stickiness, Stickiness::LbCookie { duration: Duration::from_hours(7 * 24) });
    assert!(policy.cookie.http_only);
    assert_eq!(config.named_policy("off"), Some(None));
    assert_eq!(config.named_policy("other"), None);
    assert_eq!(config.policy("for.long"), Some(&Rc::default()));
    refused(
        r#"{"policies": {"long": {"stickiness.lb_cookie.duration_seconds": 604801}}}"#,
        "policies.long.stickiness.lb_cookie.duration_seconds: 604801 is not between 1 and 604800",
    );
}

#[test]
fn a_named_policy_has_its_name_as_its_scope_unless_it_gives_another() {
    let config = parse(r#"{"policies": {"cart": {}, "long": {"scope": "cart"}, "open": {"scope": ""}}}"#);
    let scope = |name: &str| config.named_policy(name).unwrap().unwrap().scope.name().to_owned();
    assert_eq!(["cart", "long", "open"].map(scope), ["cart", "cart", ""]);
    assert_eq!(config.policy("web").unwrap().scope.name(), "");
    refused(
        r#"{"policies": {"cart": {"scopes": ""}}}"#,
        "policies.cart.scopes: there is no such key; allowed here: stickiness, cookie, scope; did you mean scope?",
    );
    refused(r#"{"policies": {"cart": {"scope": null}}}"#, "policies.cart.scope: null is not a string");
    refused(r#"{"policies": {"cart": {"scope": 7}}}"#, "policies.cart.scope: 7 is not a string");
    refused(
        r#"{"target_groups": {"web": {"scope": "cart"}}}"#,
        "target_groups.web.scope: there is no such key; allowed here: stickiness, cookie",
    );
}

#[test]
fn a_configuration_that_is_not_given_is_one_that_says_nothing() {
    assert_eq!(Config::default().policy("any"), parse("{}").policy("any"));
    assert_eq!(Config::default().policy("any"), Some(&Rc::default()));
}
