//! The stickiness of the Classic Load Balancer: the cookie `AWSELB`, which is set once and not renewed.

use local_envoy::{Config, Plugin};
use serde_json::{Value, json};

use stickiness::outcome::Outcome;
use stickiness::trust::key_ring::CookieKind;

use harness::{Client, KEY, LoadBalancer, OTHER_KEY, Response, Setup, add_group, counted, fetch, forge_as, setting};

use crate::pool::{self, Pooled};
use crate::steps::{has_not_crashed, login, unpinned};

/// A plugin configuration in which `web` has this type of stickiness, with these attributes.
fn plugin(kind: &str, attributes: Value) -> Value {
    let mut stickiness = json!({ "type": kind });
    stickiness[kind] = attributes;
    json!({ "target_groups": { "web": { "stickiness": stickiness } } })
}

/// The load balancer's own cookie, for a quarter of an hour.
fn quarter_of_an_hour() -> Value {
    plugin("classic_lb_cookie", json!({ "cookie_expiration_period": 900 }))
}

/// A cookie that follows `JSESSIONID`.
fn following() -> Value {
    plugin("classic_app_cookie", json!({ "cookie_name": "JSESSIONID" }))
}

/// A load balancer of this test alone, which may change its targets.
#[track_caller]
fn start(plugin: Value) -> LoadBalancer {
    LoadBalancer::start(&Setup { plugin: Some(Plugin::Struct(plugin)), ..Setup::default() })
}

#[track_caller]
fn by_period() -> Pooled {
    pool::with(quarter_of_an_hour())
}

#[track_caller]
fn by_application() -> Pooled {
    pool::with(following())
}

