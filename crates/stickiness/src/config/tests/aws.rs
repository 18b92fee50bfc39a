use super::*;

/// The output of `aws elbv2 describe-target-group-attributes` for a target group of an Application Load Balancer.
const ATTRIBUTES: &str = r#"{
    "Attributes": [
        {"Key": "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "Value": "1"},
        {"Key": "stickiness.enabled", "Value": "true"},
        {"Key": "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "Value": "off"},
        {"Key": "deregistration_delay.timeout_seconds", "Value": "300"},
        {"Key": "target_group_health.dns_failover.minimum_healthy_targets.count", "Value": "1"},
        {"Key": "stickiness.type", "Value": "lb_cookie"},
        {"Key": "stickiness.lb_cookie.duration_seconds", "Value": "3600"},
        {"Key": "slow_start.duration_seconds", "Value": "0"},
        {"Key": "stickiness.app_cookie.duration_seconds", "Value": "86400"},
        {"Key": "target_group_health.dns_failover.minimum_healthy_targets.percentage", "Value": "off"},
        {"Key": "load_balancing.cross_zone.enabled", "Value": "use_load_balancer_configuration"},
        {"Key": "load_balancing.algorithm.type", "Value": "round_robin"},
        {"Key": "load_balancing.algorithm.anomaly_mitigation", "Value": "off"},
        {"Key": "stickiness.app_cookie.cookie_name", "Value": ""}
    ]
}"#;

/// An action as `aws elbv2 describe-rules` prints it.
const ACTION: &str = r#"{
    "Type": "forward",
    "Order": 1,
    "ForwardConfig": {
        "TargetGroups": [
            {"TargetGroupArn": "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/blue/73e2d6bc24d8a067",
             "Weight": 10},
            {"TargetGroupArn": "arn:aws-cn:elasticloadbalancing:cn-north-1:123456789012:targetgroup/green/0996678315",
             "Weight": 0}
        ],
        "TargetGroupStickinessConfig": {"Enabled": true, "DurationSeconds": 1000}
    }
}"#;

