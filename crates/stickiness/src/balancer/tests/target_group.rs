//! Target-group stickiness.

use crate::outcome::Outcome;
use crate::testing::{Client, Fixture, NOON, TargetAnswer, WEB_A, after, attributes, value};

const BLUE: TargetAnswer<'static> = TargetAnswer { target_group: "blue", target: "10.0.1.1:80", ..WEB_A };
const GREEN: TargetAnswer<'static> = TargetAnswer { target_group: "green", target: "10.0.2.1:80", ..WEB_A };

const BOTH_LEVELS: &str = r#"{"rules": [{"target_groups": ["blue", "green"],
    "target_group_stickiness": {"enabled": true, "duration_seconds": 60}}]}"#;
const GROUP_ONLY: &str = r#"{"target_groups": {"*": {"stickiness": {"enabled": false}}}, "rules": [
    {"target_groups": ["blue", "green"], "target_group_stickiness": {"enabled": true, "duration_seconds": 60}}]}"#;

fn names(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| line.split('=').next().unwrap()).collect()
}

#[test]
fn the_pair_of_the_target_group_comes_before_that_of_the_target() {
    let lines = Client::default().ask(&Fixture::new(BOTH_LEVELS), BLUE).lines;
    assert_eq!(names(&lines), ["AWSALBTG", "AWSALBTGCORS", "AWSALB", "AWSALBCORS"]);
    assert_eq!(value(&lines[0]), value(&lines[1]));
    assert_eq!(attributes(&lines[0]), " Expires=Tue, 14 Nov 2023 22:14:20 GMT; Path=/");
    assert_eq!(attributes(&lines[1]), " Expires=Tue, 14 Nov 2023 22:14:20 GMT; Path=/; SameSite=None");
}

#[test]
fn a_client_stays_in_its_group_whatever_the_weights_pick() {
    let fixture = Fixture::new(BOTH_LEVELS);
    let mut client = Client::default();
    client.ask(&fixture, BLUE);
    let seen = client.ask_routed(&fixture, "green", BLUE).unwrap();
    assert_eq!(seen.reroute.as_deref(), Some("blue"));
    assert_eq!(seen.pin.as_deref(), Some("10.0.1.1:80"));
    assert_eq!(seen.outcome, Outcome::Pinned);
}

#[test]
fn the_weights_decide_about_a_new_client() {
    let fixture = Fixture::new(BOTH_LEVELS);
    let seen = Client::default().ask(&fixture, GREEN);
    assert_eq!((seen.reroute, seen.outcome), (None, Outcome::NoCookie));
}

#[test]
fn every_answer_renews_and_after_the_duration_the_weights_decide_again() {
    let fixture = Fixture::new(GROUP_ONLY);
    let mut client = Client::default();
    for seconds in [0, 50, 100] {
        assert_eq!(client.ask(&fixture, TargetAnswer { at: after(seconds), ..BLUE }).lines.len(), 2);
    }
    let seen = client.ask_routed(&fixture, "green", TargetAnswer { at: after(160), ..GREEN }).unwrap();
    assert_eq!((seen.reroute, seen.outcome), (None, Outcome::Expired));
}

#[test]
fn where_targets_are_not_sticky_the_group_alone_pins() {
    let fixture = Fixture::new(GROUP_ONLY);
    let mut client = Client::default();
    assert_eq!(names(&client.ask(&fixture, BLUE).lines), ["AWSALBTG", "AWSALBTGCORS"]);
    let another_target = TargetAnswer { target: "10.0.1.2:80", ..BLUE };
    let seen = client.ask_routed(&fixture, "green", another_target).unwrap();
    assert_eq!((seen.pin, seen.outcome), (None, Outcome::Pinned));
}

#[test]
fn a_group_that_left_the_rule_leaves_the_choice_to_the_weights() {
    let before = Fixture::new(BOTH_LEVELS);
    let mut client = Client::default();
    client.ask(&before, GREEN);
    let after = Fixture::new(&BOTH_LEVELS.replace("green", "red"));
    let seen = client.ask(&after, BLUE);
    assert_eq!((seen.reroute, seen.outcome), (None, Outcome::WrongGroup));
    assert_eq!(client.ask(&after, BLUE).outcome, Outcome::Pinned);
}

#[test]
fn a_client_whose_group_has_no_route_any_more_joins_the_one_that_answers() {
    let fixture = Fixture::new(BOTH_LEVELS);
    let mut client = Client::default();
    client.ask(&fixture, BLUE);
    let seen = client.ask_routed(&fixture, "green", GREEN).unwrap();
    assert_eq!((seen.reroute.as_deref(), seen.outcome), (Some("blue"), Outcome::Moved));
    let seen = client.ask_routed(&fixture, "blue", GREEN).unwrap();
    assert_eq!((seen.reroute.as_deref(), seen.outcome), (Some("green"), Outcome::Pinned));
}

