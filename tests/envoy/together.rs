//! Stickiness together with upgrades, requests in flight, balancing algorithms, HTTP/2, and load balancers in a row.

use std::collections::BTreeSet;

use local_envoy::{Config, Envoy, Plugin};
use serde_json::{Value, json};

use stickiness::outcome::Outcome;

use harness::{
    Client, Discovered, KEY, LoadBalancer, OTHER_KEY, Setup, WAIT, fetch, forge, http_2_to_targets, setting,
    start_envoy, wait_until,
};

use crate::pool;
use crate::steps::other_than;

#[test]
fn an_upgrade_goes_where_the_cookie_says_and_its_101_carries_both_cookies() {
    let lb = pool::shipped();
    for target in ["a", "b"] {
        let index = usize::from(target == "b");
        let value = forge("web", &lb.targets[index].name_in_envoy(), 0);
        for _ in 0..2 {
            let mut client = Client { jar: [("AWSALB".to_owned(), value.clone())].into(), ..Client::default() };
            let mut socket = client.open_socket(lb.sticky);
            assert_eq!((socket.answer.status, socket.answer.cookie_names()), (101, vec!["AWSALB", "AWSALBCORS"]));
            assert_eq!(socket.target(), target);
        }
    }
    assert_eq!((lb.counted(Outcome::Pinned), lb.issued()), (4, 4));
}

#[test]
fn the_cookies_of_a_101_pin_the_requests_after_it() {
    let lb = pool::shipped();
    for _ in 0..2 {
        let mut client = Client::default();
        let target = client.open_socket(lb.sticky).target();
        assert_eq!([0; 3].map(|_| client.get(lb.sticky, "/").body), [0; 3].map(|_| target.clone()));
    }
    assert_eq!(lb.counted(Outcome::Pinned), 6);
}

#[test]
fn the_101_of_an_application_based_session_renews_its_cookie() {
    let stickiness = json!({ "type": "app_cookie", "app_cookie": { "cookie_name": "JSESSIONID" } });
    let plugin = Plugin::Struct(json!({ "target_groups": { "web": { "stickiness": stickiness } } }));
    let lb = pool::start(&Setup { plugin: Some(plugin), ..Setup::default() });
    let mut client = Client::default();
    let home = client.get(lb.sticky, &setting(&["JSESSIONID=1"])).body;
    for _ in 0..2 {
        let mut socket = client.open_socket(lb.sticky);
        assert_eq!((socket.answer.status, socket.answer.cookie_names()), (101, vec!["AWSALBAPP-0"]));
        assert_eq!(socket.target(), home);
    }
}

#[test]
fn a_client_that_keeps_only_the_twin_of_its_preflight_reaches_one_target_with_a_post_and_an_upgrade() {
    let lb = pool::shipped();
    for _ in 0..2 {
        let mut client = Client::default();
        let preflight = client.send("OPTIONS", lb.sticky, "/negotiate");
        client.jar.retain(|name, _| name == "AWSALBCORS");
        let post = client.clone().send("POST", lb.sticky, "/negotiate");
        let target = client.open_socket(lb.sticky).target();
        assert_eq!([&post.body, &target], [&preflight.body; 2]);
    }
    assert_eq!(lb.counted(Outcome::Pinned), 4);
}

#[test]
fn an_upgraded_connection_stays_with_its_draining_target_while_its_client_moves() {
    let discovered = Discovered::start(&Setup::default());
    let lb = &discovered.lb;
    let mut client = Client::default();
    let mut socket = client.open_socket(lb.sticky);
    let home = socket.target();
    discovered.set(&[(&home, "DRAINING"), (other_than(&home), "HEALTHY")]);
    lb.wait_for_healthy(1);
    assert_ne!(client.get(lb.sticky, "/").body, home);
    assert_eq!(socket.target(), home);
}

#[test]
fn a_request_in_flight_is_answered_by_its_draining_target_while_its_client_moves() {
    let discovered = Discovered::start(&Setup::default());
    let lb = &discovered.lb;
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    let target = lb.targets.iter().find(|target| target.is_named(&home)).unwrap();
    let in_flight = client.begin(lb.sticky, WAIT);
    target.wait_for_waiting(1);
    discovered.set(&[(&home, "DRAINING"), (other_than(&home), "HEALTHY")]);
    lb.wait_for_healthy(1);
    assert_ne!(client.get(lb.sticky, "/").body, home);
    target.release();
    let answer = in_flight.join().unwrap();
    assert_eq!((answer.status, answer.body), (200, home));
}