fn with_attributes(attributes: &str) -> String {
    format!(r#"{{"target_groups": {{"web": {attributes}}}}}"#)
}

fn with_action(action: &str) -> String {
    format!(r#"{{"rules": [{action}]}}"#)
}

#[test]
fn the_attributes_of_a_target_group_can_be_pasted_as_aws_prints_them() {
    assert_eq!(seconds(&parse(&with_attributes(ATTRIBUTES)), "web"), Some(3600));
    let in_struct = Config::parse(&as_struct(&with_attributes(ATTRIBUTES))).unwrap().config;
    assert_eq!(seconds(&in_struct, "web"), Some(3600));
    let off =
        ATTRIBUTES.replace(r#""stickiness.enabled", "Value": "true""#, r#""stickiness.enabled", "Value": "false""#);
    assert_eq!(parse(&with_attributes(&off)).policy("web"), None);
}

#[test]
fn the_attributes_of_an_application_based_target_group_can_be_pasted() {
    let attributes = ATTRIBUTES
        .replace(r#""Value": "lb_cookie""#, r#""Value": "app_cookie""#)
        .replace(r#""Value": """#, r#""Value": "JSESSIONID""#);
    let config = parse(&with_attributes(&attributes));
    let expected =
        Stickiness::AppCookie { cookie_name: "JSESSIONID".to_owned(), duration: Stickiness::DEFAULT_DURATION };
    assert_eq!(config.policy("web").unwrap().stickiness, expected);
}

#[test]
fn the_attributes_of_a_target_group_that_is_not_sticky_can_be_pasted_whatever_its_protocol() {
    let of_a_network_load_balancer = r#"{"Attributes": [
        {"Key": "proxy_protocol_v2.enabled", "Value": "false"}, {"Key": "preserve_client_ip.enabled", "Value": "true"},
        {"Key": "stickiness.enabled", "Value": "false"}, {"Key": "stickiness.type", "Value": "source_ip"},
        {"Key": "target_health_state.unhealthy.connection_termination.enabled", "Value": "true"}]}"#;
    assert_eq!(parse(&with_attributes(of_a_network_load_balancer)).policy("web"), None);
    let of_a_function = r#"{"Attributes": [{"Key": "lambda.multi_value_headers.enabled", "Value": "false"},
        {"Key": "target_failover.on_unhealthy", "Value": "no_rebalance"},
        {"Key": "stickiness.enabled", "Value": false}]}"#;
    assert_eq!(parse(&with_attributes(of_a_function)).policy("web"), None);
}

#[test]
fn pasted_attributes_make_a_named_policy_too() {
    let config = parse(&format!(r#"{{"policies": {{"long": {ATTRIBUTES}}}}}"#));
    let expected = Stickiness::LbCookie { duration: Duration::from_hours(1) };
    assert_eq!(config.named_policy("long").unwrap().unwrap().stickiness, expected);
}

#[test]
fn cookie_options_and_attributes_may_stand_beside_pasted_attributes() {
    let config = parse(&with_attributes(
        r#"{"Attributes": [{"Key": "stickiness.lb_cookie.duration_seconds", "Value": "60"}],
            "cookie": {"http_only": true}, "stickiness": {"enabled": true}}"#,
    ));
    assert_eq!(seconds(&config, "web"), Some(60));
    assert!(config.policy("web").unwrap().cookie.http_only);
}

#[test]
fn attributes_can_be_pasted_under_a_dotted_key() {
    assert_eq!(seconds(&parse(&format!(r#"{{"target_groups.web": {ATTRIBUTES}}}"#)), "web"), Some(3600));
}

#[test]
fn an_error_in_a_pasted_attribute_is_told_in_the_words_of_aws() {
    let pasted =
        |key: &str, value: &str| with_attributes(&format!(r#"{{"Attributes": [{{"Key": "{key}", {value}}}]}}"#));
    refused(
        &pasted("stickiness.lb_cookie.duration_seconds", r#""Value": "0""#),
        "target_groups.web.stickiness.lb_cookie.duration_seconds: 0 is not between 1 and 604800",
    );
    refused(
        &pasted("stickness.enabled", r#""Value": "true""#),
        "target_groups.web.Attributes[0].Key: \"stickness.enabled\" is not one of stickiness.enabled, stickiness.type, \
         stickiness.lb_cookie.duration_seconds, stickiness.app_cookie.cookie_name, \
         stickiness.app_cookie.duration_seconds, stickiness.classic_lb_cookie.cookie_expiration_period, \
         stickiness.classic_app_cookie.cookie_name; did you mean stickiness.enabled?",
    );
    let by_address = Config::parse(pasted("stickiness.type", r#""Value": "source_ip""#).as_bytes()).unwrap_err();
    let by_address = by_address.to_string();
    assert!(
        by_address.starts_with("target_groups.web.stickiness.type: \"source_ip\" is stickiness of "),
        "{by_address}"
    );
    refused(
        &pasted("stickiness.enabled", r#""Value": null"#),
        "target_groups.web.Attributes[0].Value: null is not a string",
    );
    refused(
        &pasted("slow_start.duration_seconds", r#""Value": ["0"]"#),
        "target_groups.web.Attributes[0].Value: a list is not a string",
    );
    refused(
        &pasted("stickiness.enabled", r#""Valeu": "true""#),
        "target_groups.web.Attributes[0].Valeu: there is no such key; allowed here: Key, Value; did you mean Value?",
    );
    refused(
        &with_attributes(r#"{"Attributes": [{"Key": "stickiness.enabled"}]}"#),
        "target_groups.web.Attributes[0].Value: is required",
    );
    refused(&with_attributes(r#"{"Attributes": null}"#), "target_groups.web.Attributes: null is not a list");
}

#[test]
fn a_pasted_attribute_that_is_given_twice_is_refused() {
    for key in ["stickiness.enabled", "slow_start.duration_seconds"] {
        let attribute = format!(r#"{{"Key": "{key}", "Value": "0"}}"#);
        refused(
            &with_attributes(&format!(r#"{{"Attributes": [{attribute}, {attribute}]}}"#)),
            &format!("target_groups.web.Attributes[1].Key: \"{key}\" is given twice"),
        );
    }
    refused(
        &with_attributes(
            r#"{"Attributes": [{"Key": "stickiness.enabled", "Value": "true"}], "stickiness": {"enabled": true}}"#,
        ),
        "target_groups.web.stickiness.enabled: is given twice",
    );
    refused(
        &with_attributes(r#"{"Attributes": [], "Attributes": []}"#),
        "target_groups.web.Attributes: is given twice",
    );
}

#[test]
fn a_target_group_with_pasted_attributes_that_is_given_in_two_forms_is_given_twice() {
    refused(
        &format!(r#"{{"target_groups": {{"web": {ATTRIBUTES}}}, "target_groups.web": {{}}}}"#),
        "target_groups.web: is given twice",
    );
    refused(
        &format!(r#"{{"target_groups": {{"web": {ATTRIBUTES}}}, "target_groups.web": {ATTRIBUTES}}}"#),
        "target_groups.web: is given twice",
    );
    let enabled = r#""Attributes": [{"Key": "stickiness.enabled", "Value": "true"}], "stickiness.enabled": "true""#;
    refused(&with_attributes(&format!("{{{enabled}}}")), "target_groups.web.stickiness.enabled: is given twice");
}

#[test]
fn an_error_in_pasted_text_is_told_before_a_key_that_is_given_twice() {
    let wrong = r#"{"Attributes": [{"Key": "stickiness.enabled", "Value": null}]}"#;
    let problem = "target_groups.web.Attributes[0].Value: null is not a string";
    refused(&format!(r#"{{"target_groups": {{"web": {{}}, "web": {wrong}}}}}"#), problem);
    refused(&format!(r#"{{"target_groups": {{"web": {{}}}}, "target_groups.web": {wrong}}}"#), problem);
    refused(
        r#"{"rules": [], "rules": [{"Type": "forward", "Order": 0}]}"#,
        "rules[0].Order: 0 is not between 1 and 50000",
    );
}

#[test]
fn an_error_in_attributes_under_a_dotted_key_names_the_target_group() {
    let wrong = r#"{"Attributes": [{"Key": "stickiness.enabled", "Value": null}]}"#;
    let problem = r#"policies."for.long".Attributes[0].Value: null is not a string"#;
    refused(&format!(r#"{{"policies.for.long": {wrong}}}"#), problem);
    refused(&format!(r#"{{"policies": {{"for.long": {wrong}}}}}"#), problem);
}

#[test]
fn a_forward_action_can_be_pasted_as_aws_prints_it() {
    let expected = Rule::new(
        vec!["blue".to_owned(), "green".to_owned()],
        Some(Duration::from_secs(1000)),
        OnEmptyGroup::Fail,
        CookieOptions::default(),
    );
    let action: serde_json::Value = serde_json::from_str(ACTION).unwrap();
    let forward_config = &action["ForwardConfig"];
    for pasted in [ACTION.to_owned(), format!(r#"{{"ForwardConfig": {forward_config}}}"#), forward_config.to_string()] {
        assert_eq!(*parse(&with_action(&pasted)).rules()[0], expected, "{pasted}");
        let in_struct = Config::parse(&as_struct(&with_action(&pasted))).unwrap().config;
        assert_eq!(*in_struct.rules()[0], expected, "{pasted}");
    }
}

#[test]
fn a_forward_to_one_target_group_can_be_pasted() {
    let arn = "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067";
    let whole = format!(
        r#"{{"Type": "forward", "Order": 50000, "TargetGroupArn": "{arn}", "ForwardConfig": {{
            "TargetGroups": [{{"TargetGroupArn": "{arn}", "Weight": 1}}],
            "TargetGroupStickinessConfig": {{"Enabled": false}}}}}}"#
    );
    for pasted in [whole, format!(r#"{{"Type": "forward", "TargetGroupArn": "{arn}"}}"#)] {
        let config = parse(&with_action(&pasted));
        assert_eq!(config.rules()[0].target_groups, ["my-targets"]);
        assert_eq!(config.rules()[0].stickiness, None);
    }
}

#[test]
fn a_forward_that_does_not_say_that_it_is_sticky_is_not_as_at_aws() {
    let config = parse(&with_action(
        r#"{"TargetGroups": [{"TargetGroupArn": "blue"}], "TargetGroupStickinessConfig": {"DurationSeconds": 60}}"#,
    ));
    assert_eq!(config.rules()[0].stickiness, None);
}

#[test]
fn our_keys_may_stand_beside_a_pasted_action() {
    let config = parse(&with_action(
        r#"{"ForwardConfig": {
                "TargetGroups": [{"TargetGroupArn": "outbound|80||web.default"}, {"TargetGroupArn": "blue"}],
                "TargetGroupStickinessConfig": {"Enabled": true, "DurationSeconds": 60}},
            "on_empty_group": "repick", "cookie.path": "/app"}"#,
    ));
    let rule = &config.rules()[0];
    assert_eq!(rule.target_groups, ["outbound|80||web.default", "blue"]);
    assert_eq!(rule.on_empty_group, OnEmptyGroup::Repick { probe_path: "/".into() });
    assert_eq!(rule.cookie.path, "/app");
    refused(
        &with_action(r#"{"TargetGroups": [{"TargetGroupArn": "blue"}], "target_groups": ["blue"]}"#),
        "rules[0].target_groups: is given twice",
    );
}

#[test]
fn an_action_that_is_no_forward_is_refused_by_name() {
    for action in [
        r#""Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}"#,
        r#""FixedResponseConfig": {"StatusCode": "404"}, "Type": "fixed-response""#,
        r#""Type": "authenticate-oidc", "Order": 1"#,
    ] {
        let error = Config::parse(with_action(&format!("{{{action}}}")).as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("rules[0].Type: \""), "{error}");
        assert!(error.ends_with("\" is not \"forward\": only forward has target groups"), "{error}");
    }
    refused(&with_action(r#"{"Type": 5}"#), "rules[0].Type: 5 is not a string");
}

#[test]
fn an_arn_of_anything_but_a_target_group_is_refused() {
    for arn in [
        "arn:",
        "arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/my-lb/50dc6c495c0c9188",
        "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/web",
        "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup//73e2d6bc24d8a067",
        "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/web/",
        "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/web/73e2d6bc24d8a067/x",
        "arn:aws:ecs:us-west-2:123456789012:targetgroup/web/73e2d6bc24d8a067",
    ] {
        let pasted =
            with_action(&format!(r#"{{"ForwardConfig": {{"TargetGroups": [{{"TargetGroupArn": "{arn}"}}]}}}}"#));
        let error = Config::parse(pasted.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("rules[0].ForwardConfig.TargetGroups[0].TargetGroupArn: \"arn:"), "{error}");
        assert!(
            error.ends_with(
                "is not the ARN of a target group: \
                 arn:<partition>:elasticloadbalancing:<region>:<account>:targetgroup/<name>/<id>"
            ),
            "{error}"
        );
    }
}

#[test]
fn an_error_in_a_pasted_action_is_told_where_it_stands() {
    let of = |group: &str, stickiness: &str| {
        with_action(&format!(
            r#"{{"ForwardConfig": {{"TargetGroups": [{group}], "TargetGroupStickinessConfig": {stickiness}}}}}"#
        ))
    };
    let blue = r#"{"TargetGroupArn": "blue"}"#;
    refused(
        &of(r#"{"TargetGroupArn": "blue", "Weight": 1000}"#, "{}"),
        "rules[0].ForwardConfig.TargetGroups[0].Weight: 1000 is not between 0 and 999",
    );
    refused(
        &of(r#"{"TargetGroupArn": "blue", "Weight": null}"#, "{}"),
        "rules[0].ForwardConfig.TargetGroups[0].Weight: null is not a whole number between 0 and 999",
    );
    refused(&of("{}", "{}"), "rules[0].ForwardConfig.TargetGroups[0].TargetGroupArn: is required");
    refused(
        &of(blue, r#"{"Enabled": true}"#),
        "rules[0].ForwardConfig.TargetGroupStickinessConfig.DurationSeconds: is required where target group stickiness \
         is enabled: a whole number between 1 and 604800",
    );
    refused(
        &of(blue, r#"{"Enabled": true, "DurationSeconds": 604801}"#),
        "rules[0].ForwardConfig.TargetGroupStickinessConfig.DurationSeconds: 604801 is not between 1 and 604800",
    );
    refused(
        &of(blue, r#"{"Enable": true}"#),
        "rules[0].ForwardConfig.TargetGroupStickinessConfig.Enable: there is no such key; allowed here: Enabled, \
         DurationSeconds; did you mean Enabled?",
    );
    refused(
        &with_action(r#"{"ForwardConfg": {}}"#),
        "rules[0].ForwardConfg: there is no such key; allowed here: Type, Order, TargetGroupArn, ForwardConfig, \
         TargetGroups, TargetGroupStickinessConfig; did you mean ForwardConfig?",
    );
    refused(
        &with_action(r#"{"Type": "forward", "Order": 0, "TargetGroupArn": "blue"}"#),
        "rules[0].Order: 0 is not between 1 and 50000",
    );
    refused(
        &with_action(r#"{"TargetGroupArn": "blue", "TargetGroups": [{"TargetGroupArn": "green"}]}"#),
        "rules[0].TargetGroupArn: is not one of the target groups of the forward",
    );
    refused(
        &with_action(&format!(r#"{{"ForwardConfig": {{}}, "TargetGroups": [{blue}]}}"#)),
        "rules[0].ForwardConfig: is given beside keys that belong inside it: TargetGroups, TargetGroupStickinessConfig",
    );
    refused(&with_action(r#"{"Type": "forward"}"#), "rules[0].TargetGroups: 0 target groups are not between 1 and 5");
}

#[test]
fn a_pasted_weighted_forward_to_sticky_target_groups_needs_group_stickiness_as_at_aws() {
    let error = Config::parse(with_action(&ACTION.replace("true", "false")).as_bytes()).unwrap_err().to_string();
    assert!(
        error.starts_with(
            "rules[0].target_group_stickiness: You must enable group stickiness on a rule if you enabled target \
             stickiness on one of its target groups: \"blue\" is sticky; "
        ),
        "{error}"
    );
}

#[test]
fn too_many_target_groups_are_refused_where_they_were_pasted() {
    let groups = ["a", "b", "c", "d", "e", "f"].map(|name| format!(r#"{{"TargetGroupArn": "{name}"}}"#)).join(", ");
    refused(
        &with_action(&format!(r#"{{"ForwardConfig": {{"TargetGroups": [{groups}]}}}}"#)),
        "rules[0].ForwardConfig.TargetGroups: 6 target groups are not between 1 and 5",
    );
    refused(
        &with_action(r#"{"TargetGroups": [{"TargetGroupArn": "a"}, {"TargetGroupArn": "a"}]}"#),
        "rules[0].TargetGroups[1]: \"a\" is given twice",
    );
}

#[test]
fn a_whole_rule_is_refused_with_what_to_paste() {
    refused(
        &with_action(r#"{"RuleArn": "arn:x", "Priority": "1", "Actions": []}"#),
        "rules[0].RuleArn: belongs to a whole rule; paste one of its Actions",
    );
}
