use super::*;

fn rule(json: &str) -> Rc<Rule> {
    parse(json).rules()[0].clone()
}

#[test]
fn without_rules_there_are_none() {
    assert_eq!(parse("{}").rules(), []);
    assert_eq!(parse(r#"{"rules": []}"#).rules(), []);
}

#[test]
fn a_rule_is_read() {
    let json = r#"{"rules": [{"target_groups": ["blue", "green"], "on_empty_group": "repick", "probe_path": "/healthz",
        "target_group_stickiness": {"enabled": true, "duration_seconds": 3600}, "cookie": {"http_only": true}}]}"#;
    let expected = Rule::new(
        vec!["blue".to_owned(), "green".to_owned()],
        Some(Duration::from_hours(1)),
        OnEmptyGroup::Repick { probe_path: "/healthz".into() },
        CookieOptions { http_only: true, ..CookieOptions::default() },
    );
    assert_eq!(*rule(json), expected);
    assert_eq!(*Config::parse(&as_struct(json)).unwrap().config.rules()[0], expected);
}

#[test]
fn the_keys_of_a_rule_may_be_dotted() {
    let rule = rule(
        r#"{"rules": [{"target_groups": ["blue", "green"], "target_group_stickiness.enabled": "true",
            "target_group_stickiness.duration_seconds": "3600", "cookie.path": "/app"}]}"#,
    );
    assert_eq!(rule.stickiness, Some(Duration::from_hours(1)));
    assert_eq!(rule.cookie.path, "/app");
}

