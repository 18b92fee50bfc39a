//! Target-group stickiness.

use crate::outcome::Outcome;
use crate::testing::{Browser, By, NOON, Site, WEB_A, after, attributes, value};

const BLUE: By<'static> = By { target_group: "blue", target: "10.0.1.1:80", ..WEB_A };
const GREEN: By<'static> = By { target_group: "green", target: "10.0.2.1:80", ..WEB_A };

const BOTH_LEVELS: &str = r#"{"rules": [{"target_groups": ["blue", "green"],
    "target_group_stickiness": {"enabled": true, "duration_seconds": 60}}]}"#;
const GROUP_ONLY: &str = r#"{"target_groups": {"*": {"stickiness": {"enabled": false}}}, "rules": [
    {"target_groups": ["blue", "green"], "target_group_stickiness": {"enabled": true, "duration_seconds": 60}}]}"#;

fn names(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| line.split('=').next().unwrap()).collect()
}

#[test]
fn the_pair_of_the_target_group_comes_before_that_of_the_target() {
    let lines = Browser::default().ask(&Site::new(BOTH_LEVELS), BLUE).lines;
    assert_eq!(names(&lines), ["AWSALBTG", "AWSALBTGCORS", "AWSALB", "AWSALBCORS"]);
    assert_eq!(value(&lines[0]), value(&lines[1]));
    assert_eq!(attributes(&lines[0]), " Expires=Tue, 14 Nov 2023 22:14:20 GMT; Path=/");
    assert_eq!(attributes(&lines[1]), " Expires=Tue, 14 Nov 2023 22:14:20 GMT; Path=/; SameSite=None");
}

#[test]
fn a_client_stays_in_its_group_whatever_the_weights_pick() {
    let site = Site::new(BOTH_LEVELS);
    let mut browser = Browser::default();
    browser.ask(&site, BLUE);
    let seen = browser.ask_routed(&site, "green", BLUE).unwrap();
    assert_eq!(seen.reroute.as_deref(), Some("blue"));
    assert_eq!(seen.pin.as_deref(), Some("10.0.1.1:80"));
    assert_eq!(seen.outcome, Outcome::Pinned);
}

#[test]
fn the_weights_decide_about_a_new_client() {
    let site = Site::new(BOTH_LEVELS);
    let seen = Browser::default().ask(&site, GREEN);
    assert_eq!((seen.reroute, seen.outcome), (None, Outcome::NoCookie));
}

#[test]
fn every_answer_renews_and_after_the_duration_the_weights_decide_again() {
    let site = Site::new(GROUP_ONLY);
    let mut browser = Browser::default();
    for seconds in [0, 50, 100] {
        assert_eq!(browser.ask(&site, By { at: after(seconds), ..BLUE }).lines.len(), 2);
    }
    let seen = browser.ask_routed(&site, "green", By { at: after(160), ..GREEN }).unwrap();
    assert_eq!((seen.reroute, seen.outcome), (None, Outcome::Expired));
}

#[test]
fn where_targets_are_not_sticky_the_group_alone_pins() {
    let site = Site::new(GROUP_ONLY);
    let mut browser = Browser::default();
    assert_eq!(names(&browser.ask(&site, BLUE).lines), ["AWSALBTG", "AWSALBTGCORS"]);
    let another_target = By { target: "10.0.1.2:80", ..BLUE };
    let seen = browser.ask_routed(&site, "green", another_target).unwrap();
    assert_eq!((seen.pin, seen.outcome), (None, Outcome::Pinned));
}

#[test]
fn a_group_that_left_the_rule_leaves_the_choice_to_the_weights() {
    let before = Site::new(BOTH_LEVELS);
    let mut browser = Browser::default();
    browser.ask(&before, GREEN);
    let after = Site::new(&BOTH_LEVELS.replace("green", "red"));
    let seen = browser.ask(&after, BLUE);
    assert_eq!((seen.reroute, seen.outcome), (None, Outcome::WrongGroup));
    assert_eq!(browser.ask(&after, BLUE).outcome, Outcome::Pinned);
}

#[test]
fn a_client_whose_group_has_no_route_any_more_joins_the_one_that_answers() {
    let site = Site::new(BOTH_LEVELS);
    let mut browser = Browser::default();
    browser.ask(&site, BLUE);
    let seen = browser.ask_routed(&site, "green", GREEN).unwrap();
    assert_eq!((seen.reroute.as_deref(), seen.outcome), (Some("blue"), Outcome::Moved));
    let seen = browser.ask_routed(&site, "blue", GREEN).unwrap();
    assert_eq!((seen.reroute.as_deref(), seen.outcome), (Some("green"), Outcome::Pinned));
}

