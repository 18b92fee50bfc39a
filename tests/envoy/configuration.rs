//! The forms of the plugin's configuration, and the messages for a configuration that is refused.

use local_envoy::{Config, Plugin, Validation, validate};
use serde_json::{Value, json};

use harness::{Client, Replaceable, Setup, envoy_binary, fetch, sticky_config, wait_until, wasm};

use crate::pool;

/// The result of `envoy --mode validate` for this plugin configuration.
fn judge(plugin: Plugin<'_>) -> Validation {
    let setup = Setup { plugin: Some(plugin), ..Setup::default() };
    validate(envoy_binary(), &sticky_config(&[], &setup), &[]).unwrap()
}

/// The configuration is refused, and the filter logs exactly one line, with this message.
#[track_caller]
fn refused(json: &str, message: &str) {
    let answer = judge(Plugin::Json(json));
    assert!(!answer.accepted, "{json} is accepted");
    let lines: Vec<&str> = answer.log.lines().filter(|line| line.contains("wasm log")).collect();
    assert_eq!(lines.len(), 1, "{}", answer.log);
    assert!(lines[0].ends_with(&format!(": {message}")), "{}", answer.log);
}

/// The number of seconds that the cookies last with this plugin configuration.
#[track_caller]
fn lasts(plugin: Plugin<'_>, seconds: u64) {
    let lb = pool::start(&Setup { plugin: Some(plugin), ..Setup::default() });
    let left = fetch(lb.sticky, "/", &[]).expires_in();
    assert!((seconds - 10..=seconds).contains(&left), "{left}");
}

fn minute() -> Value {
    json!({ "target_groups": { "web": { "stickiness": { "lb_cookie": { "duration_seconds": 60 } } } } })
}

#[test]
fn the_shipped_configuration_is_accepted_as_it_is() {
    let mut config = Config::shipped().unwrap();
    config.wasm_file(wasm()).unwrap();
    let answer = validate(envoy_binary(), &config, &[]).unwrap();
    assert!(answer.accepted, "{}", answer.log);
}

#[test]
fn no_configuration_and_an_empty_one_mean_sticky_for_a_day() {
    lasts(Plugin::Absent, 86_400);
    lasts(Plugin::Json(""), 86_400);
    lasts(Plugin::Json("{}"), 86_400);
    lasts(Plugin::Struct(json!({})), 86_400);
}

#[test]
fn json_text_and_a_struct_mean_the_same_nested_or_dotted() {
    let dotted = json!({ "target_groups": { "web": {
        "stickiness.enabled": "true",
        "stickiness.type": "lb_cookie",
        "stickiness.lb_cookie.duration_seconds": "60"
    } } });
    for config in [minute(), dotted] {
        lasts(Plugin::Json(&config.to_string()), 60);
        lasts(Plugin::Struct(config), 60);
    }
}

