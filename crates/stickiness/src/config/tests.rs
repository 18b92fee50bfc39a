use prost::Message;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};

use super::*;

fn parse(json: &str) -> Config {
    Config::parse(json.as_bytes()).unwrap().0
}

#[track_caller]
fn refused(json: &str, message: &str) {
    assert_eq!(Config::parse(json.as_bytes()).unwrap_err().to_string(), message);
}

fn seconds(config: &Config, target_group: &str) -> Option<u64> {
    let Stickiness::LbCookie { duration } = config.stickiness(target_group)?;
    Some(duration.as_secs())
}

/// `json` as Envoy hands over a `google.protobuf.Struct`.
fn as_struct(json: &str) -> Vec<u8> {
    fn value(json: serde_json::Value) -> Value {
        use serde_json::Value as Json;
        let kind = match json {
            Json::Null => Kind::NullValue(0),
            Json::Bool(value) => Kind::BoolValue(value),
            Json::Number(value) => Kind::NumberValue(value.as_f64().unwrap()),
            Json::String(value) => Kind::StringValue(value),
            Json::Array(values) => Kind::ListValue(ListValue { values: values.into_iter().map(value).collect() }),
            Json::Object(fields) => {
                Kind::StructValue(Struct { fields: fields.into_iter().map(|(key, json)| (key, value(json))).collect() })
            }
        };
        Value { kind: Some(kind) }
    }
    match value(serde_json::from_str(json).unwrap()).kind {
        Some(Kind::StructValue(object)) => object.encode_to_vec(),
        _ => panic!("a Struct is an object"),
    }
}

const NESTED: &str = r#"{"target_groups": {"web": {"stickiness": {
    "enabled": true, "type": "lb_cookie", "lb_cookie": {"duration_seconds": 60}}}}}"#;

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
    assert_eq!(config.cookie.expires, Expires::Session);
    assert_eq!(config.mechanism, Mechanism::OverrideHost);
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
fn a_struct_means_what_the_same_json_means() {
    assert_eq!(seconds(&Config::parse(&as_struct(NESTED)).unwrap().0, "web"), Some(60));
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
fn an_unknown_key_is_refused_with_the_near_miss() {
    refused(
        r#"{"target_groups": {"web": {"stickness": {}}}}"#,
        "target_groups.web.stickness: there is no such key; allowed here: stickiness; did you mean stickiness?",
    );
    refused(
        r#"{"colour": 1}"#,
        "colour: there is no such key; allowed here: target_groups, rules, keys, upstream, cookie",
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
}

#[test]
fn a_reserved_cookie_name_is_refused() {
    for name in ["AWSALB", "AWSALBAPP-0", "AWSALBTG", "AWSALBX"] {
        refused(
            &format!(r#"{{"target_groups": {{"web": {{"stickiness.app_cookie.cookie_name": "{name}"}}}}}}"#),
            &format!(
                "target_groups.web.stickiness.app_cookie.cookie_name: \"{name}\" is not allowed as the name of an \
                 application's cookie: names that start with AWSALB are reserved"
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
fn a_type_that_is_not_built_yet_is_refused_by_name() {
    refused(
        r#"{"target_groups": {"web": {"stickiness.type": "app_cookie"}}}"#,
        "target_groups.web.stickiness.type: \"app_cookie\" is not supported by this version; allowed: lb_cookie",
    );
    refused(
        r#"{"rules": [{"target_groups": ["blue", "green"]}]}"#,
        "rules: rules are not supported by this version; target groups are sticky each for itself",
    );
}

#[test]
fn text_that_is_no_json_is_refused_with_the_place() {
    refused(
        "{\"target_groups\": }",
        "the configuration is neither JSON nor a google.protobuf.Struct: expected value at line 1 column 19",
    );
}

#[test]
fn a_ring_of_keys_is_read() {
    let json = r#"{"keys": [{"id": "2026-11", "secret": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}]}"#;
    assert!(Config::parse(json.as_bytes()).unwrap().1.is_some());
}

#[test]
fn wrong_keys_are_refused_and_never_shown() {
    refused(r#"{"keys": []}"#, "keys: there is no key; leave it out for a random key");
    refused(r#"{"keys": "a:s3cr3t"}"#, "keys: the value (a secret, not shown) is not a list");
    refused(r#"{"keys": ["a:s3cr3t"]}"#, "keys[0]: the value (a secret, not shown) is not an object");
    refused(r#"{"keys": [{"id": "a"}]}"#, "keys[0].secret: is required");
    refused(
        r#"{"keys": [{"id": "a", "secret": 12345}]}"#,
        "keys[0].secret: the value (a secret, not shown) is not a string",
    );
    refused(
        r#"{"keys": [{"id": "a", "secret": "s3cr3t"}]}"#,
        "keys[0].secret: the secret is not base64; it is 32 bytes in base64, as `openssl rand -base64 32` prints them",
    );
    refused(
        r#"{"keys": [{"id": "a", "secert": "s3cr3t"}]}"#,
        "keys[0].secert: there is no such key; allowed here: id, secret; did you mean secret?",
    );
    let twice = r#"{"id": "a", "secret": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}"#;
    refused(&format!(r#"{{"keys": [{twice}, {twice}]}}"#), "keys: keys 1 and 2 have the same id");
    let secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    refused(
        &format!(r#"{{"keys": [{{"{secret}": "a"}}]}}"#),
        "keys[0].(not shown): there is no such key; allowed here: id, secret",
    );
}

#[test]
fn a_secret_in_the_place_of_a_name_is_not_shown_even_when_it_is_given_twice() {
    let secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    for keys in [format!(r#"{{"{secret}": 1, "{secret}": 2}}"#), format!(r#"[{{"{secret}": 1, "{secret}": 2}}]"#)] {
        let error = Config::parse(format!(r#"{{"keys": {keys}}}"#).as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("keys") && !error.contains(secret), "{error}");
    }
    refused(r#"{"keys": [{"id": "a", "id": "b"}]}"#, "keys[0].id: is given twice");
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
fn a_word_in_capitals_is_a_near_miss() {
    refused(
        r#"{"cookie": {"expires": "SESSION"}}"#,
        "cookie.expires: \"SESSION\" is not one of duration, seven_days, session; did you mean session?",
    );
}

#[test]
fn a_target_group_may_be_called_target_groups() {
    let config = parse(r#"{"target_groups": {"target_groups": {"stickiness.lb_cookie.duration_seconds": 60}}}"#);
    assert_eq!(seconds(&config, "target_groups"), Some(60));
}

#[test]
fn a_key_of_many_levels_is_refused() {
    let deep = vec!["a"; 100_000].join(".");
    let error = Config::parse(format!(r#"{{"{deep}": 1}}"#).as_bytes()).unwrap_err().to_string();
    assert!(error.ends_with("a key has at most 8 levels"), "{error}");
}