#[test]
fn stickiness_comes_before_the_algorithm_once_a_target_is_chosen() {
    let lb = LoadBalancer::start(&Setup {
        edit: &|config| {
            let web = config.cluster("web").unwrap();
            web["lb_policy"] = json!("LEAST_REQUEST");
            // Among so many random choices are both targets.
            web["least_request_lb_config"] = json!({ "choice_count": 64 });
        },
        ..Setup::default()
    });
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    let target = lb.targets.iter().find(|target| target.is_named(&home)).unwrap();
    let in_flight = [0; 3].map(|_| client.begin(lb.sticky, WAIT));
    target.wait_for_waiting(3);
    for _ in 0..4 {
        assert_ne!(fetch(lb.sticky, "/", &[]).body, home);
        assert_eq!(client.get(lb.sticky, "/").body, home);
    }
    target.release();
    for request in in_flight {
        assert_eq!(request.join().unwrap().body, home);
    }
}

#[test]
fn a_session_holds_under_every_algorithm() {
    for algorithm in [
        json!({ "lb_policy": "ROUND_ROBIN" }),
        json!({ "lb_policy": "ROUND_ROBIN", "round_robin_lb_config": { "slow_start_config": { "slow_start_window": "900s" } } }),
        json!({ "lb_policy": "LEAST_REQUEST" }),
        json!({ "lb_policy": "RANDOM" }),
        json!({ "lb_policy": "MAGLEV" }),
    ] {
        let lb = LoadBalancer::start(&Setup {
            edit: &|config| {
                let web = config.cluster("web").unwrap().as_object_mut().unwrap();
                web.extend(algorithm.as_object().unwrap().clone());
            },
            ..Setup::default()
        });
        for target in ["a", "b"] {
            let address = lb.targets[usize::from(target == "b")].name_in_envoy();
            let mut client =
                Client { jar: [("AWSALB".to_owned(), forge("web", &address, 0))].into(), ..Client::default() };
            for _ in 0..6 {
                assert_eq!(client.get(lb.sticky, "/").body, target, "{algorithm}");
            }
        }
    }
}

#[test]
fn a_target_that_is_added_gets_new_clients_and_no_session_of_another_one() {
    let discovered = Discovered::start(&Setup { targets: &["a", "b", "c"], ..Setup::default() });
    let lb = &discovered.lb;
    discovered.set(&[("a", "HEALTHY"), ("b", "HEALTHY")]);
    lb.wait_for_healthy(2);
    let mut sessions: Vec<(Client, String)> = (0..6)
        .map(|_| {
            let mut client = Client::default();
            let home = client.get(lb.sticky, "/").body;
            (client, home)
        })
        .collect();
    discovered.set(&[("a", "HEALTHY"), ("b", "HEALTHY"), ("c", "HEALTHY")]);
    lb.wait_for_healthy(3);
    for _ in 0..3 {
        for (client, home) in &mut sessions {
            assert_eq!(client.get(lb.sticky, "/").body, *home);
        }
    }
    let of_new_clients: BTreeSet<String> = (0..6).map(|_| fetch(lb.sticky, "/", &[]).body).collect();
    assert!(of_new_clients.contains("c"), "{of_new_clients:?}");
}

/// Speaks HTTP/2 to the targets, without health checks.
fn over_http_2(config: &mut Config) {
    http_2_to_targets(config);
    config.cluster("web").unwrap().as_object_mut().unwrap().remove("health_checks");
}

#[test]
fn each_stream_of_an_http_2_connection_is_pinned_by_its_own_cookies() {
    let lb = pool::shipped();
    // An Envoy without stickiness is the client that speaks HTTP/2.
    let front = start_envoy(&[lb.sticky], &Setup { edit: &over_http_2, ..Setup::default() });
    let plain = front.address("plain").unwrap();
    let [mut one, mut other] = [Client::default(), Client::default()];
    let homes = [&mut one, &mut other].map(|client| client.get(plain, "/").body);
    assert_ne!(homes[0], homes[1]);
    for _ in 0..4 {
        let responses = [&mut one, &mut other].map(|client| client.get(plain, "/"));
        assert_eq!(responses.each_ref().map(|response| &response.body), homes.each_ref());
        assert!(responses.iter().all(|response| response.cookie_names() == ["AWSALB", "AWSALBCORS"]));
    }
    // A cookie in a field of its own, as browsers send them.
    let crumb = format!("cookie: AWSALB={}", one.jar["AWSALB"]);
    for _ in 0..2 {
        let lines = [b"cookie: theme=dark".as_slice(), crumb.as_bytes(), b"cookie: a=b"];
        assert_eq!(fetch(plain, "/", &lines).body, homes[0]);
    }
    assert_eq!(lb.counted(Outcome::Pinned), 10);
    assert_eq!(front.admin().counter("cluster.web.upstream_cx_http2_total").unwrap(), 1);
    assert_eq!(front.admin().counter("cluster.web.upstream_rq_total").unwrap(), 12);
}

