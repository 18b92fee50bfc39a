//! A target that cannot serve. Another target answers, and the session stays there.

use local_envoy::Config;
use serde_json::json;

use stickiness::outcome::Outcome;

use harness::{Client, Discovered, LoadBalancer, Setup, WAIT, fetch, wait_until};

use crate::steps::other_than;

/// A client and the name of the target that it is pinned to.
fn pinned_client(lb: &LoadBalancer) -> (Client, String) {
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    assert_eq!(client.get(lb.sticky, "/").body, home);
    (client, home)
}

/// The session has moved for good: it does not return when `home` is back.
#[track_caller]
fn stays_away(lb: &LoadBalancer, client: &mut Client, home: &str) {
    lb.wait_for_healthy(lb.targets.len());
    for _ in 0..4 {
        let response = client.get(lb.sticky, "/");
        assert_eq!(response.status, 200);
        assert_ne!(response.body, home);
    }
    assert_eq!(lb.counted(Outcome::Moved), 1);
}

#[test]
fn the_session_of_an_unhealthy_target_moves_once_and_for_good() {
    let mut lb = LoadBalancer::shipped();
    let (mut client, home) = pinned_client(&lb);
    lb.target(&home).set_healthy(false);
    lb.wait_for_healthy(1);
    let response = client.get(lb.sticky, "/");
    assert_eq!((response.status, response.set_cookies().len()), (200, 2));
    assert_ne!(response.body, home);
    lb.target(&home).set_healthy(true);
    stays_away(&lb, &mut client, &home);
}

#[test]
fn the_first_request_after_a_target_died_is_answered_by_another_one() {
    let mut lb = LoadBalancer::shipped();
    let (mut client, home) = pinned_client(&lb);
    lb.kill(&home);
    let response = client.get(lb.sticky, "/");
    assert_eq!(response.status, 200);
    assert_ne!(response.body, home);
    lb.target(&home).revive();
    stays_away(&lb, &mut client, &home);
}

#[test]
fn many_requests_at_once_are_all_answered_by_another_target_when_theirs_died() {
    let mut lb = LoadBalancer::shipped();
    let (client, home) = pinned_client(&lb);
    lb.kill(&home);
    let requests: Vec<_> = (0..20).map(|_| client.begin(lb.sticky, WAIT)).collect();
    let other = lb.target(other_than(&home));
    other.wait_for_waiting(requests.len());
    other.release();
    for request in requests {
        let response = request.join().unwrap();
        assert_eq!((response.status, response.body.as_str()), (200, other_than(&home)));
    }
}

#[test]
fn the_session_of_a_target_that_was_removed_moves_once_and_for_good() {
    let discovered = Discovered::start(&Setup::default());
    let lb = &discovered.lb;
    let (mut client, home) = pinned_client(lb);
    discovered.set(&[(other_than(&home), "HEALTHY")]);
    lb.wait_for_healthy(1);
    let response = client.get(lb.sticky, "/");
    assert_eq!(response.status, 200);
    assert_ne!(response.body, home);
    discovered.set(&[("a", "HEALTHY"), ("b", "HEALTHY")]);
    stays_away(lb, &mut client, &home);
}

#[test]
fn the_session_of_a_draining_target_moves() {
    let discovered = Discovered::start(&Setup::default());
    let lb = &discovered.lb;
    let (mut client, home) = pinned_client(lb);
    discovered.set(&[(&home, "DRAINING"), (other_than(&home), "HEALTHY")]);
    lb.wait_for_healthy(1);
    assert_ne!(client.get(lb.sticky, "/").body, home);
    assert_eq!(lb.counted(Outcome::Moved), 1);
}

#[test]
fn a_draining_target_keeps_its_sessions_where_the_cluster_says_so_and_gets_no_new_ones() {
    let discovered = Discovered::start(&Setup {
        edit: &|config| {
            config.cluster("web").unwrap()["common_lb_config"]["override_host_status"] =
                json!({ "statuses": ["UNKNOWN", "HEALTHY", "DEGRADED", "DRAINING"] });
        },
        ..Setup::default()
    });
    let lb = &discovered.lb;
    let (mut client, home) = pinned_client(lb);
    discovered.set(&[(&home, "DRAINING"), (other_than(&home), "HEALTHY")]);
    // This also shows that new clients no longer go there.
    lb.wait_for_healthy(1);
    for _ in 0..4 {
        assert_eq!(client.get(lb.sticky, "/").body, home);
    }
}

