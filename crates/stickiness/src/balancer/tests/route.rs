//! The settings of a route about stickiness.

use crate::exchange::RouteChoice;
use crate::outcome::Outcome;
use crate::testing::{Client, Fixture, TargetAnswer, WEB_A, after};

const POLICIES: &str = r#"{"target_groups": {"web": {}}, "policies": {
    "short": {"stickiness": {"lb_cookie": {"duration_seconds": 10}}},
    "off": {"stickiness": {"enabled": false}}}}"#;

fn client(route: RouteChoice) -> Client {
    Client { route, ..Client::default() }
}

fn of_policy(name: &str) -> RouteChoice {
    RouteChoice { policy: Some(name.to_owned()), ..RouteChoice::default() }
}

#[test]
fn a_route_chooses_a_policy_by_its_name() {
    let fixture = Fixture::new(POLICIES);
    let mut client = client(of_policy("short"));
    let seen = client.ask(&fixture, WEB_A);
    assert!(seen.lines[0].contains("Expires=Tue, 14 Nov 2023 22:13:30 GMT"), "{:?}", seen.lines);
    assert_eq!(client.ask(&fixture, TargetAnswer { at: after(10), ..WEB_A }).outcome, Outcome::Expired);
}

#[test]
fn a_route_makes_a_target_group_sticky_that_is_not_by_itself() {
    let fixture = Fixture::new(POLICIES);
    let api = TargetAnswer { target_group: "api", ..WEB_A };
    assert!(client(RouteChoice::default()).ask_routed(&fixture, "api", api).is_none());
    assert_eq!(client(of_policy("short")).ask(&fixture, api).lines.len(), 2);
}

#[test]
fn a_route_turns_stickiness_off() {
    let fixture = Fixture::new(POLICIES);
    let off = RouteChoice { enabled: Some(false), ..RouteChoice::default() };
    for route in [off, of_policy("off")] {
        assert!(client(route).ask_routed(&fixture, "web", WEB_A).is_none());
    }
    let on = RouteChoice { enabled: Some(true), ..RouteChoice::default() };
    assert_eq!(client(on).ask(&fixture, WEB_A).lines.len(), 2);
}

#[test]
fn a_policy_that_nobody_configured_leaves_the_target_group_its_own() {
    let fixture = Fixture::new(POLICIES);
    let seen = client(of_policy("shrot")).ask(&fixture, WEB_A);
    assert!(seen.lines[0].contains("Expires=Wed, 15 Nov 2023"), "{:?}", seen.lines);
}

#[test]
fn a_route_to_one_target_group_alone_is_taken_out_of_the_rule() {
    let fixture = Fixture::new(
        r#"{"policies": {}, "rules": [{"target_groups": ["blue", "green"],
            "target_group_stickiness": {"duration_seconds": 3600}}]}"#,
    );
    let [blue, green] = ["blue", "green"].map(|target_group| TargetAnswer { target_group, ..WEB_A });
    let mut client = client(RouteChoice::default());
    client.ask(&fixture, green);
    client.route = RouteChoice { rule: Some(false), ..RouteChoice::default() };
    let seen = client.ask(&fixture, blue);
    assert_eq!(seen.reroute, None);
    assert!(seen.lines.iter().all(|line| !line.starts_with("AWSALBTG")), "{:?}", seen.lines);
}
