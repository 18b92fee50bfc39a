//! Several cookies of one name: the newest decides.

use crate::outcome::Outcome;
use crate::testing::{Client, Fixture, TargetAnswer, WEB_A, after};

const OLD: &str = "10.0.0.1:80";
const NEW: &str = "10.0.0.2:80";

/// The configuration of every type of stickiness, with the name of its cookie.
const TYPES: [(&str, &str); 4] = [
    ("{}", "AWSALB"),
    (
        r#"{"target_groups": {"*": {"stickiness.type": "app_cookie", "stickiness.app_cookie.cookie_name": "sid"}}}"#,
        "AWSALBAPP-0",
    ),
    (r#"{"target_groups": {"*": {"stickiness": {"type": "classic_lb_cookie"}}}}"#, "AWSELB"),
    (
        r#"{"target_groups": {"*": {"stickiness": {"type": "classic_app_cookie", "classic_app_cookie": {"cookie_name": "sid"}}}}}"#,
        "AWSELB",
    ),
];

/// The value of the cookie for this target, given so many seconds after noon.
fn value(fixture: &Fixture, name: &str, target: &str, seconds: u64) -> String {
    let mut client = Client::default();
    client.ask(fixture, TargetAnswer { target, at: after(seconds), set_cookies: &["sid=1"], ..WEB_A });
    client.jar[name].clone()
}

#[track_caller]
fn pins_to(fixture: &Fixture, cookies: &str, target: &str) {
    let session = fixture.receive("web", &format!("sid=1; {cookies}"), after(20)).unwrap();
    assert_eq!((session.pin(), session.outcome()), (Some(target), Outcome::Pinned), "{cookies}");
}

#[test]
fn of_two_cookies_of_a_name_the_newer_pins_in_either_order() {
    for (config, name) in TYPES {
        let fixture = Fixture::new(config);
        let [old, new] = [(OLD, 0), (NEW, 10)].map(|(target, seconds)| value(&fixture, name, target, seconds));
        pins_to(&fixture, &format!("{name}={old}; {name}={new}"), NEW);
        pins_to(&fixture, &format!("{name}={new}; {name}={old}"), NEW);
        pins_to(&fixture, &format!("{name}={new}; {name}=garbage; {name}={old}; {name}=_remove_"), NEW);
    }
}

#[test]
fn a_newer_plain_cookie_wins_over_an_older_twin_and_of_equals_the_twin_wins() {
    for (config, name) in TYPES {
        let fixture = Fixture::new(config);
        let [old, new] = [(OLD, 0), (NEW, 10)].map(|(target, seconds)| value(&fixture, name, target, seconds));
        if name == "AWSALBAPP-0" {
            continue;
        }
        pins_to(&fixture, &format!("{name}CORS={old}; {name}={new}"), NEW);
        pins_to(&fixture, &format!("{name}={old}; {name}CORS={new}"), NEW);
        let equal = value(&fixture, name, OLD, 10);
        pins_to(&fixture, &format!("{name}={equal}; {name}CORS={new}"), NEW);
        pins_to(&fixture, &format!("{name}={new}; {name}CORS={equal}"), OLD);
    }
}

#[test]
fn a_newer_cookie_that_does_not_fit_leaves_the_older_one_its_chance() {
    let fixture = Fixture::new("{}");
    let old = value(&fixture, "AWSALB", OLD, 0);
    let mut elsewhere = Client::default();
    elsewhere.ask(&fixture, TargetAnswer { target_group: "api", at: after(10), ..WEB_A });
    let from_far_ahead = value(&fixture, "AWSALB", NEW, 100_000);
    pins_to(&fixture, &format!("AWSALB={old}; AWSALB={}", elsewhere.jar["AWSALB"]), OLD);
    pins_to(&fixture, &format!("AWSALB={from_far_ahead}; AWSALB={old}"), OLD);
}

#[test]
fn of_two_cookies_of_a_target_group_the_newer_decides() {
    let fixture = Fixture::new(
        r#"{"rules": [{"target_groups": ["blue", "green"], "target_group_stickiness": {"duration_seconds": 60}}]}"#,
    );
    let value = |target_group, seconds| {
        let mut client = Client::default();
        client.ask(&fixture, TargetAnswer { target_group, at: after(seconds), ..WEB_A });
        client.jar["AWSALBTG"].clone()
    };
    let (blue, green) = (value("blue", 0), value("green", 10));
    for cookies in [
        format!("AWSALBTG={blue}; AWSALBTG={green}"),
        format!("AWSALBTG={green}; AWSALBTG={blue}"),
        format!("AWSALBTGCORS={blue}; AWSALBTG={green}"),
    ] {
        let session = fixture.receive("blue", &cookies, after(20)).unwrap();
        assert_eq!((session.reroute(), session.target_group()), (Some("green"), "green"), "{cookies}");
    }
}

#[test]
fn the_envelope_with_the_newest_binding_to_the_target_group_pins_and_is_the_one_that_goes_on() {
    let fixture = Fixture::new(TYPES[1].0);
    let api = TargetAnswer { target_group: "api", target: "10.0.9.9:80", set_cookies: &["sid=1"], ..WEB_A };
    // The older envelope has a newer binding, to another target group.
    let mut older = Client::default();
    older.ask(&fixture, TargetAnswer { target: OLD, set_cookies: &["sid=1"], at: after(0), ..WEB_A });
    older.ask(&fixture, TargetAnswer { at: after(15), ..api });
    let mut newer = Client::default();
    newer.ask(&fixture, TargetAnswer { at: after(5), ..api });
    newer.ask(&fixture, TargetAnswer { target: NEW, set_cookies: &["sid=1"], at: after(10), ..WEB_A });
    let (older, newer) = (&older.jar["AWSALBAPP-0"], &newer.jar["AWSALBAPP-0"]);
    pins_to(&fixture, &format!("AWSALBAPP-0={older}; AWSALBAPP-0={newer}"), NEW);

    let mut client = Client::default();
    client.jar.insert("sid".into(), format!("1; AWSALBAPP-0={older}; AWSALBAPP-0={newer}"));
    client.ask(&fixture, TargetAnswer { target: NEW, at: after(20), ..WEB_A });
    client.jar.insert("sid".into(), "1".into());
    assert_eq!(client.ask(&fixture, TargetAnswer { at: after(20), set_cookies: &[], ..api }).outcome, Outcome::Pinned);
}
