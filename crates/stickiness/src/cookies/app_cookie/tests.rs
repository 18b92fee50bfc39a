use super::*;
use crate::exchange::AnsweredBy;
use crate::testing::{CHROME, Client, Fixture, NOON, TargetAnswer, WEB_A, after, answer_by, attributes, value};

const FOLLOWS: &str = r#"{"target_groups": {"*": {"stickiness":
    {"type": "app_cookie", "app_cookie": {"cookie_name": "sid", "duration_seconds": 60}}}}}"#;

/// An answer of the target that sets the application's cookie.
const LOGIN: TargetAnswer<'static> = TargetAnswer { set_cookies: &["sid=1; Path=/"], ..WEB_A };

fn fixture() -> Fixture {
    Fixture::new(FOLLOWS)
}

fn with_cookie_options(options: &str) -> Fixture {
    Fixture::new(&FOLLOWS.replacen('{', &format!("{{\"cookie\": {options}, "), 1))
}

/// A client that has logged in.
fn logged_in(fixture: &Fixture) -> Client {
    let mut client = Client::default();
    client.ask(fixture, LOGIN);
    client
}

fn names(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| line.split('=').next().unwrap()).collect()
}

#[test]
fn there_is_no_cookie_until_the_application_sets_its_own() {
    let fixture = fixture();
    let mut client = Client::default();
    assert!(client.ask(&fixture, WEB_A).lines.is_empty());
    assert!(client.ask(&fixture, TargetAnswer { set_cookies: &["other=1"], ..WEB_A }).lines.is_empty());
    let seen = client.ask(&fixture, LOGIN);
    assert_eq!(names(&seen.lines), ["AWSALBAPP-0"]);
    assert_eq!(attributes(&seen.lines[0]), " Expires=Tue, 14 Nov 2023 22:14:20 GMT; Path=/");
}

#[test]
fn both_cookies_together_pin_and_each_alone_does_not() {
    let fixture = fixture();
    let client = logged_in(&fixture);
    let ask = |keep: &str| {
        let mut client = client.clone();
        client.jar.retain(|name, _| keep.is_empty() || name == keep);
        let seen = client.ask(&fixture, WEB_A);
        (seen.pin.is_some(), seen.outcome)
    };
    assert_eq!(ask(""), (true, Outcome::Pinned));
    assert_eq!(ask("sid"), (false, Outcome::NoCookie));
    assert_eq!(ask("AWSALBAPP-0"), (false, Outcome::NoCookie));
}

#[test]
fn the_value_of_the_applications_cookie_does_not_matter() {
    let fixture = fixture();
    let mut client = logged_in(&fixture);
    client.jar.insert("sid".into(), String::new());
    assert_eq!(client.ask(&fixture, WEB_A).outcome, Outcome::Pinned);
}

#[test]
fn every_answer_renews_while_the_pair_is_good() {
    let fixture = fixture();
    let mut client = logged_in(&fixture);
    for seconds in [50, 100, 150] {
        let seen = client.ask(&fixture, TargetAnswer { at: after(seconds), ..WEB_A });
        assert_eq!((seen.outcome, names(&seen.lines)), (Outcome::Pinned, vec!["AWSALBAPP-0"]), "{seconds}");
    }
    assert_eq!(client.ask(&fixture, TargetAnswer { at: after(210), ..WEB_A }).outcome, Outcome::Expired);
}

#[test]
fn an_answer_after_the_end_renews_nothing() {
    let fixture = fixture();
    let mut client = logged_in(&fixture);
    assert!(client.ask(&fixture, TargetAnswer { at: after(60), ..WEB_A }).lines.is_empty());
}

#[test]
fn another_target_that_answers_takes_the_session_over() {
    let fixture = fixture();
    let mut client = logged_in(&fixture);
    let other = TargetAnswer { target: "10.0.0.2:80", ..WEB_A };
    assert_eq!(client.ask(&fixture, other).outcome, Outcome::Moved);
    assert_eq!(client.ask(&fixture, other).pin.as_deref(), Some("10.0.0.2:80"));
}

