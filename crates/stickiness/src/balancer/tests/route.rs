//! What a route says about stickiness.

use crate::exchange::RouteChoice;
use crate::outcome::Outcome;
use crate::testing::{Browser, By, Site, WEB_A, after};

const POLICIES: &str = r#"{"target_groups": {"web": {}}, "policies": {
    "short": {"stickiness": {"lb_cookie": {"duration_seconds": 10}}},
    "off": {"stickiness": {"enabled": false}}}}"#;

fn browser(route: RouteChoice) -> Browser {
    Browser { route, ..Browser::default() }
}

fn of_policy(name: &str) -> RouteChoice {
    RouteChoice { policy: Some(name.to_owned()), ..RouteChoice::default() }
}

#[test]
fn a_route_chooses_a_policy_by_its_name() {
    let site = Site::new(POLICIES);
    let mut browser = browser(of_policy("short"));
    let seen = browser.ask(&site, WEB_A);
    assert!(seen.lines[0].contains("Expires=Tue, 14 Nov 2023 22:13:30 GMT"), "{:?}", seen.lines);
    assert_eq!(browser.ask(&site, By { at: after(10), ..WEB_A }).outcome, Outcome::Expired);
}

#[test]
fn a_route_makes_a_target_group_sticky_that_is_not_by_itself() {
    let site = Site::new(POLICIES);
    let api = By { target_group: "api", ..WEB_A };
    assert!(browser(RouteChoice::default()).ask_routed(&site, "api", api).is_none());
    assert_eq!(browser(of_policy("short")).ask(&site, api).lines.len(), 2);
}

#[test]
fn a_route_turns_stickiness_off() {
    let site = Site::new(POLICIES);
    let off = RouteChoice { enabled: Some(false), ..RouteChoice::default() };
    for route in [off, of_policy("off")] {
        assert!(browser(route).ask_routed(&site, "web", WEB_A).is_none());
    }
    let on = RouteChoice { enabled: Some(true), ..RouteChoice::default() };
    assert_eq!(browser(on).ask(&site, WEB_A).lines.len(), 2);
}

#[test]
fn a_policy_that_nobody_configured_leaves_the_target_group_its_own() {
    let site = Site::new(POLICIES);
    let seen = browser(of_policy("shrot")).ask(&site, WEB_A);
    assert!(seen.lines[0].contains("Expires=Wed, 15 Nov 2023"), "{:?}", seen.lines);
}

#[test]
fn a_route_to_one_target_group_alone_is_taken_out_of_the_rule() {
    let site = Site::new(
        r#"{"policies": {}, "rules": [{"target_groups": ["blue", "green"],
            "target_group_stickiness": {"duration_seconds": 3600}}]}"#,
    );
    let [blue, green] = ["blue", "green"].map(|target_group| By { target_group, ..WEB_A });
    let mut browser = browser(RouteChoice::default());
    browser.ask(&site, green);
    browser.route = RouteChoice { rule: Some(false), ..RouteChoice::default() };
    let seen = browser.ask(&site, blue);
    assert_eq!(seen.reroute, None);
    assert!(seen.lines.iter().all(|line| !line.starts_with("AWSALBTG")), "{:?}", seen.lines);
}