#[test]
fn a_target_group_that_is_not_named_is_not_sticky_unless_the_star_is() {
    let only_api = pool::with_json(r#"{"target_groups": {"api": {}}}"#);
    assert_eq!(fetch(only_api.sticky, "/", &[]).set_cookies().len(), 0);
    let star = pool::with_json(r#"{"target_groups": {"api": {"stickiness.enabled": false}, "*": {}}}"#);
    assert_eq!(fetch(star.sticky, "/", &[]).set_cookies().len(), 2);
}

#[test]
fn a_duration_out_of_range_is_refused() {
    let web = |seconds: &str| minute().to_string().replace("60", seconds);
    let path = "target_groups.web.stickiness.lb_cookie.duration_seconds";
    refused(&web("0"), &format!("{path}: 0 is not between 1 and 604800"));
    refused(&web("604801"), &format!("{path}: 604801 is not between 1 and 604800"));
    refused(&web("1.5"), &format!("{path}: 1.5 is not a whole number between 1 and 604800"));
    refused(&web("\"day\""), &format!("{path}: \"day\" is not a whole number between 1 and 604800"));
}

#[test]
fn a_struct_is_refused_with_the_same_line_as_json() {
    let answer = judge(Plugin::Struct(json!({ "target_groups": { "web": { "stickiness.type": "lb_cokie" } } })));
    assert!(!answer.accepted);
    assert!(
        answer.log.contains(
            "target_groups.web.stickiness.type: \"lb_cokie\" is not one of lb_cookie, app_cookie, \
             classic_lb_cookie, classic_app_cookie; did you mean lb_cookie?"
        ),
        "{}",
        answer.log
    );
}

#[test]
fn an_unknown_key_is_refused_with_the_near_miss() {
    refused(
        r#"{"target_groups": {"web": {"stickness": {}}}}"#,
        "target_groups.web.stickness: there is no such key; allowed here: stickiness, cookie; did you mean stickiness?",
    );
}

#[test]
fn an_unknown_mechanism_is_refused_with_the_near_miss() {
    refused(
        r#"{"upstream": {"mechanism": "overide_host"}}"#,
        "upstream.mechanism: \"overide_host\" is not one of stateful_session, override_host; \
         did you mean override_host?",
    );
}

#[test]
fn a_reserved_cookie_name_is_refused() {
    refused(
        r#"{"target_groups": {"web": {"stickiness": {"app_cookie": {"cookie_name": "AWSALBX"}}}}}"#,
        "target_groups.web.stickiness.app_cookie.cookie_name: \"AWSALBX\" is not allowed as the name of an \
         application's cookie: names that start with AWSALB are reserved",
    );
}

/// A configuration in which `web` follows the application's cookie of this name.
fn following(cookie_name: &str) -> String {
    let stickiness = json!({ "type": "app_cookie", "app_cookie": { "cookie_name": cookie_name } });
    json!({ "target_groups": { "web": { "stickiness": stickiness } } }).to_string()
}

#[test]
fn a_cookie_of_the_application_may_not_be_named_as_one_of_the_load_balancers() {
    for name in ["AWSALB", "AWSALBAPP", "AWSALBAPP-0", "AWSALBTG", "AWSALBCORS", "AWSALBTGCORS"] {
        refused(
            &following(name),
            &format!(
                "target_groups.web.stickiness.app_cookie.cookie_name: \"{name}\" is not allowed as the name of an \
                 application's cookie: names that start with AWSALB are reserved"
            ),
        );
    }
    for name in ["awsalb", "XAWSALB", "MYCUSTOMAPPCOOKIE"] {
        let answer = judge(Plugin::Json(&following(name)));
        assert!(answer.accepted, "{name}: {}", answer.log);
    }
}

#[test]
fn the_name_of_an_applications_cookie_is_a_token_of_at_most_256_bytes() {
    for (name, problem) in [
        ("x".repeat(257), "is not a cookie's name: it is longer than 256 bytes"),
        ("a b".to_owned(), "is not a cookie's name: letters, digits and !#$%&'*+-.^_`|~"),
        ("a=b".to_owned(), "is not a cookie's name: letters, digits and !#$%&'*+-.^_`|~"),
    ] {
        let answer = judge(Plugin::Json(&following(&name)));
        assert!(!answer.accepted && answer.log.contains(problem), "{name}: {}", answer.log);
    }
    for name in ["x".repeat(256), "connect.sid".to_owned()] {
        let answer = judge(Plugin::Json(&following(&name)));
        assert!(answer.accepted, "{name}: {}", answer.log);
    }
}

#[test]
fn application_based_stickiness_without_a_name_is_refused_in_awss_words() {
    refused(
        r#"{"target_groups": {"web": {"stickiness.type": "app_cookie"}}}"#,
        "target_groups.web.stickiness.app_cookie.cookie_name: You must set an application cookie name to enable \
         stickiness of type 'app_cookie'",
    );
}

#[test]
fn every_duration_is_one_second_to_seven_days() {
    let durations = [
        (
            r#"{"target_groups": {"web": {"stickiness.lb_cookie.duration_seconds": "N"}}}"#,
            "target_groups.web.stickiness.lb_cookie",
        ),
        (
            r#"{"target_groups": {"web": {"stickiness.type": "app_cookie", "stickiness.app_cookie.cookie_name": "s",
                "stickiness.app_cookie.duration_seconds": "N"}}}"#,
            "target_groups.web.stickiness.app_cookie",
        ),
        (
            r#"{"rules": [{"target_groups": ["web"], "target_group_stickiness": {"duration_seconds": "N"}}]}"#,
            "rules[0].target_group_stickiness",
        ),
    ];
    for (config, path) in durations {
        for seconds in ["0", "604801"] {
            let message = format!("{path}.duration_seconds: {seconds} is not between 1 and 604800");
            refused(&config.replace('N', seconds), &message);
        }
        for seconds in ["1", "604800"] {
            let answer = judge(Plugin::Json(&config.replace('N', seconds)));
            assert!(answer.accepted, "{path} {seconds}: {}", answer.log);
        }
    }
}

