//! The renewal of cookies during a session.

use std::time::{Duration, Instant};

use local_envoy::Plugin;
use serde_json::{Value, json};

use stickiness::outcome::Outcome;

use harness::{Client, LoadBalancer, Setup, fetch, group_of, plugin, setting, wait_until};

use crate::pool::{self, Pooled};

/// A load balancer whose `web` is sticky for so many seconds, with these cookie options.
#[track_caller]
fn with(seconds: u64, cookie: &Value) -> Pooled {
    pool::with(config(seconds, cookie))
}

fn config(seconds: u64, cookie: &Value) -> Value {
    let stickiness = json!({ "lb_cookie": { "duration_seconds": seconds } });
    json!({ "cookie": cookie, "target_groups": { "web": { "stickiness": stickiness } } })
}

/// Uses a session until an answer renews its cookie, and returns the time when that request was sent.
#[track_caller]
fn use_until_renewed(lb: &LoadBalancer, client: &mut Client, home: &str) -> Instant {
    let mut sent = Instant::now();
    wait_until("a new cookie", || {
        sent = Instant::now();
        let response = client.get(lb.sticky, "/");
        assert_eq!(response.body, home);
        !response.set_cookies().is_empty()
    });
    sent
}

#[test]
fn a_sliding_cookie_is_renewed_after_half_of_its_duration_and_the_session_goes_on() {
    let lb = with(4, &json!({ "renew": "sliding" }));
    let mut client = Client::default();
    let start = Instant::now();
    let home = client.get(lb.sticky, "/").body;
    let mut given = start;
    // The session goes on for longer than the duration.
    while start.elapsed() < Duration::from_secs(5) {
        let renewed = use_until_renewed(&lb, &mut client, &home);
        assert!(given.elapsed() >= Duration::from_secs(2), "{:?}", given.elapsed());
        given = renewed;
    }
    assert_eq!((lb.counted(Outcome::Expired), lb.counted(Outcome::Moved)), (0, 0));
    assert!((3..=5).contains(&lb.issued()), "{}", lb.issued());
}

#[test]
fn the_share_after_which_it_is_renewed_can_be_chosen() {
    let lb = with(10, &json!({ "renew": "sliding", "renew_after_percent": 10 }));
    let mut client = Client::default();
    let given = Instant::now();
    let home = client.get(lb.sticky, "/").body;
    let renewed = use_until_renewed(&lb, &mut client, &home);
    assert!(given.elapsed() >= Duration::from_secs(1), "{:?}", given.elapsed());
    assert!(renewed.duration_since(given) < Duration::from_secs(5));
}

#[test]
fn a_client_without_a_usable_cookie_gets_one_whatever_the_renewal() {
    for renew in ["sliding", "on_change"] {
        let lb = with(60, &json!({ "renew": renew }));
        for line in [b"a: b".as_slice(), b"cookie: AWSALB=broken"] {
            assert_eq!(fetch(lb.sticky, "/", &[line]).cookie_names(), ["AWSALB", "AWSALBCORS"], "{renew}");
        }
    }
}

#[test]
fn a_session_that_moves_gets_a_cookie_whatever_the_renewal() {
    for renew in ["sliding", "on_change"] {
        let plugin = Plugin::Struct(config(60, &json!({ "renew": renew })));
        let mut lb = LoadBalancer::start(&Setup { plugin: Some(plugin), ..Setup::default() });
        let mut client = Client::default();
        let home = client.get(lb.sticky, "/").body;
        assert_eq!(client.get(lb.sticky, "/").set_cookies(), Vec::<&str>::new(), "{renew}");
        lb.kill(&home);
        let moved = client.get(lb.sticky, "/");
        assert_eq!(moved.cookie_names(), ["AWSALB", "AWSALBCORS"], "{renew}");
        let next = client.get(lb.sticky, "/");
        assert_eq!((&next.body, next.set_cookies()), (&moved.body, vec![]), "{renew}");
    }
}

#[test]
fn a_cookie_that_is_renewed_on_change_only_ends_however_much_it_is_used() {
    let lb = with(2, &json!({ "renew": "on_change" }));
    let mut client = Client::default();
    let start = Instant::now();
    let home = client.get(lb.sticky, "/").body;
    wait_until("the session to end", || {
        let response = client.get(lb.sticky, "/");
        let is_over = lb.counted(Outcome::Expired) > 0;
        assert!(is_over || (response.body == home && response.set_cookies().is_empty()), "{response:?}");
        assert!(!is_over || start.elapsed() >= Duration::from_secs(2));
        is_over
    });
    // The answer has started a new session.
    let next = client.get(lb.sticky, "/");
    assert_eq!(next.set_cookies(), Vec::<&str>::new());
    assert_eq!(lb.issued(), 2);
}

#[test]
fn the_cookies_of_a_rule_are_renewed_as_the_rule_says() {
    let lb = pool::weighted(|config| {
        plugin(config)["rules"][0]["cookie"] = json!({ "renew": "on_change" });
    });
    let (mut client, home) = lb.client_of("blue");
    for _ in 0..4 {
        let response = client.get(lb.sticky, "/");
        assert_eq!(response.cookie_names(), ["AWSALB", "AWSALBCORS"]);
        assert_eq!(group_of(&response.body), group_of(&home));
    }
}

#[test]
fn a_cookie_that_follows_the_applications_own_is_renewed_as_the_others() {
    let plugin = Plugin::Struct(json!({
        "cookie": { "renew": "sliding" },
        "target_groups": { "web": { "stickiness": {
            "type": "app_cookie", "app_cookie": { "cookie_name": "JSESSIONID", "duration_seconds": 4 }
        } } }
    }));
    let lb = pool::start(&Setup { plugin: Some(plugin), ..Setup::default() });
    let mut client = Client::default();
    let given = Instant::now();
    let home = client.get(lb.sticky, &setting(&["JSESSIONID=1"])).body;
    use_until_renewed(&lb, &mut client, &home);
    assert!(given.elapsed() >= Duration::from_secs(2), "{:?}", given.elapsed());
    assert_eq!(client.get(lb.sticky, "/").body, home);
}
