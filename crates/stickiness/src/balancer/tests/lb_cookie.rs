//! Duration-based stickiness.

use crate::exchange::AnsweredBy;
use crate::outcome::Outcome;
use crate::testing::{Client, Fixture, NOON, OTHER_KEYS, TargetAnswer, WEB_A, after, answer_by, value};
use crate::time::Timestamp;

/// The value of the cookie for this target.
fn value_for(fixture: &Fixture, target_group: &str, target: &str, at: Timestamp) -> String {
    let lines = Client::default().ask(fixture, TargetAnswer { target_group, target, at, ..WEB_A }).lines;
    value(&lines[0]).to_owned()
}

fn pin(fixture: &Fixture, cookies: &str, now: Timestamp) -> Option<String> {
    fixture.receive("web", cookies, now).unwrap().pin().map(str::to_owned)
}

fn outcome(fixture: &Fixture, cookies: &str, now: Timestamp) -> Outcome {
    fixture.receive("web", cookies, now).unwrap().outcome()
}

#[test]
fn a_cookie_pins_to_the_target_that_answered() {
    let fixture = Fixture::new("{}");
    let cookie = format!("AWSALB={}", value_for(&fixture, "web", "10.0.0.1:80", NOON));
    assert_eq!(pin(&fixture, &cookie, after(1)).as_deref(), Some("10.0.0.1:80"));
}

#[test]
fn the_twin_wins_over_the_plain_cookie() {
    let fixture = Fixture::new("{}");
    let [plain, twin] = ["a", "b"].map(|target| value_for(&fixture, "web", target, NOON));
    assert_eq!(pin(&fixture, &format!("AWSALB={plain}; AWSALBCORS={twin}"), NOON).as_deref(), Some("b"));
}

#[test]
fn a_bad_twin_leaves_the_plain_cookie_its_chance() {
    let fixture = Fixture::new("{}");
    let cookies = format!("AWSALBCORS=garbage; AWSALB={}", value_for(&fixture, "web", "a", NOON));
    assert_eq!(pin(&fixture, &cookies, NOON).as_deref(), Some("a"));
}

#[test]
fn the_first_cookie_that_fits_wins_among_many_of_the_name() {
    let fixture = Fixture::new("{}");
    let foreign = value_for(&fixture, "api", "x", NOON);
    let good = value_for(&fixture, "web", "a", NOON);
    let cookies = format!("AWSALB=garbage; AWSALB={foreign}; AWSALB={good}; AWSALB=more");
    assert_eq!(pin(&fixture, &cookies, NOON).as_deref(), Some("a"));
}

#[test]
fn a_miss_is_called_by_the_cookie_that_came_nearest() {
    let fixture = Fixture::new("{}");
    let expired = value_for(&fixture, "web", "a", NOON);
    let later = after(86_400);
    assert_eq!(outcome(&fixture, "", later), Outcome::NoCookie);
    assert_eq!(outcome(&fixture, "AWSALB=garbage", later), Outcome::Malformed);
    let unknown = value_for(&Fixture::with_keys("{}", OTHER_KEYS), "web", "a", later);
    assert_eq!(outcome(&fixture, &format!("AWSALB=garbage; AWSALB={unknown}"), later), Outcome::UnknownKey);
    let foreign = value_for(&fixture, "api", "a", later);
    assert_eq!(outcome(&fixture, &format!("AWSALB={unknown}; AWSALB={foreign}"), later), Outcome::WrongGroup);
    assert_eq!(outcome(&fixture, &format!("AWSALB={foreign}; AWSALB={expired}"), later), Outcome::Expired);
}