/// A rule with these target groups, which have no stickiness of their own, and with more keys.
fn rule(target_groups: usize, more: &str) -> String {
    let names: Vec<String> = (0..target_groups).map(|number| format!("\"group-{number}\"")).collect();
    let off = r#""target_groups": {"*": {"stickiness.enabled": false}}"#;
    format!(r#"{{{off}, "rules": [{{"target_groups": [{}]{more}}}]}}"#, names.join(", "))
}

#[test]
fn a_rule_has_one_to_five_target_groups() {
    for count in [0, 6] {
        let message = format!("rules[0].target_groups: {count} target groups are not between 1 and 5");
        refused(&rule(count, ""), &message);
    }
    for count in [1, 5] {
        let answer = judge(Plugin::Json(&rule(count, "")));
        assert!(answer.accepted, "{count}: {}", answer.log);
    }
}

#[test]
fn the_duration_of_group_stickiness_is_required() {
    refused(
        &rule(2, r#", "target_group_stickiness": {"enabled": true}"#),
        "rules[0].target_group_stickiness.duration_seconds: is required where target group stickiness is enabled: a \
         whole number between 1 and 604800",
    );
}

#[test]
fn sticky_target_groups_in_a_rule_without_group_stickiness_are_refused_in_awss_words() {
    for stickiness in ["", r#", "target_group_stickiness": {"enabled": false}"#] {
        refused(
            &format!(r#"{{"rules": [{{"target_groups": ["blue", "green"]{stickiness}}}]}}"#),
            "rules[0].target_group_stickiness: You must enable group stickiness on a rule if you enabled target \
             stickiness on one of its target groups: \"blue\" is sticky; give the rule a target_group_stickiness with \
             duration_seconds, or set stickiness.enabled of its target groups to false",
        );
    }
}

#[test]
fn stickiness_by_address_is_refused_by_name_with_what_to_use() {
    let answer = judge(Plugin::Json(r#"{"target_groups": {"web": {"stickiness.type": "source_ip"}}}"#));
    assert!(!answer.accepted);
    let message = "target_groups.web.stickiness.type: \"source_ip\" is stickiness of connections, which is Envoy's own";
    assert!(answer.log.contains(message) && answer.log.contains("RING_HASH"), "{}", answer.log);
}

#[test]
fn the_attributes_of_a_target_group_work_as_aws_prints_them() {
    let attribute = |key: &str, value: &str| json!({ "Key": key, "Value": value });
    let attributes = json!([
        attribute("stickiness.enabled", "true"),
        attribute("deregistration_delay.timeout_seconds", "300"),
        attribute("stickiness.type", "lb_cookie"),
        attribute("stickiness.lb_cookie.duration_seconds", "60"),
        attribute("slow_start.duration_seconds", "0"),
        attribute("stickiness.app_cookie.duration_seconds", "86400"),
        attribute("stickiness.app_cookie.cookie_name", ""),
        attribute("load_balancing.algorithm.type", "round_robin"),
    ]);
    lasts(Plugin::Struct(json!({ "target_groups": { "web": { "Attributes": attributes } } })), 60);
}

/// A forward action as AWS prints it, which sends to `web` with this weight.
fn forward(weight: impl Into<Value>) -> Value {
    let weight = weight.into();
    let arn = |name| format!("arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/{name}/73e2d6bc24d8a067");
    json!({ "rules": [{ "Type": "forward", "ForwardConfig": {
        "TargetGroups": [
            { "TargetGroupArn": arn("web"), "Weight": weight },
            { "TargetGroupArn": arn("other"), "Weight": 10 }
        ],
        "TargetGroupStickinessConfig": { "Enabled": true, "DurationSeconds": 1000 }
    } }] })
}

#[test]
fn a_forward_action_works_as_aws_prints_it() {
    let lb = pool::start(&Setup { plugin: Some(Plugin::Struct(forward(999))), ..Setup::default() });
    let response = fetch(lb.sticky, "/", &[]);
    assert_eq!(response.cookie_names(), ["AWSALBTG", "AWSALBTGCORS", "AWSALB", "AWSALBCORS"]);
    assert!((990..=1_000).contains(&response.expires_in()), "{response:?}");
}

#[test]
fn a_weight_is_a_whole_number_from_0_to_999() {
    let path = "rules[0].ForwardConfig.TargetGroups[0].Weight";
    refused(&forward(1_000).to_string(), &format!("{path}: 1000 is not between 0 and 999"));
    refused(&forward(-1).to_string(), &format!("{path}: -1 is not a whole number between 0 and 999"));
    refused(&forward(0.5).to_string(), &format!("{path}: 0.5 is not a whole number between 0 and 999"));
    refused(&forward("many").to_string(), &format!("{path}: \"many\" is not a whole number between 0 and 999"));
    for weight in [0, 1, 999] {
        let answer = judge(Plugin::Json(&forward(weight).to_string()));
        assert!(answer.accepted, "{weight}: {}", answer.log);
    }
}

#[test]
fn text_that_is_no_json_is_refused_with_the_place() {
    refused(
        "{\"target_groups\": }",
        "the configuration is neither JSON nor a google.protobuf.Struct: expected value at line 1 column 19",
    );
}

#[test]
fn a_wrong_key_is_refused_without_showing_it() {
    let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ=";
    for (config, message) in [
        (
            json!({ "keys": [{ "id": "a", "secret": secret }] }),
            "keys[0].secret: the secret has 20 bytes; it must have 32, as `openssl rand -base64 32` prints them",
        ),
        (json!({ "keys": [secret] }), "keys[0]: the value (a secret, not shown) is not an object"),
        (json!({ "keys": secret }), "keys: the value (a secret, not shown) is not a list"),
    ] {
        refused(&config.to_string(), message);
        let answer = judge(Plugin::Json(&config.to_string()));
        assert!(!answer.log.contains(secret), "{}", answer.log);
    }
}

#[test]
fn a_wrong_configuration_does_not_replace_a_running_one() {
    let running = Replaceable::start(&Setup::default());
    let lb = &running.lb;
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    running.replace(&Setup { plugin: Some(Plugin::Json(r#"{"colour": "red"}"#)), ..Setup::default() });
    wait_until("Envoy to refuse the listener", || {
        lb.envoy.admin().counter("listener_manager.lds.update_rejected").is_ok_and(|refused| refused > 0)
    });
    wait_until("the line that says why", || lb.envoy.log().contains("colour: there is no such key"));
    for _ in 0..4 {
        assert_eq!(client.get(lb.sticky, "/").body, home);
    }
}
