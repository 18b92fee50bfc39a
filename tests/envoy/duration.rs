//! Duration-based stickiness: the targets of clients, and the form of the cookies.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use local_envoy::Plugin;
use serde_json::json;

use stickiness::outcome::Outcome;

use harness::{
    Client, LoadBalancer, Replaceable, Setup, WAIT, add_group, counted, fetch, fetch_over_tls, forge, over_tls,
    wait_until,
};

use crate::pool;
use crate::steps::outlive_the_first_cookie;

#[test]
fn each_client_stays_on_one_target_and_new_clients_are_spread() {
    let lb = pool::shipped();
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
    let lb = pool::shipped();
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
    let lb = pool::shipped();
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
    let lb = pool::start(&Setup { edit: &over_tls, ..Setup::default() });
    let response = fetch_over_tls(lb.sticky, "/", &[]);
    let lines = response.set_cookies();
    assert!(lines[0].ends_with("; Path=/"), "{lines:?}");
    assert!(lines[1].ends_with("; Path=/; SameSite=None; Secure"), "{lines:?}");
}

#[test]
fn every_answer_of_a_target_renews_both_cookies_beside_its_own() {
    let lb = pool::shipped();
    for (method, path, status, own) in [
        ("GET", "/two-cookies", 200, vec!["session=1; HttpOnly", "theme=dark"]),
        ("GET", "/status/301", 301, vec![]),
        ("GET", "/redirect", 302, vec![]),
        ("GET", "/not-modified", 304, vec![]),
        ("GET", "/status/404", 404, vec![]),
        ("HEAD", "/status/405", 405, vec![]),
        ("GET", "/status/429", 429, vec![]),
        ("GET", "/500", 500, vec![]),
        ("GET", "/status/503", 503, vec![]),
        ("HEAD", "/", 200, vec![]),
        ("OPTIONS", "/", 200, vec![]),
        ("POST", "/", 200, vec![]),
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
            let moved = json!({ "match": { "path": "/moved" }, "redirect": { "https_redirect": true } });
            routes.as_array_mut().unwrap().insert(0, moved);
            let nowhere = json!({ "match": { "path": "/nowhere" }, "route": { "cluster": "gone" } });
            routes.as_array_mut().unwrap().insert(0, nowhere);
            let mut late = routes.as_array().unwrap().last().unwrap().clone();
            late["match"] = json!({ "path": WAIT });
            late["route"]["timeout"] = json!("0.1s");
            routes.as_array_mut().unwrap().insert(0, late);
            config.connection_manager("sticky").unwrap()["route_config"]["validate_clusters"] = json!(false);
        },
        ..Setup::default()
    });
    let mut client = Client::default();
    client.get(lb.sticky, "/");
    let pinned = client.jar.clone();
    for (path, status) in [("/direct", 200), ("/moved", 301), ("/nowhere", 503), ("/garbage", 502), (WAIT, 504)] {
        let response = client.get(lb.sticky, path);
        assert_eq!((response.status, response.set_cookies()), (status, vec![]), "{path}");
    }
    assert_eq!(client.jar, pinned);
}

