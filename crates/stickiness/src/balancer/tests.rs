use super::*;
use crate::keys::parse_ring;

const KEYS: &str = "a:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER_KEYS: &str = "b://////////////////////////////////////////8=";
const NONCE: Nonce = [7; 24];
const NOON: Timestamp = Timestamp::from_millis(1_700_000_000_500);

fn after(seconds: u64) -> Timestamp {
    Timestamp::from_millis(NOON.as_millis() + seconds * 1000)
}

fn balancer_with(config: &str, keys: &str) -> Balancer {
    Balancer::new(Config::parse(config.as_bytes()).unwrap().0, parse_ring(keys).unwrap())
}

fn balancer(config: &str) -> Balancer {
    balancer_with(config, KEYS)
}

fn answer<'a>(target_group: &'a str, target: &'a str, now: Timestamp) -> Answer<'a> {
    Answer { target_group, target, over_https: false, now }
}

/// The value of the cookie for this target.
fn value(balancer: &Balancer, target_group: &str, target: &str, now: Timestamp) -> String {
    let lines = balancer.set_cookies(&answer(target_group, target, now), || Some(NONCE));
    let cookie = cookie::Cookie::parse(lines[0].clone()).unwrap();
    cookie.value().to_owned()
}

fn receive(balancer: &Balancer, target_group: &str, cookies: &str, now: Timestamp) -> Session {
    let cookies = CookieHeader::from_iter([cookies.as_bytes()]);
    balancer.receive(target_group, &cookies, now).unwrap()
}

/// What becomes of a session's request when this target answers, or none.
fn replied(balancer: &Balancer, session: &Session, target: Option<&str>) -> Outcome {
    let answer = target.map(|target| answer("web", target, NOON));
    balancer.reply(session, answer.as_ref(), || Some(NONCE)).outcome
}

fn outcome(balancer: &Balancer, cookies: &str, now: Timestamp) -> Outcome {
    receive(balancer, "web", cookies, now).outcome()
}

#[test]
fn a_cookie_pins_to_the_target_that_answered() {
    let balancer = balancer("{}");
    let cookie = format!("AWSALB={}", value(&balancer, "web", "10.0.0.1:80", NOON));
    assert_eq!(receive(&balancer, "web", &cookie, after(1)).pin(), Some("10.0.0.1:80"));
}

#[test]
fn the_twin_wins_over_the_plain_cookie() {
    let balancer = balancer("{}");
    let plain = value(&balancer, "web", "a", NOON);
    let twin = value(&balancer, "web", "b", NOON);
    let cookies = format!("AWSALB={plain}; AWSALBCORS={twin}");
    assert_eq!(receive(&balancer, "web", &cookies, NOON).pin(), Some("b"));
}

#[test]
fn a_bad_twin_leaves_the_plain_cookie_its_chance() {
    let balancer = balancer("{}");
    let cookies = format!("AWSALBCORS=garbage; AWSALB={}", value(&balancer, "web", "a", NOON));
    assert_eq!(receive(&balancer, "web", &cookies, NOON).pin(), Some("a"));
}

#[test]
fn the_first_cookie_that_fits_wins_among_many_of_the_name() {
    let balancer = balancer("{}");
    let foreign = value(&balancer, "api", "x", NOON);
    let good = value(&balancer, "web", "a", NOON);
    let cookies = format!("AWSALB=garbage; AWSALB={foreign}; AWSALB={good}; AWSALB=more");
    assert_eq!(receive(&balancer, "web", &cookies, NOON).pin(), Some("a"));
}

#[test]
fn a_miss_is_called_by_the_cookie_that_came_nearest() {
    let balancer = balancer("{}");
    let expired = value(&balancer, "web", "a", NOON);
    let later = after(86_400);
    assert_eq!(outcome(&balancer, "", later), Outcome::NoCookie);
    assert_eq!(outcome(&balancer, "AWSALB=garbage", later), Outcome::Malformed);
    let unknown = value(&balancer_with("{}", OTHER_KEYS), "web", "a", later);
    assert_eq!(outcome(&balancer, &format!("AWSALB=garbage; AWSALB={unknown}"), later), Outcome::UnknownKey);
    let foreign = value(&balancer, "api", "a", later);
    assert_eq!(outcome(&balancer, &format!("AWSALB={unknown}; AWSALB={foreign}"), later), Outcome::WrongGroup);
    assert_eq!(outcome(&balancer, &format!("AWSALB={foreign}; AWSALB={expired}"), later), Outcome::Expired);
}