#[test]
fn when_all_targets_are_dead_envoy_answers_503_without_a_cookie() {
    let mut lb = LoadBalancer::shipped();
    let (mut client, _) = pinned_client(&lb);
    let before = client.jar.clone();
    lb.kill("a");
    lb.kill("b");
    // Before the health checks notice it, and after that.
    for _ in 0..2 {
        let response = client.get(lb.sticky, "/");
        assert_eq!((response.status, response.set_cookies()), (503, vec![]));
        lb.wait_for_healthy(0);
    }
    assert_eq!(client.jar, before);
}

#[test]
fn when_all_targets_are_unhealthy_envoy_answers_503_without_a_cookie_and_the_session_survives() {
    let lb = LoadBalancer::shipped();
    let (mut client, home) = pinned_client(&lb);
    lb.targets.iter().for_each(|target| target.set_healthy(false));
    lb.wait_for_healthy(0);
    let response = client.get(lb.sticky, "/");
    assert_eq!((response.status, response.set_cookies()), (503, vec![]));
    lb.targets.iter().for_each(|target| target.set_healthy(true));
    lb.wait_for_healthy(2);
    assert_eq!(client.get(lb.sticky, "/").body, home);
}

/// Lets Envoy send to all targets of `web` when all are unhealthy, as AWS does.
fn fail_open(config: &mut Config) {
    config.cluster("web").unwrap()["common_lb_config"]["healthy_panic_threshold"]["value"] = json!(50);
}

/// Makes all targets unhealthy, and waits until Envoy's worker sends requests to them all the same.
#[track_caller]
fn fail_all(lb: &LoadBalancer) {
    let panics = || lb.envoy.admin().counter("cluster.web.lb_healthy_panic").unwrap();
    // On a busy machine, a target may get a request before its first health check.
    let before = panics();
    lb.targets.iter().for_each(|target| target.set_healthy(false));
    wait_until("unhealthy targets to be asked", || {
        fetch(lb.sticky, "/", &[]);
        panics() > before
    });
}

#[test]
fn when_all_targets_are_unhealthy_all_of_them_are_asked_where_the_cluster_says_so() {
    let lb = LoadBalancer::start(&Setup { edit: &fail_open, ..Setup::default() });
    fail_all(&lb);
    let answers = [0; 2].map(|_| fetch(lb.sticky, "/", &[]));
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.set_cookies().len() == 2), "{answers:?}");
    assert_ne!(answers[0].body, answers[1].body);
}

#[test]
fn when_unhealthy_targets_are_asked_a_session_stays_only_where_the_cluster_lets_it() {
    for (statuses, pinned) in [(&["UNKNOWN", "HEALTHY"][..], 0), (&["UNKNOWN", "HEALTHY", "UNHEALTHY"], 4)] {
        let lb = LoadBalancer::start(&Setup {
            edit: &|config| {
                fail_open(config);
                let statuses = json!({ "statuses": statuses });
                config.cluster("web").unwrap()["common_lb_config"]["override_host_status"] = statuses;
            },
            ..Setup::default()
        });
        let (client, home) = pinned_client(&lb);
        fail_all(&lb);
        let answers = [0; 4].map(|_| client.clone().get(lb.sticky, "/"));
        assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
        assert_eq!(answers.iter().all(|answer| answer.body == home), pinned == 4, "{statuses:?} {answers:?}");
        assert!(lb.counted(Outcome::Pinned) > pinned, "{statuses:?}");
    }
}

#[test]
fn sessions_of_living_targets_do_not_move_when_another_one_dies() {
    let mut lb = LoadBalancer::start(&Setup { targets: &["a", "b", "c"], ..Setup::default() });
    let mut sessions: Vec<(Client, String)> = (0..9).map(|_| pinned_client(&lb)).collect();
    lb.kill("b");
    for (client, home) in &mut sessions {
        let body = client.get(lb.sticky, "/").body;
        assert!(body == *home || home == "b", "{home} answered by {body}");
    }
    wait_until("Envoy to see that b is dead", || lb.envoy.admin().healthy_hosts("web").is_ok_and(|n| n == 2));
    assert_eq!(lb.counted(Outcome::Moved), 3);
}