/// A load balancer in front of two others with another key, which have two targets each: `a` and `b`, `c` and `d`.
struct InARow {
    outer: Envoy,
    inner: [LoadBalancer; 2],
}

impl InARow {
    #[track_caller]
    fn start(outer: Value, inner: &Value) -> Self {
        let inner = [&["a", "b"], &["c", "d"]].map(|targets| {
            let plugin = Some(Plugin::Struct(inner.clone()));
            LoadBalancer::start(&Setup { plugin, targets, keys: Some(OTHER_KEY), ..Setup::default() })
        });
        let addresses = inner.each_ref().map(|lb| lb.sticky);
        let setup = Setup { plugin: Some(Plugin::Struct(outer)), keys: Some(KEY), ..Setup::default() };
        let lb = Self { outer: start_envoy(&addresses, &setup), inner };
        let plain = lb.outer.address("plain").unwrap();
        let mut answered = BTreeSet::new();
        // Health checks are not enough: the worker that sends requests learns their results a moment later.
        wait_until("both load balancers to answer", || {
            answered.insert(fetch(plain, "/", &[]).body);
            ["ab", "cd"].iter().all(|inner| answered.iter().any(|body| body.len() == 1 && inner.contains(body)))
        });
        lb
    }

    /// The targets that answer so many requests of a client.
    #[track_caller]
    fn ask(&self, client: &mut Client, path: &str, requests: usize) -> Vec<String> {
        let sticky = self.outer.address("sticky").unwrap();
        (0..requests).map(|_| client.get(sticky, path).body).collect()
    }

    /// The number of requests that the inner load balancers pinned.
    #[track_caller]
    fn pinned_inside(&self) -> u64 {
        self.inner.iter().map(|lb| lb.counted(Outcome::Pinned)).sum()
    }
}

#[test]
fn of_two_load_balancers_in_a_row_with_the_same_cookie_only_the_outer_one_is_sticky() {
    let lb = InARow::start(json!({}), &json!({}));
    let mut client = Client::default();
    let bodies = lb.ask(&mut client, "/", 6);
    let targets: BTreeSet<&str> = bodies.iter().map(String::as_str).collect();
    assert!(targets == BTreeSet::from(["a", "b"]) || targets == BTreeSet::from(["c", "d"]), "{bodies:?}");
    assert_eq!(lb.pinned_inside(), 0);
}

#[test]
fn of_two_load_balancers_in_a_row_one_is_enough_to_be_sticky_with_awss_names() {
    let off = json!({ "target_groups": { "web": { "stickiness": { "enabled": false } } } });
    let lb = InARow::start(json!({}), &off);
    let bodies: BTreeSet<String> = lb.ask(&mut Client::default(), "/", 6).into_iter().collect();
    assert!(bodies == ["a", "b"].map(str::to_owned).into() || bodies == ["c", "d"].map(str::to_owned).into());
}

#[test]
fn two_load_balancers_in_a_row_are_both_sticky_where_their_cookies_have_different_names() {
    let lb = InARow::start(json!({ "cookie": { "name": "OUTER" } }), &json!({}));
    for _ in 0..4 {
        let mut client = Client::default();
        let bodies = lb.ask(&mut client, "/", 4);
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
        let names: Vec<&str> = client.jar.keys().map(String::as_str).collect();
        assert_eq!(names, ["AWSALB", "AWSALBCORS", "OUTER", "OUTERCORS"]);
    }
    assert_eq!(lb.pinned_inside(), 12);
}

#[test]
fn two_load_balancers_in_a_row_can_both_follow_cookies_of_the_application() {
    let following = |name: &str| {
        let stickiness = json!({ "type": "app_cookie", "app_cookie": { "cookie_name": name } });
        json!({ "target_groups": { "web": { "stickiness": stickiness } } })
    };
    let mut outer = following("THEIRS");
    outer["cookie"] = json!({ "name": "OUTER" });
    let lb = InARow::start(outer, &following("JSESSIONID"));
    for _ in 0..4 {
        let mut client = Client::default();
        let home = lb.ask(&mut client, &setting(&["JSESSIONID=1", "THEIRS=1"]), 1);
        assert_eq!(lb.ask(&mut client, "/", 3), [0; 3].map(|_| home[0].clone()));
    }
    assert_eq!(lb.pinned_inside(), 12);
}
