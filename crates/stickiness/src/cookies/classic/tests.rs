use super::*;
use crate::testing::{Client, Fixture, KEYS, NOON, OTHER_KEYS, TargetAnswer, WEB_A, after, value};

const PERIOD: &str = r#"{"target_groups": {"*": {"stickiness":
    {"type": "classic_lb_cookie", "classic_lb_cookie": {"cookie_expiration_period": 900}}}}}"#;
const FOLLOWS: &str = r#"{"target_groups": {"*": {"stickiness":
    {"type": "classic_app_cookie", "classic_app_cookie": {"cookie_name": "sid"}}}}}"#;

const OTHER: TargetAnswer<'static> = TargetAnswer { target: "10.0.0.2:80", ..WEB_A };

fn login(line: &'static str) -> Vec<String> {
    Client::default().ask(&Fixture::new(FOLLOWS), TargetAnswer { set_cookies: &[line], ..WEB_A }).lines
}

#[test]
fn both_cookies_are_written_as_aws_writes_them() {
    let lines = Client::default().ask(&Fixture::new(PERIOD), WEB_A).lines;
    let value = value(&lines[0]);
    assert!(value.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte)), "{value}");
    assert_eq!(
        lines,
        [
            format!("AWSELB={value};PATH=/;MAX-AGE=900"),
            format!("AWSELBCORS={value};PATH=/;MAX-AGE=900;SECURE;SAMESITE=None")
        ]
    );
}