#[test]
fn a_rule_whose_stickiness_is_given_is_sticky_and_fails_without_a_healthy_target() {
    let rule =
        rule(r#"{"rules": [{"target_groups": ["a", "b"], "target_group_stickiness": {"duration_seconds": 604800}}]}"#);
    assert_eq!(rule.stickiness, Some(Duration::from_hours(7 * 24)));
    assert_eq!(rule.on_empty_group, OnEmptyGroup::Fail);
}

#[test]
fn rules_keep_their_order_and_may_share_target_groups() {
    let config = parse(r#"{"rules": [{"target_groups": ["b"]}, {"target_groups": ["a"]}, {"target_groups": ["b"]}]}"#);
    let first: Vec<_> = config.rules().iter().map(|rule| rule.target_groups[0].as_str()).collect();
    assert_eq!(first, ["b", "a", "b"]);
}

#[test]
fn a_rule_has_one_to_five_target_groups() {
    let of = |count: usize| {
        let names: Vec<_> = (0..count).map(|number| format!("\"{number}\"")).collect();
        let stickiness = r#""target_group_stickiness.duration_seconds": 60"#;
        format!(r#"{{"rules": [{{"target_groups": [{}], {stickiness}}}]}}"#, names.join(", "))
    };
    refused(&of(0), "rules[0].target_groups: 0 target groups are not between 1 and 5");
    refused(&of(6), "rules[0].target_groups: 6 target groups are not between 1 and 5");
    refused(r#"{"rules": [{}]}"#, "rules[0].target_groups: is required");
    for count in [1, 5] {
        assert_eq!(rule(&of(count)).target_groups.len(), count);
    }
}

#[test]
fn a_target_group_of_a_rule_has_a_name_and_stands_there_once() {
    let of = |name: &str| format!(r#"{{"rules": [{{"target_groups": ["blue", {name}]}}]}}"#);
    refused(&of(r#""""#), "rules[0].target_groups[1]: \"\" is not the name of a target group");
    refused(&of(r#""*""#), "rules[0].target_groups[1]: \"*\" is not the name of a target group");
    refused(&of(r#""blue""#), "rules[0].target_groups[1]: \"blue\" is given twice");
    refused(&of("null"), "rules[0].target_groups[1]: null is not a string");
}

#[test]
fn target_group_stickiness_that_is_enabled_has_a_duration() {
    for stickiness in ["{}", r#"{"enabled": true}"#] {
        refused(
            &format!(r#"{{"rules": [{{"target_groups": ["blue"], "target_group_stickiness": {stickiness}}}]}}"#),
            "rules[0].target_group_stickiness.duration_seconds: is required where target group stickiness is enabled: \
             a whole number between 1 and 604800",
        );
    }
    for seconds in ["0", "604801"] {
        refused(
            &format!(
                r#"{{"rules": [{{"target_groups": ["a"], "target_group_stickiness.duration_seconds": {seconds}}}]}}"#
            ),
            &format!("rules[0].target_group_stickiness.duration_seconds: {seconds} is not between 1 and 604800"),
        );
    }
}

#[test]
fn a_weighted_rule_without_group_stickiness_is_refused_when_one_of_its_target_groups_is_sticky() {
    let problem = |sticky: &str| {
        format!(
            "rules[0].target_group_stickiness: You must enable group stickiness on a rule if you enabled target \
             stickiness on one of its target groups: {sticky:?} is sticky; give the rule a target_group_stickiness \
             with duration_seconds, or set stickiness.enabled of its target groups to false"
        )
    };
    let off = r#""blue": {"stickiness.enabled": false}"#;
    for (target_groups, sticky) in
        [("", "blue"), (r#""green": {}"#, "green"), (&format!(r#"{off}, "*": {{}}"#), "green")]
    {
        for stickiness in ["", r#", "target_group_stickiness": {"enabled": false, "duration_seconds": 60}"#] {
            refused(
                &format!(
                    r#"{{"target_groups": {{{target_groups}}},
                        "rules": [{{"target_groups": ["blue", "green"]{stickiness}}}]}}"#
                ),
                &problem(sticky),
            );
        }
    }
}

#[test]
fn a_weighted_rule_of_target_groups_that_are_not_sticky_needs_no_group_stickiness() {
    let json = r#"{"target_groups": {"web": {}}, "rules": [{"target_groups": ["blue", "green"]}]}"#;
    assert_eq!(rule(json).stickiness, None);
}

#[test]
fn a_rule_of_one_target_group_needs_no_group_stickiness() {
    assert_eq!(rule(r#"{"rules": [{"target_groups": ["blue"]}]}"#).stickiness, None);
}

#[test]
fn a_probe_path_belongs_to_repick() {
    refused(
        r#"{"rules": [{"target_groups": ["web"], "probe_path": "/healthz"}]}"#,
        "rules[0].probe_path: has no effect without on_empty_group repick",
    );
}

#[test]
fn an_unknown_key_or_word_of_a_rule_is_refused_with_the_near_miss() {
    refused(
        r#"{"rules": [{"target_groups": ["blue"]}, {"target_group": ["blue"]}]}"#,
        "rules[1].target_group: there is no such key; allowed here: target_groups, target_group_stickiness, \
         on_empty_group, probe_path, cookie; did you mean target_groups?",
    );
    refused(
        r#"{"rules": [{"target_groups": ["blue"], "on_empty_group": "repik"}]}"#,
        "rules[0].on_empty_group: \"repik\" is not one of fail, repick; did you mean repick?",
    );
}

#[test]
fn a_key_of_a_rule_that_is_given_twice_is_refused() {
    refused(
        r#"{"rules": [{"target_groups": ["blue"], "cookie": {"path": "/"}, "cookie.path": "/"}]}"#,
        "rules[0].cookie.path: is given twice",
    );
}

#[test]
fn repick_without_a_group_to_keep_or_to_pick_is_refused() {
    let problem = "rules[0].on_empty_group: repick has no effect without target_group_stickiness and another target \
                   group to pick";
    refused(
        r#"{"target_groups": {"*": {"stickiness.enabled": "false"}},
            "rules": [{"target_groups": ["blue", "green"], "on_empty_group": "repick"}]}"#,
        problem,
    );
    refused(
        r#"{"rules": [{"target_groups": ["blue"], "on_empty_group": "repick",
            "target_group_stickiness": {"duration_seconds": 60}}]}"#,
        problem,
    );
}

#[test]
fn a_target_group_of_a_rule_that_is_not_named_beside_sticky_ones_makes_a_warning() {
    let warnings = |target_groups: &str| {
        let rule = r#"{"target_groups": ["blue", "gren"], "target_group_stickiness": {"duration_seconds": 60}}"#;
        let json = format!(r#"{{"rules": [{rule}], "target_groups": {target_groups}}}"#);
        Config::parse(json.as_bytes()).unwrap().warnings
    };
    assert_eq!(
        warnings(r#"{"blue": {}, "green": {}}"#),
        [
            "rules[0].target_groups[1]: \"gren\" is not one of target_groups, so its targets are not sticky, but those of \
          others are; name it there, with stickiness.enabled false if that is meant"
        ]
    );
    for meant in [
        r#"{"blue": {}, "gren": {"stickiness.enabled": false}}"#,
        r#"{"blue": {}, "*": {"stickiness.enabled": false}}"#,
        r#"{"blue": {}, "*": {}}"#,
        r#"{"blue": {"stickiness.enabled": false}}"#,
        r#"{"other": {}}"#,
    ] {
        assert_eq!(warnings(meant), [""; 0], "{meant}");
    }
}
