//! Python's library `requests`. A `Session` keeps cookies, and a bare `get` does not.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use local_envoy::Plugin;
use serde_json::json;
use stickiness::outcome::Outcome;

use harness::{LoadBalancer, Setup, setting, wait_until};

use crate::packages::python;
use crate::program::Conversation;

/// A running client that requests paths.
struct Session {
    script: Conversation,
    server: String,
}

impl Session {
    #[track_caller]
    fn start(lb: &LoadBalancer) -> Self {
        Self::of("python/session.py", lb)
    }

    #[track_caller]
    fn of(script: &str, lb: &LoadBalancer) -> Self {
        Self { script: Conversation::start(&mut python(script)), server: format!("http://{}", lb.sticky) }
    }

    /// The name of the target, and the names of the cookies.
    #[track_caller]
    fn get(&mut self, path: &str) -> (String, Vec<String>) {
        let answer = self.script.ask(&format!("{}{path}", self.server));
        let mut words = answer.split(' ').map(str::to_owned);
        (words.next().unwrap(), words.collect())
    }

    /// The targets that answer so many requests.
    #[track_caller]
    fn targets(&mut self, requests: usize) -> BTreeSet<String> {
        (0..requests).map(|_| self.get("/").0).collect()
    }
}

#[test]
fn ten_requests_of_a_session_reach_one_target() {
    let lb = LoadBalancer::shipped();
    assert_eq!(Session::start(&lb).targets(10).len(), 1);
    assert_eq!(lb.counted(Outcome::Pinned), 9);
}

#[test]
fn requests_without_a_session_are_spread() {
    let lb = LoadBalancer::shipped();
    assert_eq!(Session::of("python/without_session.py", &lb).targets(4).len(), 2);
    assert_eq!(lb.counted(Outcome::NoCookie), 4);
}

#[test]
fn the_session_of_a_target_that_died_moves_without_an_error_and_for_good() {
    let mut lb = LoadBalancer::shipped();
    let mut session = Session::start(&lb);
    let home = session.get("/").0;
    lb.kill(&home);
    let moved = session.get("/").0;
    assert_ne!(moved, home);
    lb.target(&home).revive();
    lb.wait_for_healthy(2);
    assert_eq!(session.targets(4), [moved].into());
    assert_eq!(lb.counted(Outcome::Moved), 1);
}

#[test]
fn a_session_no_longer_sends_expired_cookies() {
    let plugin = r#"{"target_groups": {"web": {"stickiness": {"lb_cookie": {"duration_seconds": 3}}}}}"#;
    let lb = LoadBalancer::with_plugin(plugin);
    let mut session = Session::start(&lb);
    assert_eq!(session.get("/").1, ["AWSALB", "AWSALBCORS"]);
    let given = Instant::now();
    wait_until("the cookies to be over", || given.elapsed() > Duration::from_secs(3));
    session.get("/");
    let heads = lb.received();
    assert!(heads.len() == 2 && !heads.iter().any(|head| head.contains("cookie:")), "{heads:?}");
    assert_eq!(lb.counted(Outcome::NoCookie), 2);
}

#[test]
fn after_a_logout_the_session_is_not_pinned() {
    let stickiness = json!({ "type": "app_cookie", "app_cookie": { "cookie_name": "LOGIN" } });
    let plugin = Plugin::Struct(json!({ "target_groups": { "web": { "stickiness": stickiness } } }));
    let lb = LoadBalancer::start(&Setup { plugin: Some(plugin), ..Setup::default() });
    let mut session = Session::start(&lb);
    let (home, cookies) = session.get(&setting(&["LOGIN=alice"]));
    assert_eq!(cookies, ["AWSALBAPP-0", "LOGIN"]);
    let logout = setting(&["LOGIN=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]);
    // As at AWS, the filter's cookie stays in the jar with the value `_remove_`.
    assert_eq!(session.get(&logout), (home, vec!["AWSALBAPP-0".to_owned()]));
    session.get("/");
    assert_eq!((lb.counted(Outcome::Pinned), lb.counted(Outcome::NoCookie)), (1, 2));
}
