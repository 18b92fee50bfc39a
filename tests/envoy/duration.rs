//! Duration-based stickiness: who goes where, and what the cookies look like.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::json;

use stickiness::outcome::Outcome;

use crate::harness::{Client, LoadBalancer, Setup, fetch, fetch_over_tls, forge, over_tls, wait_until};

#[test]
fn each_client_stays_on_one_target_and_new_clients_are_spread() {
    let lb = LoadBalancer::shipped();
    let mut clients = [Client::default(), Client::default(), Client::default()];
    let mut bodies: [Vec<String>; 3] = Default::default();
    for (client, requests) in [(0, 2), (1, 1), (2, 1), (0, 3), (1, 3), (2, 3)] {
        for _ in 0..requests {
            bodies[client].push(clients[client].get(lb.sticky, "/").body);
        }
    }
    for of_one_client in &bodies {
        assert!(of_one_client.iter().all(|body| *body == of_one_client[0]), "{bodies:?}");
    }
    let targets: BTreeSet<&str> = bodies.iter().map(|of_one| of_one[0].as_str()).collect();
    assert_eq!(targets, BTreeSet::from(["a", "b"]));
}

#[test]
fn requests_of_pinned_clients_do_not_disturb_the_rotation_of_new_ones() {
    let lb = LoadBalancer::shipped();
    let mut pinned = Client::default();
    pinned.get(lb.sticky, "/");
    for _ in 0..4 {
        let one = fetch(lb.sticky, "/", &[]).body;
        pinned.get(lb.sticky, "/");
        let other = fetch(lb.sticky, "/", &[]).body;
        assert_ne!(one, other);
    }
}

#[test]
fn both_cookies_are_written_exactly_as_aws_writes_them_over_plain_http() {
    let lb = LoadBalancer::shipped();
    let response = fetch(lb.sticky, "/", &[]);
    let value = response.cookie("AWSALB").unwrap();
    let expires = response.expires();
    assert_eq!(value.len(), 124);
    assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'));
    assert_eq!(
        response.set_cookies(),
        [format!("AWSALB={value}; {expires}; Path=/"), format!("AWSALBCORS={value}; {expires}; Path=/; SameSite=None"),]
    );
    assert!(expires.ends_with(" GMT"), "{expires}");
    assert!((86_390..=86_400).contains(&response.expires_in()));
}

#[test]
fn over_tls_the_twin_is_secure() {
    let lb = LoadBalancer::start(&Setup { edit: &over_tls, ..Setup::default() });
    let response = fetch_over_tls(lb.sticky, "/", &[]);
    let lines = response.set_cookies();
    assert!(lines[0].ends_with("; Path=/"), "{lines:?}");
    assert!(lines[1].ends_with("; Path=/; SameSite=None; Secure"), "{lines:?}");
}

#[test]
fn every_answer_of_a_target_renews_both_cookies_beside_its_own() {
    let lb = LoadBalancer::shipped();
    for (method, path, status, own) in [
        ("GET", "/two-cookies", 200, vec!["session=1; HttpOnly", "theme=dark"]),
        ("GET", "/500", 500, vec![]),
        ("GET", "/redirect", 302, vec![]),
        ("GET", "/not-modified", 304, vec![]),
        ("HEAD", "/", 200, vec![]),
        ("OPTIONS", "/", 200, vec![]),
    ] {
        let mut client = Client::default();
        client.get(lb.sticky, "/");
        let response = client.send(method, lb.sticky, path);
        assert_eq!(response.status, status, "{path}");
        let lines = response.set_cookies();
        assert_eq!(lines[..own.len()], own, "{path}");
        assert_eq!(lines.len(), own.len() + 2, "{path}");
        assert!(response.cookie("AWSALB").is_some() && response.cookie("AWSALBCORS").is_some(), "{path}");
    }
}

#[test]
fn an_answer_of_envoy_itself_carries_no_cookie() {
    let lb = LoadBalancer::start(&Setup {
        edit: &|config| {
            let routes =
                &mut config.connection_manager("sticky").unwrap()["route_config"]["virtual_hosts"][0]["routes"];
            let direct = json!({ "match": { "path": "/direct" }, "direct_response": { "status": 200 } });
            routes.as_array_mut().unwrap().insert(0, direct);
            let nowhere = json!({ "match": { "path": "/nowhere" }, "route": { "cluster": "gone" } });
            routes.as_array_mut().unwrap().insert(0, nowhere);
            config.connection_manager("sticky").unwrap()["route_config"]["validate_clusters"] = json!(false);
        },
        ..Setup::default()
    });
    let mut client = Client::default();
    client.get(lb.sticky, "/");
    for (path, status) in [("/direct", 200), ("/nowhere", 503)] {
        let response = client.get(lb.sticky, path);
        assert_eq!((response.status, response.set_cookies()), (status, vec![]), "{path}");
    }
}