#[test]
fn a_bad_cookie_is_counted_by_what_is_wrong_with_it() {
    let fixture = Fixture::new(GROUP_ONLY);
    let outcome = |cookies: &str| fixture.receive("blue", cookies, NOON).unwrap().outcome();
    assert_eq!(outcome("AWSALBTG=garbage"), Outcome::Malformed);
    let lb_cookie = Client::default().ask(&Fixture::new("{}"), BLUE).lines;
    assert_eq!(outcome(&format!("AWSALBTG={}", value(&lb_cookie[0]))), Outcome::Malformed);
}

#[test]
fn the_nearest_cookie_of_both_levels_tells_the_miss() {
    let fixture = Fixture::new(BOTH_LEVELS);
    assert_eq!(fixture.receive("blue", "AWSALBTG=garbage", NOON).unwrap().outcome(), Outcome::Malformed);
    let mut client = Client::default();
    client.ask(&fixture, BLUE);
    client.jar.retain(|name, _| name.starts_with("AWSALBTG"));
    assert_eq!(client.ask(&fixture, BLUE).outcome, Outcome::NoCookie);
}

#[test]
fn a_target_group_of_two_rules_is_kept_in_either() {
    let fixture = Fixture::new(
        r#"{"rules": [
            {"target_groups": ["blue", "green"], "target_group_stickiness": {"duration_seconds": 60}},
            {"target_groups": ["blue", "red"], "target_group_stickiness": {"duration_seconds": 600}}]}"#,
    );
    let red = TargetAnswer { target_group: "red", target: "10.0.3.1:80", ..WEB_A };
    let mut client = Client::default();
    client.ask(&fixture, red);
    let seen = client.ask_routed(&fixture, "blue", TargetAnswer { at: after(500), ..red }).unwrap();
    assert_eq!((seen.reroute.as_deref(), seen.outcome), (Some("red"), Outcome::Pinned));
}

#[test]
fn a_rule_without_stickiness_leaves_every_request_to_the_weights() {
    let fixture = Fixture::new(
        r#"{"target_groups": {"*": {"stickiness": {"enabled": false}}}, "rules": [{"target_groups": ["blue", "green"]}]}"#,
    );
    assert!(fixture.receive("blue", "", NOON).is_none());
}

#[test]
fn the_applications_cookie_is_followed_in_weighted_groups_too() {
    let fixture = Fixture::new(
        r#"{"target_groups": {"*": {"stickiness": {"type": "app_cookie", "app_cookie": {"cookie_name": "sid"}}}},
            "rules": [{"target_groups": ["blue", "green"], "target_group_stickiness": {"duration_seconds": 60}}]}"#,
    );
    let mut client = Client::default();
    let lines = client.ask(&fixture, TargetAnswer { set_cookies: &["sid=1"], ..BLUE }).lines;
    assert_eq!(names(&lines), ["AWSALBTG", "AWSALBTGCORS", "AWSALBAPP-0"]);
    let seen = client.ask_routed(&fixture, "green", BLUE).unwrap();
    assert_eq!((seen.reroute.as_deref(), seen.pin.as_deref()), (Some("blue"), Some("10.0.1.1:80")));
}

#[test]
fn of_many_rules_with_the_same_names_each_judges_every_cookie() {
    let rules: Vec<String> = (0..20)
        .map(|number| {
            format!(
                r#"{{"target_groups": ["blue", "group-{number}"], "target_group_stickiness": {{"duration_seconds": 60}},
                    "cookie": {{"name": "{}"}}}}"#,
                if number % 2 == 0 { "EVEN" } else { "ODD" }
            )
        })
        .collect();
    let fixture = Fixture::new(&format!(r#"{{"rules": [{}]}}"#, rules.join(",")));
    for number in [0, 1, 18, 19] {
        let group = format!("group-{number}");
        let mut client = Client::default();
        client.jar.insert("EVENTG".into(), "garbage".into());
        client.ask(&fixture, TargetAnswer { target_group: &group, ..BLUE });
        let seen = client.ask_routed(&fixture, "blue", TargetAnswer { target_group: &group, ..BLUE }).unwrap();
        assert_eq!((seen.reroute, seen.outcome), (Some(group), Outcome::Pinned));
    }
}

#[test]
fn another_target_of_the_group_is_no_reason_for_a_new_group_cookie() {
    let fixture = Fixture::new(&GROUP_ONLY.replacen('{', r#"{"cookie": {"renew": "on_change"}, "#, 1));
    let mut client = Client::default();
    assert_eq!(client.ask(&fixture, BLUE).lines.len(), 2);
    assert!(client.ask(&fixture, TargetAnswer { target: "10.0.1.2:80", ..BLUE }).lines.is_empty());
}

#[test]
fn a_bad_group_cookie_tells_though_the_targets_cookie_is_good() {
    let fixture = Fixture::new(BOTH_LEVELS);
    let mut client = Client::default();
    client.ask(&fixture, BLUE);
    let cookies = format!("AWSALBTG=garbage; AWSALB={}", client.jar["AWSALB"]);
    let session = fixture.receive("blue", &cookies, NOON).unwrap();
    assert_eq!((session.outcome(), session.pin()), (Outcome::Malformed, Some(BLUE.target)));
    let only_the_target = format!("AWSALB={}", client.jar["AWSALB"]);
    assert_eq!(fixture.receive("blue", &only_the_target, NOON).unwrap().outcome(), Outcome::Pinned);
}