#[test]
fn the_application_that_deletes_its_cookie_ends_the_session() {
    let fixture = fixture();
    let mut client = logged_in(&fixture);
    let seen = client.ask(&fixture, TargetAnswer { set_cookies: &["sid=; Max-Age=0"], ..WEB_A });
    assert_eq!(names(&seen.lines), ["AWSALBAPP-0"]);
    assert_eq!(value(&seen.lines[0]), "_remove_");
    client.jar.insert("sid".into(), "again".into());
    assert_eq!(client.ask(&fixture, WEB_A).outcome, Outcome::NoCookie);
}

#[test]
fn chromium_over_https_gets_a_cookie_for_all_sites() {
    let fixture = fixture();
    let line = |user_agent, over_https| {
        let mut client = Client { user_agent, ..Client::default() };
        client.ask(&fixture, TargetAnswer { over_https, ..LOGIN }).lines[0].clone()
    };
    assert!(attributes(&line(CHROME, true)).ends_with("; Path=/; SameSite=None; Secure"));
    for (user_agent, over_https) in [(CHROME, false), ("curl/8", true), ("Chrome/79", true), ("", false)] {
        assert!(attributes(&line(user_agent, over_https)).ends_with("; Path=/"), "{user_agent} {over_https}");
    }
}

#[test]
fn one_envelope_holds_the_bindings_of_several_target_groups() {
    let fixture = fixture();
    let mut client = logged_in(&fixture);
    let api = TargetAnswer { target_group: "api", target: "10.0.9.9:80", ..LOGIN };
    assert_eq!(client.ask(&fixture, api).outcome, Outcome::WrongGroup);
    for _ in 0..2 {
        assert_eq!(client.ask(&fixture, WEB_A).pin.as_deref(), Some("10.0.0.1:80"));
        assert_eq!(client.ask(&fixture, api).pin.as_deref(), Some("10.0.9.9:80"));
    }
    let goodbye = TargetAnswer { set_cookies: &["sid=; Max-Age=0"], ..api };
    assert_ne!(value(&client.ask(&fixture, goodbye).lines[0]), "_remove_");
    assert_eq!(client.ask(&fixture, WEB_A).outcome, Outcome::Pinned);
    assert_eq!(client.ask(&fixture, TargetAnswer { set_cookies: &[], ..api }).outcome, Outcome::WrongGroup);
}

#[test]
fn browsers_keep_an_envelope_for_as_long_as_the_longest_session_in_it() {
    let follows = |seconds| {
        format!(
            r#"{{"stickiness": {{"type": "app_cookie", "app_cookie": {{"cookie_name": "sid", "duration_seconds": {seconds}}}}}}}"#
        )
    };
    let fixture = Fixture::new(&format!(
        r#"{{"target_groups": {{"web": {}, "api": {}}}, "cookie": {{"max_age": "instead"}}}}"#,
        follows(60),
        follows(600)
    ));
    let mut client = Client::default();
    let mut max_age = |by: TargetAnswer<'_>| {
        let lines = client.ask(&fixture, by).lines;
        attributes(&lines[0])
            .split("; ")
            .find_map(|attribute| attribute.trim().strip_prefix("Max-Age="))
            .unwrap()
            .to_owned()
    };
    let api = TargetAnswer { target_group: "api", ..LOGIN };
    assert_eq!(max_age(LOGIN), "60");
    assert_eq!(max_age(api), "600");
    assert_eq!(max_age(TargetAnswer { at: after(20), ..WEB_A }), "580");
    // The session that goes on has the longest time left.
    assert_eq!(max_age(TargetAnswer { at: after(30), set_cookies: &[], ..api }), "600");
    // Of the sessions that remain when one ends.
    let logout = ["sid=; Max-Age=0"];
    assert_eq!(max_age(TargetAnswer { at: after(40), set_cookies: &logout, ..api }), "40");
}

/// Logs in at so many target groups, each with a long name; the lines of the last answer.
fn log_in_at(fixture: &Fixture, client: &mut Client, groups: std::ops::Range<usize>) -> Vec<String> {
    groups
        .map(|group| client.ask(fixture, TargetAnswer { target_group: &long_name(group), ..LOGIN }).lines)
        .last()
        .unwrap()
}