/// The value of `AWSELB`, which is upper-case hexadecimal.
#[track_caller]
fn value(response: &Response) -> &str {
    let value = response.cookie("AWSELB").unwrap();
    assert!(!value.is_empty() && value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F')), "{value}");
    value
}

/// The directives about caching in an answer.
fn caching(response: &Response) -> Vec<&str> {
    response.all("cache-control").flat_map(|line| line.split(',')).map(str::trim).collect()
}

const NOT_TO_BE_CACHED: &str = "no-cache=\"set-cookie\"";

#[test]
fn both_cookies_are_written_exactly_as_the_classic_load_balancer_writes_them() {
    let lb = by_period();
    let response = fetch(lb.sticky, "/two-cookies", &[]);
    let value = value(&response);
    assert_eq!(
        response.set_cookies(),
        [
            "session=1; HttpOnly",
            "theme=dark",
            &format!("AWSELB={value};PATH=/;MAX-AGE=900"),
            &format!("AWSELBCORS={value};PATH=/;MAX-AGE=900;SECURE;SAMESITE=None"),
        ]
    );
    assert_eq!(lb.issued(), 1);
}

#[test]
fn without_a_period_the_cookies_last_as_long_as_the_browser_runs() {
    let lb = pool::with(plugin("classic_lb_cookie", json!({})));
    let response = fetch(lb.sticky, "/", &[]);
    let value = value(&response);
    let lines = [format!("AWSELB={value};PATH=/"), format!("AWSELBCORS={value};PATH=/;SECURE;SAMESITE=None")];
    assert_eq!(response.set_cookies(), lines);
}

#[test]
fn an_answer_that_gives_the_cookie_is_not_to_be_cached_beside_what_the_target_says() {
    let lb = by_period();
    let mut client = Client::default();
    assert_eq!(caching(&client.get(lb.sticky, "/")), [NOT_TO_BE_CACHED]);
    assert_eq!(caching(&client.get(lb.sticky, "/")), Vec::<&str>::new());
    assert_eq!(caching(&client.get(lb.sticky, "/cached")), ["max-age=60"]);
    let both = fetch(lb.sticky, "/cached", &[]);
    assert_eq!(caching(&both), ["max-age=60", NOT_TO_BE_CACHED]);
}

#[test]
fn the_cookie_is_given_once_and_each_client_stays_on_its_target() {
    let lb = by_period();
    let mut homes = Vec::new();
    for _ in 0..2 {
        let mut client = Client::default();
        let home = client.get(lb.sticky, "/").body;
        for path in ["/", "/500", "/redirect", "/"] {
            let response = client.get(lb.sticky, path);
            assert_eq!((&response.body, response.set_cookies()), (&home, vec![]), "{path}");
        }
        homes.push(home);
    }
    assert_ne!(homes[0], homes[1]);
    assert_eq!((lb.counted(Outcome::Pinned), lb.issued()), (8, 2));
}

#[test]
fn an_upgrade_goes_where_the_cookie_says_and_a_new_clients_101_carries_the_pair() {
    let lb = by_period();
    for _ in 0..2 {
        let mut client = Client::default();
        let mut first = client.open_socket(lb.sticky);
        assert_eq!((first.answer.status, first.answer.cookie_names()), (101, vec!["AWSELB", "AWSELBCORS"]));
        let home = first.target();
        for _ in 0..2 {
            let mut socket = client.open_socket(lb.sticky);
            assert_eq!((socket.target(), socket.answer.set_cookies()), (home.clone(), vec![]));
        }
    }
}

#[test]
fn two_values_of_one_load_balancer_have_nothing_but_the_mark_of_the_key_in_common() {
    let lb = by_period();
    let responses = [0; 2].map(|_| fetch(lb.sticky, "/", &[]));
    let [one, other] = responses.each_ref().map(value);
    let common = one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
    // The name of the key takes four bytes, which are eight digits. A few more may be equal by chance.
    assert!((8..16).contains(&common), "{one} {other}");
}

#[test]
fn a_cookie_for_one_target_group_of_a_host_is_of_no_use_for_another() {
    let plugin = Plugin::Struct(json!({ "target_groups": { "*": { "stickiness": { "type": "classic_lb_cookie" } } } }));
    let edit = |config: &mut Config| add_group(config, "api");
    let lb = LoadBalancer::start(&Setup { plugin: Some(plugin), edit: &edit, ..Setup::default() });
    let mut client = Client::default();
    client.get(lb.sticky, "/");
    assert_eq!(client.get(lb.sticky, "/api/").cookie_names(), ["AWSELB", "AWSELBCORS"]);
    assert_eq!(
        [("web", "pinned"), ("api", "pinned"), ("api", "wrong_group")]
            .map(|(group, word)| counted(&lb.envoy, group, word)),
        [0, 0, 1]
    );
}

#[test]
fn the_session_of_an_unhealthy_target_moves_as_if_there_were_no_cookie() {
    let mut lb = start(quarter_of_an_hour());
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    lb.target(&home).set_healthy(false);
    lb.wait_for_healthy(1);
    let response = client.get(lb.sticky, "/");
    assert_eq!((response.status, response.cookie_names()), (200, vec!["AWSELB", "AWSELBCORS"]));
    assert_ne!(response.body, home);
}

#[test]
fn the_twin_alone_pins_and_either_is_enough() {
    let lb = by_period();
    let response = fetch(lb.sticky, "/", &[]);
    let value = value(&response);
    for name in ["AWSELB", "AWSELBCORS"] {
        let line = format!("cookie: a=b; {name}={value}");
        for _ in 0..4 {
            assert_eq!(fetch(lb.sticky, "/", &[line.as_bytes()]).body, response.body, "{name}");
        }
    }
}

#[test]
fn a_cookie_is_used_without_a_look_at_its_age() {
    let lb = by_period();
    let ten_years = 10 * 365 * 86_400;
    let value = forge_as(CookieKind::ClassicLbCookie, KEY, &[("web", &lb.targets[1].name_in_envoy(), ten_years)]);
    for _ in 0..4 {
        let response = fetch(lb.sticky, "/", &[format!("cookie: AWSELB={value}").as_bytes()]);
        assert_eq!((response.body.as_str(), response.set_cookies()), ("b", vec![]));
    }
}

#[test]
fn the_session_of_a_dead_target_moves_for_good_with_a_new_pair() {
    let mut lb = start(quarter_of_an_hour());
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    lb.kill(&home);
    let response = client.get(lb.sticky, "/");
    assert_eq!((response.status, response.cookie_names()), (200, vec!["AWSELB", "AWSELBCORS"]));
    assert_eq!(caching(&response), [NOT_TO_BE_CACHED]);
    assert_ne!(response.body, home);
    lb.target(&home).revive();
    lb.wait_for_healthy(2);
    for _ in 0..4 {
        let next = client.get(lb.sticky, "/");
        assert_eq!((&next.body, next.set_cookies()), (&response.body, vec![]));
    }
    assert_eq!((lb.counted(Outcome::Moved), lb.issued()), (1, 2));
}

/// Cookies that do not pin as this kind, each with the outcome that is counted.
fn bad_cookies(kind: CookieKind, lb: &LoadBalancer) -> Vec<(Outcome, String)> {
    let a = lb.targets[0].name_in_envoy();
    let forged = |kind, key, group| forge_as(kind, key, &[(group, &a, 0)]);
    let good = forged(kind, KEY, "web");
    let flipped = format!("{}{}", &good[..good.len() - 1], if good.ends_with('0') { '1' } else { '0' });
    let other_kind =
        if kind == CookieKind::ClassicLbCookie { CookieKind::ClassicAppCookie } else { CookieKind::ClassicLbCookie };
    let duration_based = forged(CookieKind::LbCookie, KEY, "web");
    let as_hex = data_encoding::BASE64_NOPAD.decode(duration_based.as_bytes()).unwrap();
    let value = |value: &str| format!("AWSELB={value}");
    vec![
        (Outcome::NoCookie, format!("awselb={good}")),
        (Outcome::NoCookie, "AWSELB=_remove_".to_owned()),
        (Outcome::Malformed, value("")),
        (Outcome::Malformed, value("garbage")),
        (Outcome::Malformed, value("%ff%00%zz%")),
        (Outcome::Malformed, value(&good[1..])),
        (Outcome::Malformed, value(&good[..good.len() - 32])),
        (Outcome::Malformed, value(&format!("{good}00"))),
        (Outcome::Malformed, value(&flipped)),
        (Outcome::Malformed, value(&"A".repeat(20_000))),
        (Outcome::Malformed, vec!["AWSELB=x"; 1_500].join("; ")),
        // A cookie of another kind is not accepted: neither the other kind with this name, nor the one of the other load
        // balancer.
        (Outcome::Malformed, value(&forged(other_kind, KEY, "web"))),
        (Outcome::Malformed, value(&duration_based)),
        (Outcome::Malformed, value(&data_encoding::HEXUPPER.encode(&as_hex))),
        (Outcome::UnknownKey, value(&forged(kind, OTHER_KEY, "web"))),
        (Outcome::WrongGroup, value(&forged(kind, KEY, "api"))),
    ]
}

#[test]
fn a_bad_cookie_is_served_unpinned_counted_and_replaced() {
    let lb = by_period();
    for (outcome, cookies) in bad_cookies(CookieKind::ClassicLbCookie, &lb) {
        let before = (lb.counted(outcome), lb.issued());
        unpinned(&lb, &[&format!("cookie: {cookies}")]);
        assert_eq!((lb.counted(outcome), lb.issued()), (before.0 + 2, before.1 + 2), "{cookies}");
    }
    assert_eq!(fetch(lb.sticky, "/", &[b"cookie: AWSELB=\xff; \xfe=\x80"]).cookie_names(), ["AWSELB", "AWSELBCORS"]);
    has_not_crashed(&lb.envoy);
    assert_eq!(lb.counted(Outcome::Pinned) + lb.counted(Outcome::Moved), 0);
}

#[test]
fn the_applications_cookie_is_followed_with_a_copy_of_its_attributes_in_its_order() {
    let lb = by_application();
    for (application, attributes) in [
        ("Path=/", "PATH=/"),
        ("path=/; httponly; secure", "PATH=/;HTTPONLY;SECURE"),
        ("Secure; Path=/app; Max-Age=60; SameSite=None", "SECURE;PATH=/app;MAX-AGE=60;SAMESITE=None"),
        (
            "expires=Thu, 19-Nov-2081 08:52:00 GMT; path=/; domain=.example.org",
            "EXPIRES=Thu, 19-Nov-2081 08:52:00 GMT;PATH=/;DOMAIN=.example.org",
        ),
        (
            "Version=1; Comment=why; CommentURL=http://x/; Port=80; Discard; Path=/",
            "VERSION=1;COMMENT=why;COMMENTURL=http://x/;PORT=80;DISCARD;PATH=/",
        ),
        // `Partitioned` and `Priority` are not among the twelve attributes that are copied.
        ("Path=/; Partitioned; Priority=High; HttpOnly", "PATH=/;HTTPONLY"),
        ("Path=/my_path/of_mine", "PATH=/my%5Fpath/of%5Fmine"),
        ("Path=/;HttpOnly;SAMESITE=lax", "PATH=/;HTTPONLY;SAMESITE=lax"),
    ] {
        let own = format!("JSESSIONID=abc; {application}");
        let response = fetch(lb.sticky, &setting(&["theme=dark; HttpOnly", &own]), &[]);
        let value = value(&response);
        assert_eq!(response.line("AWSELB").unwrap(), format!("AWSELB={value};{attributes}"));
        assert_eq!(response.set_cookies()[..2], ["theme=dark; HttpOnly", &own]);
        assert_eq!(caching(&response), [NOT_TO_BE_CACHED]);
    }
}

#[test]
fn its_twin_is_for_all_sites_whatever_the_applications_cookie_is() {
    let lb = by_application();
    for (application, attributes) in [
        ("Path=/; Max-Age=60", "PATH=/;MAX-AGE=60;SECURE;SAMESITE=None"),
        ("Secure; SameSite=Strict; Path=/; HttpOnly", "PATH=/;HTTPONLY;SECURE;SAMESITE=None"),
    ] {
        let response = fetch(lb.sticky, &setting(&[format!("JSESSIONID=1; {application}")]), &[]);
        let value = value(&response);
        assert_eq!(response.cookie_names(), ["JSESSIONID", "AWSELB", "AWSELBCORS"]);
        assert_eq!(response.line("AWSELBCORS").unwrap(), format!("AWSELBCORS={value};{attributes}"));
        let line = format!("cookie: JSESSIONID=1; AWSELBCORS={value}");
        assert_eq!([0; 4].map(|_| fetch(lb.sticky, "/", &[line.as_bytes()]).body == response.body), [true; 4]);
    }
}

#[test]
fn without_a_cookie_of_the_application_there_is_none_of_ours() {
    let lb = by_application();
    let other = setting(&["jsessionid=1; Path=/", "OTHER=JSESSIONID=1"]);
    for path in ["/", "/two-cookies", &other] {
        let response = fetch(lb.sticky, path, &[]);
        assert_eq!((response.cookie("AWSELB"), response.cookie("AWSELBCORS")), (None, None), "{path}");
        assert_eq!(caching(&response), Vec::<&str>::new());
    }
    assert_eq!(lb.issued(), 0);
}

#[test]
fn a_cookie_of_the_application_that_ends_in_a_semicolon_is_ignored() {
    let lb = by_application();
    for line in ["JSESSIONID=1;", "JSESSIONID=1; Path=/;", "JSESSIONID=1; Path=/; "] {
        assert_eq!(fetch(lb.sticky, &setting(&[line]), &[]).cookie("AWSELB"), None, "{line}");
    }
    assert!(fetch(lb.sticky, &login(), &[]).cookie("AWSELB").is_some());
}

#[test]
fn a_client_is_pinned_only_while_it_sends_both_cookies_and_ours_is_not_renewed() {
    let lb = by_application();
    let mut client = Client::default();
    let home = client.get(lb.sticky, &login()).body;
    for _ in 0..4 {
        let response = client.get(lb.sticky, "/");
        assert_eq!((&response.body, response.set_cookies()), (&home, vec![]));
    }
    assert_eq!((lb.counted(Outcome::Pinned), lb.issued()), (4, 1));
    unpinned(&lb, &[&format!("cookie: AWSELB={}", client.jar["AWSELB"])]);
    unpinned(&lb, &["cookie: JSESSIONID=1"]);
    assert_eq!((lb.counted(Outcome::Pinned), lb.counted(Outcome::Moved)), (4, 0));
}

#[test]
fn our_cookie_is_given_anew_with_each_new_cookie_of_the_application() {
    let lb = by_application();
    let mut client = Client::default();
    let home = client.get(lb.sticky, &login()).body;
    let response = client.get(lb.sticky, &setting(&["JSESSIONID=2; Path=/app; Secure"]));
    assert_eq!(response.body, home);
    assert!(response.line("AWSELB").unwrap().ends_with(";PATH=/app;SECURE"), "{response:?}");
    assert_eq!(client.get(lb.sticky, "/").body, home);
}

#[test]
fn our_cookie_is_deleted_as_the_application_deletes_its_own() {
    let lb = by_application();
    for (application, attributes) in [
        ("Path=/; Max-Age=0", "PATH=/;MAX-AGE=0"),
        ("Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/", "EXPIRES=Thu, 01 Jan 1970 00:00:00 GMT;PATH=/"),
    ] {
        let mut client = Client::default();
        client.get(lb.sticky, &login());
        let response = client.get(lb.sticky, &setting(&[format!("JSESSIONID=; {application}")]));
        let line = response.line("AWSELB").unwrap();
        assert_eq!(line.split_once(';').unwrap().1, attributes);
        assert!(!client.jar.contains_key("AWSELB"), "{client:?}");
    }
}

#[test]
fn the_session_of_a_dead_target_moves_for_good_with_the_attributes_of_before() {
    let mut lb = start(following());
    let mut client = Client::default();
    let home = client.get(lb.sticky, &setting(&["JSESSIONID=1; Path=/my_path; Secure; HttpOnly"])).body;
    lb.kill(&home);
    let response = client.get(lb.sticky, "/");
    assert_eq!(response.status, 200);
    assert_ne!(response.body, home);
    let expected = format!("AWSELB={};PATH=/my%5Fpath;SECURE;HTTPONLY", value(&response));
    assert_eq!(response.line("AWSELB").unwrap(), expected);
    lb.target(&home).revive();
    lb.wait_for_healthy(2);
    for _ in 0..4 {
        assert_eq!(client.get(lb.sticky, "/").body, response.body);
    }
    assert_eq!((lb.counted(Outcome::Moved), lb.issued()), (1, 2));
}

#[test]
fn a_bad_cookie_beside_the_applications_own_is_served_unpinned_and_counted() {
    let lb = by_application();
    for (outcome, cookies) in bad_cookies(CookieKind::ClassicAppCookie, &lb) {
        let before = lb.counted(outcome);
        unpinned(&lb, &[&format!("cookie: JSESSIONID=1; {cookies}")]);
        assert_eq!(lb.counted(outcome), before + 2, "{cookies}");
    }
    for line in [b"cookie: JSESSIONID=\xff; AWSELB=\xff".as_slice(), b"cookie: \xfe=\x80; JSESSIONID"] {
        assert_eq!(fetch(lb.sticky, "/", &[line]).status, 200);
    }
    let odd = setting(&[b"JSESSIONID=\xff; Path=/\xff; Comment=\x80".as_slice()]);
    assert_eq!(fetch(lb.sticky, &odd, &[]).status, 200);
    has_not_crashed(&lb.envoy);
    assert_eq!(lb.counted(Outcome::Pinned) + lb.counted(Outcome::Moved), 0);
}
