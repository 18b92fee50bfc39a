use super::*;

#[test]
fn dotted_attributes_with_string_values_mean_the_same() {
    let config = parse(
        r#"{"target_groups": {"web": {"stickiness.enabled": "true", "stickiness.type": "lb_cookie",
            "stickiness.lb_cookie.duration_seconds": "60"}}}"#,
    );
    assert_eq!(seconds(&config, "web"), Some(60));
}

#[test]
fn dotted_and_nested_attributes_can_be_mixed() {
    let config = parse(
        r#"{"target_groups": {"web": {"stickiness": {"enabled": true}, "stickiness.lb_cookie.duration_seconds": 60}},
            "cookie.expires": "session", "upstream.mechanism": "override_host"}"#,
    );
    assert_eq!(seconds(&config, "web"), Some(60));
    assert_eq!(config.policy("web").unwrap().cookie.expires, Expires::Session);
    assert_eq!(config.mechanism, Mechanism::OverrideHost);
}

#[test]
fn a_struct_means_what_the_same_json_means() {
    assert_eq!(seconds(&Config::parse(&as_struct(NESTED)).unwrap().config, "web"), Some(60));
    let error = Config::parse(&as_struct(&NESTED.replace("60", "0"))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "target_groups.web.stickiness.lb_cookie.duration_seconds: 0 is not between 1 and 604800"
    );
}

#[test]
fn json_that_begins_like_a_struct_is_json() {
    assert_eq!(seconds(&parse(&format!("\n{NESTED}")), "web"), Some(60));
}

#[test]
fn an_unknown_key_is_refused_with_the_near_miss() {
    refused(
        r#"{"target_groups": {"web": {"stickness": {}}}}"#,
        "target_groups.web.stickness: there is no such key; allowed here: stickiness, cookie; \
         did you mean stickiness?",
    );
    refused(
        r#"{"colour": 1}"#,
        "colour: there is no such key; allowed here: target_groups, policies, rules, keys, upstream, cookie",
    );
    refused(
        r#"{"target_groups": {"web": {"stickiness.lb_cookie.duration": 5}}}"#,
        "target_groups.web.stickiness.lb_cookie.duration: there is no such key; allowed here: duration_seconds; \
         did you mean duration_seconds?",
    );
}

#[test]
fn an_unknown_word_is_refused_with_the_near_miss() {
    refused(
        r#"{"target_groups": {"web": {"stickiness": {"type": "lb_cokie"}}}}"#,
        "target_groups.web.stickiness.type: \"lb_cokie\" is not one of lb_cookie, app_cookie, classic_lb_cookie, \
         classic_app_cookie; did you mean lb_cookie?",
    );
    refused(
        r#"{"cookie": {"expires": "forever"}}"#,
        "cookie.expires: \"forever\" is not one of duration, seven_days, session",
    );
    refused(
        r#"{"upstream": {"mechanism": "overide_host"}}"#,
        "upstream.mechanism: \"overide_host\" is not one of stateful_session, override_host; \
         did you mean override_host?",
    );
}