#[test]
fn the_value_differs_from_one_second_to_the_next_and_keeps_the_target() {
    let lb = LoadBalancer::shipped();
    let mut client = Client::default();
    let first = client.get(lb.sticky, "/");
    wait_until("another value", || {
        let next = client.get(lb.sticky, "/");
        assert_eq!(next.body, first.body);
        next.cookie("AWSALB") != first.cookie("AWSALB")
    });
}

#[test]
fn a_cookie_of_one_second_lasts_for_one_second() {
    const LIFE: Duration = Duration::from_secs(1);
    let lb = LoadBalancer::with_plugin(
        r#"{"target_groups": {"web": {"stickiness": {"lb_cookie": {"duration_seconds": 1}}}}}"#,
    );
    let mut client = Client::default();
    let before = Instant::now();
    client.get(lb.sticky, "/");
    let after = Instant::now();
    wait_until("the cookie to expire", || {
        let sent = Instant::now();
        client.clone().get(lb.sticky, "/");
        let is_expired = lb.counted(Outcome::Expired) > 0;
        // It was issued between `before` and `after`, and it was judged between `sent` and now. Envoy counts milliseconds.
        assert!(is_expired || sent.duration_since(after) < LIFE, "it pins after {:?}", sent.duration_since(after));
        assert!(!is_expired || before.elapsed() >= LIFE, "it expired after at most {:?}", before.elapsed());
        is_expired
    });
}

#[test]
fn a_session_that_is_used_outlives_the_duration_of_its_first_cookie() {
    let lb = LoadBalancer::with_plugin(r#"{"target_groups": {"*": {"stickiness.lb_cookie.duration_seconds": "2"}}}"#);
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    let first = client.clone();
    wait_until("the first cookie to expire", || {
        assert_eq!(client.get(lb.sticky, "/").body, home);
        first.clone().get(lb.sticky, "/");
        lb.counted(Outcome::Expired) > 0
    });
    assert_eq!(client.get(lb.sticky, "/").body, home);
    assert_eq!(lb.counted(Outcome::Moved), 0);
}

#[test]
fn the_duration_is_enforced_whatever_the_client_does_with_its_cookie() {
    let lb = LoadBalancer::shipped();
    let target = lb.targets[1].name_in_envoy();
    let line = |age| format!("cookie: AWSALB={}", forge("web", &target, age)).into_bytes();
    for _ in 0..4 {
        assert_eq!(fetch(lb.sticky, "/", &[&line(86_390)]).body, "b");
    }
    fetch(lb.sticky, "/", &[&line(86_401)]);
    assert_eq!((lb.counted(Outcome::Pinned), lb.counted(Outcome::Expired)), (4, 1));
}

#[test]
fn expires_shows_seven_days_or_nothing_when_asked_to() {
    let seven_days = LoadBalancer::with_plugin(r#"{"cookie": {"expires": "seven_days"}}"#);
    let left = fetch(seven_days.sticky, "/", &[]).expires_in();
    assert!((604_790..=604_800).contains(&left), "{left}");

    let session = LoadBalancer::with_plugin(r#"{"cookie": {"expires": "session"}}"#);
    let response = fetch(session.sticky, "/", &[]);
    let value = response.cookie("AWSALB").unwrap();
    assert_eq!(
        response.set_cookies(),
        [format!("AWSALB={value}; Path=/"), format!("AWSALBCORS={value}; Path=/; SameSite=None")]
    );
}

#[test]
fn the_listener_without_the_filter_is_not_sticky() {
    let lb = LoadBalancer::shipped();
    let plain = lb.envoy.address("plain").unwrap();
    let mut client = Client::default();
    let bodies: Vec<String> = (0..4).map(|_| client.get(plain, "/").body).collect();
    assert_ne!(bodies[0], bodies[1]);
    assert!(client.jar.is_empty());
}