#[test]
fn a_cookie_lasts_as_long_as_the_duration_to_the_millisecond() {
    let balancer = balancer(r#"{"target_groups": {"*": {"stickiness.lb_cookie.duration_seconds": "1"}}}"#);
    let cookie = format!("AWSALB={}", value(&balancer, "web", "a", NOON));
    let just_before = Timestamp::from_millis(NOON.as_millis() + 999);
    assert_eq!(outcome(&balancer, &cookie, just_before), Outcome::Pinned);
    assert_eq!(outcome(&balancer, &cookie, after(1)), Outcome::Expired);
}

#[test]
fn the_duration_that_counts_is_the_one_configured_now() {
    let day = balancer("{}");
    let minute = balancer(r#"{"target_groups": {"web": {"stickiness.lb_cookie.duration_seconds": 60}}}"#);
    let cookie = format!("AWSALB={}", value(&day, "web", "a", NOON));
    assert_eq!(outcome(&minute, &cookie, after(59)), Outcome::Pinned);
    assert_eq!(outcome(&minute, &cookie, after(60)), Outcome::Expired);
}

#[test]
fn a_cookie_from_a_clock_a_little_ahead_is_good_and_from_days_ahead_is_not() {
    let balancer = balancer("{}");
    let ahead = |seconds| format!("AWSALB={}", value(&balancer, "web", "a", after(seconds)));
    assert_eq!(outcome(&balancer, &ahead(60), NOON), Outcome::Pinned);
    assert_eq!(outcome(&balancer, &ahead(2 * 86_400), NOON), Outcome::Expired);
}

#[test]
fn another_target_that_answers_makes_the_request_moved() {
    let balancer = balancer("{}");
    let cookie = format!("AWSALB={}", value(&balancer, "web", "a", NOON));
    let session = receive(&balancer, "web", &cookie, NOON);
    assert_eq!(replied(&balancer, &session, Some("a")), Outcome::Pinned);
    assert_eq!(replied(&balancer, &session, Some("b")), Outcome::Moved);
    assert_eq!(replied(&balancer, &session, None), Outcome::Pinned);
}

#[test]
fn a_miss_stays_what_it_is_whoever_answers() {
    let balancer = balancer("{}");
    let session = receive(&balancer, "web", "", NOON);
    assert_eq!(replied(&balancer, &session, Some("b")), Outcome::NoCookie);
}

#[test]
fn a_target_group_that_is_not_sticky_has_no_session_and_no_cookie() {
    let balancer = balancer(r#"{"target_groups": {"web": {"stickiness.enabled": "false"}, "*": {}}}"#);
    assert_eq!(balancer.receive("web", &CookieHeader::default(), NOON), None);
    assert!(balancer.set_cookies(&answer("web", "a", NOON), || Some(NONCE)).is_empty());
    assert!(balancer.receive("api", &CookieHeader::default(), NOON).is_some());
}

#[test]
fn a_value_is_sealed_once_a_second_for_each_target() {
    let balancer = balancer("{}");
    let line = |target, milliseconds, nonce| {
        let now = Timestamp::from_millis(milliseconds);
        balancer.set_cookies(&answer("web", target, now), || nonce)
    };
    let first = line("a", 5_000, Some([1; 24]));
    assert_eq!(line("a", 5_999, None), first);
    assert!(line("b", 5_999, None).is_empty());
    assert_ne!(line("a", 6_000, Some([2; 24])), first);
}

#[test]
fn a_short_stickiness_is_not_cut_shorter_by_a_shared_value() {
    let balancer = balancer(r#"{"target_groups": {"*": {"stickiness.lb_cookie.duration_seconds": 1}}}"#);
    let first = value(&balancer, "web", "a", Timestamp::from_millis(5_000));
    let later = Timestamp::from_millis(5_500);
    let lines = balancer.set_cookies(&answer("web", "a", later), || Some([8; 24]));
    assert!(!lines[0].contains(&first));
}

#[test]
fn without_a_nonce_there_is_no_cookie() {
    assert!(balancer("{}").set_cookies(&answer("web", "a", NOON), || None).is_empty());
}

#[test]
fn expires_shows_what_was_asked_for() {
    let expires = |config: &str| {
        let lines = balancer(config).set_cookies(&answer("web", "a", NOON), || Some(NONCE));
        let cookie = cookie::Cookie::parse(lines[0].clone()).unwrap();
        cookie.expires_datetime().map(|at| at.unix_timestamp() - 1_700_000_000)
    };
    assert_eq!(expires("{}"), Some(86_400));
    assert_eq!(expires(r#"{"cookie": {"expires": "duration"}}"#), Some(86_400));
    assert_eq!(expires(r#"{"cookie": {"expires": "seven_days"}}"#), Some(604_800));
    assert_eq!(expires(r#"{"cookie": {"expires": "session"}}"#), None);
}

#[test]
fn a_percent_encoded_cookie_pins() {
    let balancer = balancer("{}");
    let encoded = value(&balancer, "web", "a", NOON).replace('+', "%2B").replace('/', "%2F");
    assert_eq!(receive(&balancer, "web", &format!("AWSALB={encoded}"), NOON).pin(), Some("a"));
}

#[test]
fn an_answer_that_no_target_gave_carries_no_cookie() {
    let balancer = balancer("{}");
    let session = receive(&balancer, "web", "", NOON);
    let reply = balancer.reply(&session, None, || Some(NONCE));
    assert_eq!(reply, Reply { outcome: Outcome::NoCookie, set_cookies: vec![] });
}
