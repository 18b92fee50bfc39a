//! Several cookies of one name, as a browser holds them when the path or the domain of the cookie has changed, or when a
//! sub-domain has set its own. The newest decides.

use local_envoy::Plugin;
use serde_json::json;

use stickiness::outcome::Outcome;
use stickiness::trust::key_ring::CookieKind;

use harness::{KEY, LoadBalancer, Response, Setup, fetch, forge, forge_as, group_of};

use crate::pool;
use crate::steps::cookie_line;

/// Sends these cookies so often that a request without a pin would reach another target.
#[track_caller]
fn all_reach(lb: &LoadBalancer, cookies: &str, target: &str) {
    let bodies = [0; 4].map(|_| fetch(lb.sticky, "/", &[&cookie_line(cookies)]).body);
    assert_eq!(bodies, [target; 4], "{cookies}");
}

#[test]
fn a_session_whose_older_cookie_names_a_dead_target_moves_once_and_stays() {
    let mut lb = LoadBalancer::start(&Setup { targets: &["a", "b", "c", "d"], ..Setup::default() });
    // The older cookie is of another path, so that no answer replaces it. It comes first.
    let older = forge("web", &lb.target("a").name_in_envoy(), 100);
    lb.kill("a");
    let ask = |newer: &str| -> Response { fetch(lb.sticky, "/", &[&cookie_line(&format!("AWSALB={older}{newer}"))]) };
    let moved = ask("");
    let newer = |response: &Response| format!("; AWSALB={}", response.cookie("AWSALB").unwrap());
    let (home, mut cookie) = (moved.body.clone(), newer(&moved));
    for _ in 0..8 {
        let response = ask(&cookie);
        assert_eq!(response.body, home);
        cookie = newer(&response);
    }
    assert_eq!((lb.counted(Outcome::Moved), lb.counted(Outcome::Pinned)), (1, 8));
}

#[test]
fn the_newer_of_two_duration_based_cookies_pins_in_either_order_and_whichever_is_the_twin() {
    let lb = pool::shipped();
    let [old, new] =
        [(0_usize, 10), (1, 0)].map(|(target, age)| forge("web", &lb.targets[target].name_in_envoy(), age));
    all_reach(&lb, &format!("AWSALB={old}; AWSALB={new}"), "b");
    all_reach(&lb, &format!("AWSALB={new}; AWSALB={old}"), "b");
    all_reach(&lb, &format!("AWSALBCORS={old}; AWSALB={new}"), "b");
    all_reach(&lb, &format!("AWSALB={old}; AWSALBCORS={new}"), "b");
    assert_eq!(lb.counted(Outcome::Pinned), 16);
}

#[test]
fn the_newer_of_two_cookies_of_a_target_group_decides() {
    let lb = pool::shipped_weights();
    let [old, new] =
        [("blue", 10), ("green", 0)].map(|(group, age)| forge_as(CookieKind::TargetGroup, KEY, &[(group, "", age)]));
    for cookies in [
        format!("AWSALBTG={old}; AWSALBTG={new}"),
        format!("AWSALBTG={new}; AWSALBTG={old}"),
        format!("AWSALBTGCORS={old}; AWSALBTG={new}"),
    ] {
        for _ in 0..4 {
            assert_eq!(group_of(&lb.answer_to(&[&cookies]).body), "green", "{cookies}");
        }
    }
}

#[test]
fn of_two_application_based_cookies_the_one_with_the_newest_binding_to_the_target_group_pins() {
    let stickiness = json!({ "type": "app_cookie", "app_cookie": { "cookie_name": "sid" } });
    let plugin = json!({ "target_groups": { "web": { "stickiness": stickiness } } });
    let lb = pool::start(&Setup { plugin: Some(Plugin::Struct(plugin)), ..Setup::default() });
    let [a, b] = [0, 1].map(|target: usize| lb.targets[target].name_in_envoy());
    // The binding to another target group is the newest of all and does not count.
    let old = forge_as(CookieKind::AppCookie, KEY, &[("api", "10.0.0.1:80", 0), ("web", &a, 10)]);
    let new = forge_as(CookieKind::AppCookie, KEY, &[("web", &b, 5)]);
    all_reach(&lb, &format!("sid=1; AWSALBAPP-0={old}; AWSALBAPP-0={new}"), "b");
    all_reach(&lb, &format!("sid=1; AWSALBAPP-0={new}; AWSALBAPP-0={old}"), "b");
}

#[test]
fn the_newer_of_two_classic_cookies_pins() {
    let plugin = json!({ "target_groups": { "web": { "stickiness": { "type": "classic_lb_cookie" } } } });
    let lb = pool::start(&Setup { plugin: Some(Plugin::Struct(plugin)), ..Setup::default() });
    let [old, new] = [(0_usize, 10), (1, 0)].map(|(target, age)| {
        forge_as(CookieKind::ClassicLbCookie, KEY, &[("web", &lb.targets[target].name_in_envoy(), age)])
    });
    all_reach(&lb, &format!("AWSELB={old}; AWSELB={new}"), "b");
    all_reach(&lb, &format!("AWSELBCORS={old}; AWSELB={new}"), "b");
}