#[test]
fn expires_is_the_date_of_the_answer_and_the_duration() {
    for (config, seconds) in [("{}", 86_400), (r#"{"cookie": {"expires": "seven_days"}}"#, 604_800)] {
        let lb = pool::with_json(config);
        let response = fetch(lb.sticky, "/", &[]);
        let date = httpdate::parse_http_date(response.all("date").next().unwrap()).unwrap();
        let expires = httpdate::parse_http_date(response.expires().trim_start_matches("Expires=")).unwrap();
        let past = expires.duration_since(date).unwrap().as_secs() - seconds;
        // Envoy's `Date` may be half a second old.
        assert!(past <= 1, "{response:?}");
    }
}

#[test]
fn nothing_is_said_about_caching() {
    let lb = pool::shipped();
    assert_eq!(fetch(lb.sticky, "/", &[]).all("cache-control").count(), 0);
    let own: Vec<String> = fetch(lb.sticky, "/cached", &[]).all("cache-control").map(str::to_owned).collect();
    assert_eq!(own, ["max-age=60"]);
}

#[test]
fn the_value_is_longer_where_the_names_in_it_are() {
    let name = "x".repeat(100);
    let setup = Setup { plugin: Some(Plugin::Absent), edit: &|config| add_group(config, &name), ..Setup::default() };
    let lb = LoadBalancer::start(&setup);
    let lengths = ["/", &format!("/{name}/")].map(|path| fetch(lb.sticky, path, &[]).cookie("AWSALB").unwrap().len());
    assert!(lengths[0] == 124 && lengths[1] > 124, "{lengths:?}");
}

#[test]
fn a_cookie_of_another_target_group_is_replaced_and_the_client_goes_back_and_forth_without_a_pin() {
    let setup = Setup { plugin: Some(Plugin::Absent), edit: &|config| add_group(config, "api"), ..Setup::default() };
    let lb = LoadBalancer::start(&setup);
    let mut client = Client::default();
    client.get(lb.sticky, "/");
    for (group, path) in [("api", "/api/"), ("web", "/")] {
        assert_eq!(client.get(lb.sticky, path).cookie_names(), ["AWSALB", "AWSALBCORS"]);
        assert_eq!(counted(&lb.envoy, group, "wrong_group"), 1);
        let home = client.get(lb.sticky, path).body;
        assert_eq!(client.get(lb.sticky, path).body, home);
        assert_eq!(counted(&lb.envoy, group, "pinned"), 2, "{group}");
    }
}

#[test]
fn a_duration_that_is_shortened_holds_for_cookies_already_given() {
    let minute = r#"{"target_groups": {"*": {"stickiness.lb_cookie.duration_seconds": "60"}}}"#;
    let second = minute.replace("60", "1");
    let running = Replaceable::start(&Setup { plugin: Some(Plugin::Json(minute)), ..Setup::default() });
    let mut client = Client::default();
    client.get(running.lb.sticky, "/");
    assert_eq!(running.lb.counted(Outcome::Expired), 0);
    running.replace(&Setup { plugin: Some(Plugin::Json(&second)), ..Setup::default() });
    wait_until("the session to be over", || {
        client.clone().get(running.lb.sticky, "/");
        running.lb.counted(Outcome::Expired) > 0
    });
}

#[test]
fn the_value_differs_from_one_second_to_the_next_and_keeps_the_target() {
    let lb = pool::shipped();
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
    let lb = pool::with_json(r#"{"target_groups": {"web": {"stickiness": {"lb_cookie": {"duration_seconds": 1}}}}}"#);
    let mut client = Client::default();
    let before = Instant::now();
    client.get(lb.sticky, "/");
    let after = Instant::now();
    wait_until("the cookie to expire", || {
        let sent = Instant::now();
        client.clone().get(lb.sticky, "/");
        let is_expired = lb.counted(Outcome::Expired) > 0;
        // The cookie was issued between `before` and `after`, and checked between `sent` and now. Envoy counts milliseconds.
        assert!(is_expired || sent.duration_since(after) < LIFE, "it pins after {:?}", sent.duration_since(after));
        assert!(!is_expired || before.elapsed() >= LIFE, "it expired after at most {:?}", before.elapsed());
        is_expired
    });
}

#[test]
fn a_session_that_is_used_outlives_the_duration_of_its_first_cookie() {
    let lb = pool::with_json(r#"{"target_groups": {"*": {"stickiness.lb_cookie.duration_seconds": "2"}}}"#);
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    outlive_the_first_cookie(&lb, &mut client, &home);
    assert_eq!(lb.counted(Outcome::Moved), 0);
}

#[test]
fn the_duration_is_enforced_whatever_the_client_does_with_its_cookie() {
    let lb = pool::shipped();
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
    let seven_days = pool::with_json(r#"{"cookie": {"expires": "seven_days"}}"#);
    let left = fetch(seven_days.sticky, "/", &[]).expires_in();
    assert!((604_790..=604_800).contains(&left), "{left}");

    let session = pool::with_json(r#"{"cookie": {"expires": "session"}}"#);
    let response = fetch(session.sticky, "/", &[]);
    let value = response.cookie("AWSALB").unwrap();
    assert_eq!(
        response.set_cookies(),
        [format!("AWSALB={value}; Path=/"), format!("AWSALBCORS={value}; Path=/; SameSite=None")]
    );
}

#[test]
fn the_listener_without_the_filter_is_not_sticky() {
    let lb = pool::shipped();
    let plain = lb.envoy.address("plain").unwrap();
    let mut client = Client::default();
    let bodies: Vec<String> = (0..4).map(|_| client.get(plain, "/").body).collect();
    assert_ne!(bodies[0], bodies[1]);
    assert!(client.jar.is_empty());
}