#[test]
fn a_cookie_lasts_as_long_as_the_duration_to_the_millisecond() {
    let fixture = Fixture::new(r#"{"target_groups": {"*": {"stickiness.lb_cookie.duration_seconds": "1"}}}"#);
    let cookie = format!("AWSALB={}", value_for(&fixture, "web", "a", NOON));
    let just_before = Timestamp::from_millis(NOON.as_millis() + 999);
    assert_eq!(outcome(&fixture, &cookie, just_before), Outcome::Pinned);
    assert_eq!(outcome(&fixture, &cookie, after(1)), Outcome::Expired);
}

#[test]
fn the_duration_that_counts_is_the_one_configured_now() {
    let minute = Fixture::new(r#"{"target_groups": {"web": {"stickiness.lb_cookie.duration_seconds": 60}}}"#);
    let cookie = format!("AWSALB={}", value_for(&Fixture::new("{}"), "web", "a", NOON));
    assert_eq!(outcome(&minute, &cookie, after(59)), Outcome::Pinned);
    assert_eq!(outcome(&minute, &cookie, after(60)), Outcome::Expired);
}

#[test]
fn a_cookie_from_a_clock_a_little_ahead_is_good_and_from_days_ahead_is_not() {
    let fixture = Fixture::new("{}");
    let ahead = |seconds| format!("AWSALB={}", value_for(&fixture, "web", "a", after(seconds)));
    assert_eq!(
        [60, 86_400, 86_401].map(|seconds| outcome(&fixture, &ahead(seconds), NOON) == Outcome::Pinned),
        [true, true, false]
    );
}

#[test]
fn another_target_that_answers_makes_the_request_moved() {
    let fixture = Fixture::new("{}");
    let mut client = Client::default();
    client.ask(&fixture, WEB_A);
    assert_eq!(client.clone().ask(&fixture, WEB_A).outcome, Outcome::Pinned);
    assert_eq!(client.ask(&fixture, TargetAnswer { target: "10.0.0.2:80", ..WEB_A }).outcome, Outcome::Moved);
}

#[test]
fn an_answer_does_not_change_a_miss() {
    assert_eq!(Client::default().ask(&Fixture::new("{}"), WEB_A).outcome, Outcome::NoCookie);
}

#[test]
fn a_target_group_that_is_not_sticky_has_no_session_and_gives_no_cookie() {
    let fixture = Fixture::new(r#"{"target_groups": {"web": {"stickiness.enabled": "false"}, "*": {}}}"#);
    assert!(fixture.receive("web", "", NOON).is_none());
    let from_elsewhere = Client::default().ask_routed(&fixture, "api", WEB_A).unwrap();
    assert!(from_elsewhere.lines.is_empty());
}

#[test]
fn a_value_is_sealed_once_a_second_for_each_target() {
    let fixture = Fixture::new("{}");
    let value = |target, milliseconds| value_for(&fixture, "web", target, Timestamp::from_millis(milliseconds));
    let first = value("a", 5_000);
    assert_eq!(value("a", 5_999), first);
    assert_ne!(value("b", 5_999), first);
    assert_ne!(value("a", 6_000), first);
}

#[test]
fn a_short_stickiness_is_not_cut_shorter_by_a_shared_value() {
    let fixture = Fixture::new(r#"{"target_groups": {"*": {"stickiness.lb_cookie.duration_seconds": 1}}}"#);
    let value = |milliseconds| value_for(&fixture, "web", "a", Timestamp::from_millis(milliseconds));
    assert_eq!(value(5_000), value(5_010));
    assert_ne!(value(5_000), value(5_500));
}

#[test]
fn without_a_nonce_there_is_no_cookie() {
    let fixture = Fixture::new("{}");
    let session = fixture.receive("web", "", NOON).unwrap();
    let by = AnsweredBy::Target { target_group: "web".into(), target: "a".into() };
    let reply = fixture.balancer.reply(session, &answer_by(by, NOON), &mut || None);
    assert_eq!((reply.outcome, reply.headers().count()), (Outcome::NoCookie, 0));
}

#[test]
fn a_percent_encoded_cookie_pins() {
    let fixture = Fixture::new("{}");
    let encoded = value_for(&fixture, "web", "a", NOON).replace('+', "%2B").replace('/', "%2F");
    assert_eq!(pin(&fixture, &format!("AWSALB={encoded}"), NOON).as_deref(), Some("a"));
}

#[test]
fn an_answer_that_no_target_gave_carries_no_cookie() {
    let fixture = Fixture::new("{}");
    for by in [AnsweredBy::LoadBalancer, AnsweredBy::NoHealthyTarget { target_group: "web".into() }] {
        let session = fixture.receive("web", "", NOON).unwrap();
        let reply = fixture.balancer.reply(session, &answer_by(by, NOON), &mut || Some([1; 24]));
        assert_eq!((reply.outcome, reply.headers().count()), (Outcome::NoCookie, 0));
    }
}

#[test]
fn a_session_that_is_renewed_on_change_ends_with_the_duration() {
    let fixture = Fixture::new(
        r#"{"cookie": {"renew": "on_change"}, "target_groups": {"*": {"stickiness.lb_cookie.duration_seconds": 60}}}"#,
    );
    let mut client = Client::default();
    assert_eq!(client.ask(&fixture, WEB_A).lines.len(), 2);
    for seconds in [1, 30, 59] {
        let seen = client.ask(&fixture, TargetAnswer { at: after(seconds), ..WEB_A });
        assert_eq!((seen.outcome, seen.lines), (Outcome::Pinned, vec![]), "{seconds}");
    }
    let other = TargetAnswer { target: "10.0.0.2:80", at: after(59), ..WEB_A };
    assert_eq!(client.clone().ask(&fixture, other).lines.len(), 2);
    let seen = client.ask(&fixture, TargetAnswer { at: after(60), ..WEB_A });
    assert_eq!((seen.outcome, seen.lines.len()), (Outcome::Expired, 2));
}

#[test]
fn a_session_that_slides_gets_a_cookie_after_its_share_of_the_duration() {
    let fixture = Fixture::new(
        r#"{"cookie": {"renew": "sliding"}, "target_groups": {"*": {"stickiness.lb_cookie.duration_seconds": 60}}}"#,
    );
    let mut client = Client::default();
    let given = [0, 29, 30, 31, 59, 60]
        .map(|seconds| client.ask(&fixture, TargetAnswer { at: after(seconds), ..WEB_A }).lines.len());
    assert_eq!(given, [2, 0, 2, 0, 0, 2]);
}