#[test]
fn a_value_of_the_wrong_shape_is_refused() {
    refused("[]", "the configuration is not an object");
    refused("null", "the configuration is not an object");
    refused("\"2026-11:s3cr3t\"", "the configuration is not an object");
    refused(r#"{"target_groups": null}"#, "target_groups: null is not an object");
    refused(r#"{"keys": null}"#, "keys: the value (a secret, not shown) is not a list");
    refused(r#"{"policies": null}"#, "policies: null is not an object");
    refused(r#"{"rules": null}"#, "rules: null is not a list");
    refused(r#"{"rules": {}}"#, "rules: an object is not a list");
    refused(r#"{"rules": ["blue"]}"#, "rules[0]: \"blue\" is not an object");
    refused(r#"{"cookie": {"domain": null}}"#, "cookie.domain: null is not a string");
    refused(r#"{"cookie": {"same_site": null}}"#, "cookie.same_site: null is not one of strict, lax, none");
    refused(r#"{"cookie": {"twin": null}}"#, "cookie.twin: null is not true or false");
    refused(r#"{"target_groups": []}"#, "target_groups: a list is not an object");
    refused(r#"{"target_groups": {"web": true}}"#, "target_groups.web: true is not an object");
    refused(
        r#"{"target_groups": {"web": {"stickiness": {"enabled": "yes"}}}}"#,
        "target_groups.web.stickiness.enabled: \"yes\" is not true or false",
    );
    refused(r#"{"cookie": {"expires": 7}}"#, "cookie.expires: 7 is not one of duration, seven_days, session");
}

#[test]
fn a_key_that_is_given_twice_is_refused() {
    refused(r#"{"cookie": {}, "cookie": {}}"#, "cookie: is given twice");
    refused(r#"{"target_groups": {"web": {}, "web": {}}}"#, "target_groups.web: is given twice");
    refused(
        r#"{"target_groups": {"web": {"stickiness": {"enabled": true}, "stickiness.enabled": "false"}}}"#,
        "target_groups.web.stickiness.enabled: is given twice",
    );
    refused(r#"{"cookie.path": "/", "cookie.path": "/"}"#, "cookie.path: is given twice");
    refused(r#"{"cookie": null, "cookie.path": "/"}"#, "cookie: is given twice");
    refused(r#"{"cookie": {}, "cookie.path": "/", "cookie": {}}"#, "cookie: is given twice");
}

#[test]
fn text_that_is_no_json_is_refused_with_the_place() {
    refused(
        "{\"target_groups\": }",
        "the configuration is neither JSON nor a google.protobuf.Struct: expected value at line 1 column 19",
    );
}

#[test]
fn a_long_value_is_shown_in_part() {
    let long = "x".repeat(1000);
    refused(
        &format!(r#"{{"cookie": {{"expires": "{long}"}}}}"#),
        &format!("cookie.expires: \"{}…\" is not one of duration, seven_days, session", "x".repeat(60)),
    );
}

#[test]
fn a_long_number_is_shown_in_part() {
    let zeros = "0".repeat(58);
    refused(r#"{"cookie": 1e-300}"#, &format!("cookie: 0.{zeros}… is not an object"));
}

#[test]
fn a_key_that_begins_with_a_bracket_is_no_position_in_a_list_and_keeps_the_error_in_one_line() {
    for (key, shown) in [("[\n0]", r#""[\n0]""#), ("[", r#""[""#), ("a[0]", r#""a[0]""#)] {
        let document = serde_json::json!({ "cookie": { key: 1 } }).to_string();
        let error = Config::parse(document.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cookie.{shown}: there is no such key")), "{error}");
    }
}

#[test]
fn a_key_that_looks_like_a_position_or_like_a_hidden_key_is_shown_as_a_key() {
    for key in ["[0]", "(not shown)"] {
        let document = serde_json::json!({ "cookie": { key: 1 } }).to_string();
        let error = Config::parse(document.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cookie.{key:?}: there is no such key")), "{error}");
    }
}

#[test]
fn a_word_in_capitals_is_a_near_miss() {
    refused(
        r#"{"cookie": {"expires": "SESSION"}}"#,
        "cookie.expires: \"SESSION\" is not one of duration, seven_days, session; did you mean session?",
    );
}

#[test]
fn a_key_of_many_levels_is_refused() {
    let deep = vec!["a"; 100_000].join(".");
    let error = Config::parse(format!(r#"{{"{deep}": 1}}"#).as_bytes()).unwrap_err().to_string();
    assert!(error.ends_with("a key has at most 8 levels"), "{error}");
}

#[test]
fn a_text_that_is_no_name_is_refused() {
    refused(r#"{"target_groups": {"": {}}}"#, "target_groups: \"\" is not a name");
    refused(r#"{"policies": {"*": {}}}"#, "policies: \"*\" is not a name");
}

#[test]
fn the_only_target_group_may_be_named() {
    assert_eq!(parse("{}").only_target_group, None);
    for more in [
        "",
        r#", "target_groups": {"web": {}}"#,
        r#", "target_groups": {"*": {}}"#,
        r#", "target_groups": {"api": {"stickiness.enabled": false}, "*": {}}"#,
        r#", "target_groups": {"web": {"stickiness.enabled": false}}, "policies": {"cart": {}}"#,
        r#", "target_groups": {"*": {"stickiness.enabled": false}}, "policies": {"cart": {}}"#,
    ] {
        let config = parse(&format!(r#"{{"upstream.only_target_group": "web"{more}}}"#));
        assert_eq!(config.only_target_group.as_deref(), Some("web"), "{more}");
    }
}

#[test]
fn an_only_target_group_that_is_no_target_group_is_refused_with_the_near_miss() {
    let refused = |more: &str, message: &str| {
        refused(
            &format!(r#"{{"upstream.only_target_group": "wbe", "target_groups": {more}}}"#),
            &format!("upstream.only_target_group: \"wbe\" is not {message}"),
        );
    };
    let none = "one of target_groups, so nothing would be sticky";
    refused(r#"{"web": {}}"#, &format!("{none}; did you mean web?"));
    refused(r#"{"api": {}}"#, none);
    refused(r#"{"web": {}}, "policies": {"cart": {}}"#, &format!("{none}; did you mean web?"));
    refused(r#"{"web": {}, "*": {"stickiness.enabled": false}}"#, &format!("{none}; did you mean web?"));
    refused(r#"{"*": {"stickiness.enabled": false}}"#, none);
    refused(r#"{"*": {"stickiness.enabled": false}}, "policies": {}"#, none);
    refused(r#"{"*": {"stickiness.enabled": false}}, "policies": {"off": {"stickiness.enabled": false}}"#, none);
    refused(
        r#"{"wbe": {"stickiness.enabled": false}}"#,
        "sticky: target_groups turns its stickiness off, so nothing would be sticky",
    );
}

#[test]
fn several_target_groups_have_no_only_one() {
    refused(
        r#"{"upstream.only_target_group": "blue", "rules": [{"target_groups": ["blue", "green"],
            "target_group_stickiness": {"duration_seconds": 60}}]}"#,
        "upstream.only_target_group: is not allowed with rules, which have several target groups",
    );
    refused(r#"{"upstream.only_target_group": ""}"#, "upstream.only_target_group: \"\" is not a name");
    refused(r#"{"upstream.only_target_group": "*"}"#, "upstream.only_target_group: \"*\" is not a name");
}

fn warnings(json: &str) -> Vec<String> {
    Config::parse(json.as_bytes()).unwrap().warnings
}

#[test]
fn a_target_group_that_no_request_goes_to_makes_a_warning() {
    assert_eq!(
        warnings(r#"{"target_groups": {"web": {}, "api": {}}, "upstream": {"only_target_group": "web"}}"#),
        ["upstream.only_target_group: every request is said to go to \"web\", so that \"api\" has no effect"]
    );
    assert_eq!(warnings(r#"{"target_groups": {"web": {}, "*": {}}, "upstream.only_target_group": "web"}"#), [""; 0]);
}

#[test]
fn an_empty_object_of_target_groups_makes_a_warning() {
    assert_eq!(
        warnings(r#"{"target_groups": {}}"#),
        ["target_groups: there is none, so every cluster is sticky; leave it out or write \"*\": {} if that is meant"]
    );
    assert_eq!(warnings(r#"{"rules": [], "policies": {}}"#), [""; 0]);
}

#[test]
fn settings_of_a_type_where_no_type_is_given_make_a_warning() {
    let of =
        |stickiness: &str| warnings(&format!(r#"{{"target_groups": {{"web": {{"stickiness": {{{stickiness}}}}}}}}}"#));
    for (unused, stickiness) in [
        ("app_cookie", r#""app_cookie": {"cookie_name": "JSESSIONID"}"#),
        ("app_cookie", r#""app_cookie": {"duration_seconds": 60}, "lb_cookie": {"duration_seconds": 60}"#),
        ("classic_lb_cookie", r#""classic_lb_cookie": {"cookie_expiration_period": 60}"#),
        ("classic_app_cookie", r#""classic_app_cookie": {"cookie_name": "JSESSIONID"}"#),
    ] {
        let why = "has no effect, because type is lb_cookie where it is not given";
        let expected = format!("target_groups.web.stickiness.{unused}: {why}; set it to {unused} if that is meant");
        assert_eq!(of(stickiness), [expected]);
        // As AWS prints them: with the type.
        assert_eq!(of(&format!(r#""type": "lb_cookie", {stickiness}"#)), [""; 0]);
        assert_eq!(of(&format!(r#""enabled": false, {stickiness}"#)), [""; 0]);
    }
    assert_eq!(of(r#""app_cookie": {"cookie_name": ""}, "lb_cookie": {"duration_seconds": 60}"#), [""; 0]);
}