#[test]
fn a_bad_cookie_is_counted_by_what_is_wrong_with_it() {
    let site = Site::new(GROUP_ONLY);
    let outcome = |cookies: &str| site.receive("blue", cookies, NOON).unwrap().outcome();
    assert_eq!(outcome("AWSALBTG=garbage"), Outcome::Malformed);
    let lb_cookie = Browser::default().ask(&Site::new("{}"), BLUE).lines;
    assert_eq!(outcome(&format!("AWSALBTG={}", value(&lb_cookie[0]))), Outcome::Malformed);
}

#[test]
fn the_nearest_cookie_of_both_levels_tells_the_miss() {
    let site = Site::new(BOTH_LEVELS);
    assert_eq!(site.receive("blue", "AWSALBTG=garbage", NOON).unwrap().outcome(), Outcome::Malformed);
    let mut browser = Browser::default();
    browser.ask(&site, BLUE);
    browser.jar.retain(|name, _| name.starts_with("AWSALBTG"));
    assert_eq!(browser.ask(&site, BLUE).outcome, Outcome::NoCookie);
}

#[test]
fn a_target_group_of_two_rules_is_kept_in_either() {
    let site = Site::new(
        r#"{"rules": [
            {"target_groups": ["blue", "green"], "target_group_stickiness": {"duration_seconds": 60}},
            {"target_groups": ["blue", "red"], "target_group_stickiness": {"duration_seconds": 600}}]}"#,
    );
    let red = By { target_group: "red", target: "10.0.3.1:80", ..WEB_A };
    let mut browser = Browser::default();
    browser.ask(&site, red);
    let seen = browser.ask_routed(&site, "blue", By { at: after(500), ..red }).unwrap();
    assert_eq!((seen.reroute.as_deref(), seen.outcome), (Some("red"), Outcome::Pinned));
}

#[test]
fn a_rule_without_stickiness_leaves_every_request_to_the_weights() {
    let site = Site::new(
        r#"{"target_groups": {"*": {"stickiness": {"enabled": false}}}, "rules": [{"target_groups": ["blue", "green"]}]}"#,
    );
    assert!(site.receive("blue", "", NOON).is_none());
}

#[test]
fn the_applications_cookie_is_followed_in_weighted_groups_too() {
    let site = Site::new(
        r#"{"target_groups": {"*": {"stickiness": {"type": "app_cookie", "app_cookie": {"cookie_name": "sid"}}}},
            "rules": [{"target_groups": ["blue", "green"], "target_group_stickiness": {"duration_seconds": 60}}]}"#,
    );
    let mut browser = Browser::default();
    let lines = browser.ask(&site, By { set_cookies: &["sid=1"], ..BLUE }).lines;
    assert_eq!(names(&lines), ["AWSALBTG", "AWSALBTGCORS", "AWSALBAPP-0"]);
    let seen = browser.ask_routed(&site, "green", BLUE).unwrap();
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
    let site = Site::new(&format!(r#"{{"rules": [{}]}}"#, rules.join(",")));
    for number in [0, 1, 18, 19] {
        let group = format!("group-{number}");
        let mut browser = Browser::default();
        browser.jar.insert("EVENTG".into(), "garbage".into());
        browser.ask(&site, By { target_group: &group, ..BLUE });
        let seen = browser.ask_routed(&site, "blue", By { target_group: &group, ..BLUE }).unwrap();
        assert_eq!((seen.reroute, seen.outcome), (Some(group), Outcome::Pinned));
    }
}

#[test]
fn another_target_of_the_group_is_no_reason_for_a_new_group_cookie() {
    let site = Site::new(&GROUP_ONLY.replacen('{', r#"{"cookie": {"renew": "on_change"}, "#, 1));
    let mut browser = Browser::default();
    assert_eq!(browser.ask(&site, BLUE).lines.len(), 2);
    assert!(browser.ask(&site, By { target: "10.0.1.2:80", ..BLUE }).lines.is_empty());
}

#[test]
fn a_bad_group_cookie_tells_though_the_targets_cookie_is_good() {
    let site = Site::new(BOTH_LEVELS);
    let mut browser = Browser::default();
    browser.ask(&site, BLUE);
    let cookies = format!("AWSALBTG=garbage; AWSALB={}", browser.jar["AWSALB"]);
    let session = site.receive("blue", &cookies, NOON).unwrap();
    assert_eq!((session.outcome(), session.pin()), (Outcome::Malformed, Some(BLUE.target)));
    let only_the_target = format!("AWSALB={}", browser.jar["AWSALB"]);
    assert_eq!(site.receive("blue", &only_the_target, NOON).unwrap().outcome(), Outcome::Pinned);
}