#[test]
fn without_a_period_the_cookie_lasts_for_the_browser_session() {
    let fixture = Fixture::new(r#"{"target_groups": {"*": {"stickiness.type": "classic_lb_cookie"}}}"#);
    let lines = Client::default().ask(&fixture, WEB_A).lines;
    assert_eq!(lines[0], format!("AWSELB={};PATH=/", value(&lines[0])));
}

#[test]
fn an_answer_with_a_cookie_is_kept_out_of_caches_and_another_one_is_not() {
    let fixture = Fixture::new(PERIOD);
    let cache_control = |cookies: &str| {
        let reply = fixture.reply(fixture.receive("web", cookies, NOON).unwrap(), WEB_A);
        reply
            .headers()
            .filter(|(name, _)| *name == "cache-control")
            .map(|(_, value)| value.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(cache_control(""), ["no-cache=\"set-cookie\""]);
    let mut client = Client::default();
    client.ask(&fixture, WEB_A);
    assert!(cache_control(&client.cookies()).is_empty());
}

#[test]
fn a_cookie_is_given_once_and_never_judged_by_its_age() {
    let fixture = Fixture::new(PERIOD);
    let mut client = Client::default();
    client.ask(&fixture, WEB_A);
    for seconds in [1, 901, 10_000_000] {
        let seen = client.ask(&fixture, TargetAnswer { at: after(seconds), ..WEB_A });
        assert_eq!((seen.outcome, seen.lines), (Outcome::Pinned, vec![]), "{seconds}");
    }
}

#[test]
fn a_new_cookie_comes_when_none_is_of_use_and_when_another_target_answers() {
    let fixture = Fixture::new(PERIOD);
    let mut client = Client::default();
    client.jar.insert("AWSELB".into(), "00".into());
    let seen = client.ask(&fixture, WEB_A);
    assert_eq!((seen.outcome, seen.lines.len()), (Outcome::Malformed, 2));
    let seen = client.ask(&fixture, OTHER);
    assert_eq!((seen.outcome, seen.lines.len()), (Outcome::Moved, 2));
    assert_eq!(client.ask(&fixture, OTHER).outcome, Outcome::Pinned);
}

#[test]
fn a_cookie_of_one_classic_policy_does_not_pin_under_the_other() {
    let lines = Client::default().ask(&Fixture::new(PERIOD), WEB_A).lines;
    let cookies = format!("sid=1; AWSELB={}", value(&lines[0]));
    assert_eq!(Fixture::new(FOLLOWS).receive("web", &cookies, NOON).unwrap().outcome(), Outcome::Malformed);
}

#[test]
fn the_cookie_takes_over_the_attributes_of_the_applications() {
    let lines = login("sid=1; path=/my_path; HttpOnly; Max-Age=60; Partitioned");
    let value = value(&lines[0]);
    assert_eq!(
        lines,
        [
            format!("AWSELB={value};PATH=/my%5Fpath;HTTPONLY;MAX-AGE=60"),
            format!("AWSELBCORS={value};PATH=/my%5Fpath;HTTPONLY;MAX-AGE=60;SECURE;SAMESITE=None")
        ]
    );
}

#[test]
fn an_applications_cookie_with_a_trailing_semicolon_is_ignored() {
    assert!(login("sid=1; path=/;").is_empty());
}

#[test]
fn an_answer_without_the_applications_cookie_gives_none() {
    let fixture = Fixture::new(FOLLOWS);
    let mut client = Client::default();
    assert!(client.ask(&fixture, WEB_A).lines.is_empty());
    client.ask(&fixture, TargetAnswer { set_cookies: &["sid=1"], ..WEB_A });
    let seen = client.ask(&fixture, WEB_A);
    assert_eq!((seen.outcome, seen.lines), (Outcome::Pinned, vec![]));
}

#[test]
fn the_applications_cookie_has_to_come_too() {
    let fixture = Fixture::new(FOLLOWS);
    let mut client = Client::default();
    client.ask(&fixture, TargetAnswer { set_cookies: &["sid=1"], ..WEB_A });
    client.jar.remove("sid");
    assert_eq!(client.ask(&fixture, WEB_A).outcome, Outcome::NoCookie);
}

#[test]
fn the_application_that_deletes_its_cookie_deletes_ours() {
    let lines = login("sid=; Path=/; Max-Age=0");
    assert!(lines.iter().all(|line| line.contains(";PATH=/;MAX-AGE=0")), "{lines:?}");
}

#[test]
fn another_target_that_answers_gets_a_cookie_with_the_attributes_of_the_first() {
    let fixture = Fixture::new(FOLLOWS);
    let mut client = Client::default();
    client.ask(&fixture, TargetAnswer { set_cookies: &["sid=1; Path=/shop"], ..WEB_A });
    let seen = client.ask(&fixture, OTHER);
    assert_eq!(seen.outcome, Outcome::Moved);
    assert!(seen.lines[0].ends_with(";PATH=/shop"), "{:?}", seen.lines);
    let seen = client.ask(&fixture, OTHER);
    assert_eq!((seen.outcome, seen.lines), (Outcome::Pinned, vec![]));
}

#[test]
fn without_a_twin_there_is_one_cookie() {
    for config in [PERIOD, FOLLOWS] {
        let fixture = Fixture::new(&config.replacen('{', r#"{"cookie": {"twin": false}, "#, 1));
        let by = TargetAnswer { set_cookies: &["sid=1"], ..WEB_A };
        assert_eq!(Client::default().ask(&fixture, by).lines.len(), 1);
    }
}

#[test]
fn attributes_too_long_for_a_cookie_are_written_and_not_remembered() {
    let fixture = Fixture::new(FOLLOWS);
    let mut client = Client::default();
    let line = format!("sid=1; Path=/shop; Comment={}", "x".repeat(3000));
    let lines = client.ask(&fixture, TargetAnswer { set_cookies: &[&line], ..WEB_A }).lines;
    assert!(lines[0].contains(";PATH=/shop;COMMENT=xxx"), "{lines:?}");
    let seen = client.ask(&fixture, OTHER);
    assert_eq!((seen.outcome, seen.lines.len()), (Outcome::Moved, 2));
}

#[test]
fn the_attributes_that_the_operator_asked_for_are_there_in_capitals() {
    let options = r#"{"cookie": {"secure": "always", "http_only": true, "partitioned": true, "same_site": "lax",
        "domain": "example.com", "path": "/shop"}, "#;
    let lines = Client::default().ask(&Fixture::new(&PERIOD.replacen('{', options, 1)), WEB_A).lines;
    let common = ";PATH=/shop;DOMAIN=example.com;MAX-AGE=900;SECURE;HTTPONLY;PARTITIONED";
    assert!(lines[0].ends_with(&format!("{common};SAMESITE=Lax")), "{lines:?}");
    assert!(lines[1].ends_with(&format!("{common};SAMESITE=None")), "{lines:?}");
}

/// A load balancer with a new key before the old one, and one with the new key alone.
fn rotated(config: &str) -> [Fixture; 2] {
    [&format!("{OTHER_KEYS},{KEYS}"), OTHER_KEYS].map(|keys| Fixture::with_keys(config, keys))
}

#[test]
fn a_cookie_of_an_older_key_is_sealed_anew_once_and_ends_when_it_would_have_ended() {
    let mut client = Client::default();
    client.ask(&Fixture::new(PERIOD), WEB_A);
    let [both, new] = rotated(PERIOD);
    let later = TargetAnswer { at: after(300), ..WEB_A };
    let seen = client.ask(&both, later);
    assert_eq!(seen.outcome, Outcome::Pinned);
    let value = value(&seen.lines[0]);
    assert_eq!(
        seen.lines,
        [
            format!("AWSELB={value};PATH=/;MAX-AGE=600"),
            format!("AWSELBCORS={value};PATH=/;MAX-AGE=600;SECURE;SAMESITE=None")
        ]
    );
    for fixture in [&both, &new] {
        let seen = client.ask(fixture, later);
        assert_eq!((seen.outcome, seen.lines), (Outcome::Pinned, vec![]));
    }
}

#[test]
fn a_cookie_that_is_kept_beyond_its_period_stays_as_it_is() {
    let mut client = Client::default();
    client.ask(&Fixture::new(PERIOD), WEB_A);
    let [both, _] = rotated(PERIOD);
    for (seconds, lines) in [(899, 2), (900, 0), (10_000_000, 0)] {
        let seen = client.clone().ask(&both, TargetAnswer { at: after(seconds), ..WEB_A });
        assert_eq!((seen.outcome, seen.lines.len()), (Outcome::Pinned, lines), "{seconds}");
    }
}

#[test]
fn a_cookie_without_a_period_is_sealed_anew_without_one() {
    let config = r#"{"target_groups": {"*": {"stickiness.type": "classic_lb_cookie"}}}"#;
    let mut client = Client::default();
    client.ask(&Fixture::new(config), WEB_A);
    let [both, _] = rotated(config);
    let lines = client.ask(&both, TargetAnswer { at: after(10_000_000), ..WEB_A }).lines;
    assert_eq!(lines[0], format!("AWSELB={};PATH=/", value(&lines[0])));
}

#[test]
fn a_cookie_of_an_older_key_is_sealed_anew_with_the_attributes_of_the_applications() {
    let mut client = Client::default();
    client.ask(&Fixture::new(FOLLOWS), TargetAnswer { set_cookies: &["sid=1; Path=/shop"], ..WEB_A });
    let [both, new] = rotated(FOLLOWS);
    let seen = client.ask(&both, WEB_A);
    assert_eq!((seen.outcome, seen.lines.len()), (Outcome::Pinned, 2));
    assert!(seen.lines[0].ends_with(";PATH=/shop"), "{:?}", seen.lines);
    for fixture in [&both, &new] {
        let seen = client.ask(fixture, WEB_A);
        assert_eq!((seen.outcome, seen.lines), (Outcome::Pinned, vec![]));
    }
}

#[test]
fn an_answer_that_seals_a_cookie_anew_may_not_be_left_out() {
    let fixture = Fixture::new(PERIOD);
    let mut client = Client::default();
    client.ask(&fixture, WEB_A);
    let [both, _] = rotated(PERIOD);
    let stays = |fixture: &Fixture| {
        let session = fixture.receive("web", &client.cookies(), NOON).unwrap();
        fixture.balancer.reply_if_unchanged(session, NOON).is_ok()
    };
    assert_eq!([&fixture, &both].map(stays), [true, false]);
}