fn long_name(group: usize) -> String {
    format!("{group:0>100}")
}

#[test]
fn a_large_envelope_is_split_and_every_binding_in_it_pins() {
    let fixture = fixture();
    let mut client = Client::default();
    let lines = log_in_at(&fixture, &mut client, 0..60);
    assert_eq!(names(&lines), ["AWSALBAPP-0", "AWSALBAPP-1", "AWSALBAPP-2"]);
    assert_eq!([0, 1].map(|line: usize| value(&lines[line]).len()), [4000, 4000]);
    for group in 0..60 {
        let seen = client.ask(&fixture, TargetAnswer { target_group: &long_name(group), ..WEB_A });
        assert_eq!(seen.outcome, Outcome::Pinned, "{group}");
    }
}

#[test]
fn a_shard_that_is_not_in_use_any_more_is_withdrawn_once() {
    let fixture = fixture();
    let mut client = Client::default();
    log_in_at(&fixture, &mut client, 0..30);
    assert!(client.jar.contains_key("AWSALBAPP-1"));
    // The others are over by then.
    let later = TargetAnswer { at: after(60), ..LOGIN };
    let lines = client.ask(&fixture, later).lines;
    assert_eq!(names(&lines), ["AWSALBAPP-0", "AWSALBAPP-1"]);
    assert_eq!(value(&lines[1]), "_remove_");
    assert_eq!(names(&client.ask(&fixture, later).lines), ["AWSALBAPP-0"]);
}

#[test]
fn where_routes_choose_policies_a_binding_may_be_of_use_for_as_long_as_any_of_them_says() {
    let long = r#"{"policies": {"short": {}, "long": {"stickiness": {"type": "app_cookie", "app_cookie":
        {"cookie_name": "other", "duration_seconds": 600}}}}, "#;
    let fixture = Fixture::new(&FOLLOWS.replacen('{', long, 1));
    let mut client = Client::default();
    log_in_at(&fixture, &mut client, 0..30);
    let is_dropped = |seconds| {
        let lines = client.clone().ask(&fixture, TargetAnswer { at: after(seconds), ..LOGIN }).lines;
        value(&lines[1]) == "_remove_"
    };
    assert_eq!([60, 599, 600].map(is_dropped), [false, false, true]);
}

#[test]
fn an_envelope_beyond_four_cookies_forgets_the_bindings_that_were_used_longest_ago() {
    let fixture = fixture();
    let mut client = Client::default();
    let lines = log_in_at(&fixture, &mut client, 0..120);
    assert_eq!(names(&lines), ["AWSALBAPP-0", "AWSALBAPP-1", "AWSALBAPP-2", "AWSALBAPP-3"]);
    let outcome =
        |group| client.clone().ask(&fixture, TargetAnswer { target_group: &long_name(group), ..WEB_A }).outcome;
    assert_eq!([0, 119].map(outcome), [Outcome::WrongGroup, Outcome::Pinned]);
}

#[test]
fn all_four_cookies_are_always_written_when_aws_is_to_be_copied_to_the_letter() {
    let fixture = with_cookie_options(r#"{"unused_shards": "always"}"#);
    let mut client = Client::default();
    let all = ["AWSALBAPP-0", "AWSALBAPP-1", "AWSALBAPP-2", "AWSALBAPP-3"];
    let values = |lines: &[String]| lines.iter().map(|line| value(line) == "_remove_").collect::<Vec<_>>();
    let seen = client.ask(&fixture, WEB_A);
    assert_eq!((names(&seen.lines), values(&seen.lines)), (all.to_vec(), vec![true; 4]));
    let seen = client.ask(&fixture, LOGIN);
    assert_eq!((names(&seen.lines), values(&seen.lines)), (all.to_vec(), vec![false, true, true, true]));
    assert_eq!(client.ask(&fixture, WEB_A).outcome, Outcome::Pinned);
}

#[test]
fn a_cookie_that_does_not_open_is_left_alone() {
    let fixture = fixture();
    let jar = [("AWSALBAPP-0", "garbage"), ("sid", "1")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut client = Client { jar: jar.into(), ..Client::default() };
    let seen = client.ask(&fixture, WEB_A);
    assert_eq!((seen.outcome, seen.lines), (Outcome::Malformed, vec![]));
}

#[test]
fn of_two_sets_of_cookies_the_one_that_fits_pins() {
    let fixture = fixture();
    let foreign = Fixture::with_keys(FOLLOWS, crate::testing::OTHER_KEYS);
    let (one, other) = (logged_in(&foreign), logged_in(&fixture));
    let cookies = format!("{}; {}", one.cookies(), other.cookies());
    assert_eq!(fixture.receive("web", &cookies, NOON).unwrap().outcome(), Outcome::Pinned);
}

#[test]
fn a_value_of_the_duration_based_kind_is_malformed_here() {
    let lb_cookie = Fixture::new("{}");
    let lines = Client::default().ask(&lb_cookie, WEB_A).lines;
    let cookies = format!("sid=1; AWSALBAPP-0={}", value(&lines[0]));
    assert_eq!(fixture().receive("web", &cookies, NOON).unwrap().outcome(), Outcome::Malformed);
}

#[test]
fn a_client_with_a_good_cookie_is_given_the_next_one_when_it_is_due() {
    let fixture = with_cookie_options(r#"{"renew": "sliding", "renew_after_percent": 50}"#);
    let mut client = logged_in(&fixture);
    let lines =
        |client: &mut Client, seconds| client.ask(&fixture, TargetAnswer { at: after(seconds), ..LOGIN }).lines.len();
    assert_eq!([29, 30, 31].map(|seconds| lines(&mut client, seconds)), [0, 1, 0]);
}

#[test]
fn without_secure_chromium_gets_a_cookie_that_it_keeps() {
    let fixture = with_cookie_options(r#"{"secure": "never", "twin": false}"#);
    let mut client = Client { user_agent: CHROME, ..Client::default() };
    let lines = client.ask(&fixture, TargetAnswer { over_https: true, ..LOGIN }).lines;
    assert!(lines[0].ends_with("; Path=/"), "{lines:?}");
}

#[test]
fn a_cookie_that_another_replica_may_open_is_not_withdrawn() {
    let newer = Fixture::with_keys(FOLLOWS, crate::testing::OTHER_KEYS);
    let fixture = with_cookie_options(r#"{"unused_shards": "always"}"#);
    let mut client = logged_in(&newer);
    let seen = client.ask(&fixture, WEB_A);
    assert_eq!((seen.outcome, seen.lines), (Outcome::UnknownKey, vec![]));
    assert_eq!(client.ask(&newer, WEB_A).outcome, Outcome::Pinned);
}

#[test]
fn without_a_nonce_no_cookie_is_withdrawn() {
    let fixture = fixture();
    let client = logged_in(&fixture);
    let session = fixture.receive("web", &client.cookies(), after(1)).unwrap();
    let by = AnsweredBy::Target { target_group: "web".into(), target: "10.0.0.2:80".into() };
    let reply = fixture.balancer.reply(session, &answer_by(by, after(1)), &mut || None);
    assert_eq!(reply.headers().count(), 0);
}

#[test]
fn an_older_binding_that_is_left_alone_disturbs_no_shared_value() {
    let fixture = fixture();
    let api = TargetAnswer { target_group: "api", ..LOGIN };
    let mut leaving = logged_in(&fixture);
    leaving.ask(&fixture, TargetAnswer { at: after(5), ..api });
    let value_now = || logged_in_at(&fixture, after(10));
    let before = value_now();
    leaving.ask(&fixture, TargetAnswer { set_cookies: &["sid=; Max-Age=0"], at: after(10), ..api });
    assert_eq!(value_now(), before);
}

/// The value that a new client is given then.
fn logged_in_at(fixture: &Fixture, at: crate::time::Timestamp) -> String {
    value(&Client::default().ask(fixture, TargetAnswer { at, ..LOGIN }).lines[0]).to_owned()
}
