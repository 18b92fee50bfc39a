//! Requests whose pin Envoy does not obey: the filter counts and binds to the target that answered, and one warning says so.

use local_envoy::{Config, Plugin};
use serde_json::{Value, json};

use stickiness::outcome::Outcome;

use harness::{Client, Discovered, LoadBalancer, Response, Setup, add_group, fetch, wait_until};

use crate::steps::{login, other_than};

const STATEFUL_SESSION: &str = "envoy.filters.http.stateful_session";

const UNSEEN: &str = "stateful_session has not seen the pin of a request to the target group \"web\"";

/// The configurations for which the answer of another target matters in different ways.
fn plugins() -> [Value; 2] {
    let web = |cookie: Value| json!({ "target_groups": { "web": {} }, "cookie": cookie });
    [web(json!({})), web(json!({ "renew": "on_change" }))]
}

/// Adds a listener without `stateful_session`. Its filter has the configuration of the sticky one, so they share a plugin.
fn add_bare_listener(config: &mut Config) {
    let mut bare = config.listener("sticky").unwrap().clone();
    bare["name"] = json!("bare");
    config.at("/static_resources/listeners").unwrap().as_array_mut().unwrap().push(bare);
    config.http_filters("bare").unwrap().retain(|filter| filter["name"] != STATEFUL_SESSION);
}

/// Adds a route for `/bare/` on which `stateful_session` is disabled.
fn add_bare_route(config: &mut Config) {
    add_group(config, "bare");
    let manager = config.connection_manager("sticky").unwrap();
    let route = &mut manager["route_config"]["virtual_hosts"][0]["routes"][0];
    *route = json!({
        "match": { "prefix": "/bare/" },
        "route": { "cluster": "web", "prefix_rewrite": "/" },
        "typed_per_filter_config": { STATEFUL_SESSION: {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.stateful_session.v3.StatefulSessionPerRoute",
            "disabled": true
        } }
    });
}

/// Puts `stateful_session` before the filter.
fn put_in_the_wrong_order(config: &mut Config) {
    let filters = config.http_filters("sticky").unwrap();
    let stateful_session = filters.iter().position(|filter| filter["name"] == STATEFUL_SESSION).unwrap();
    let filter = filters.remove(stateful_session);
    filters.insert(0, filter);
}

/// Sends ten pinned requests that are balanced as if they were not. Each is counted by what happened, and the cookie afterwards leads
/// to the target that answered last. Then one warning is in the log.
#[track_caller]
fn are_counted_and_bound_as_they_were_answered(
    lb: &LoadBalancer,
    client: &mut Client,
    mut home: String,
    mut send: impl FnMut(&mut Client) -> Response,
    answerer_of: impl Fn(Client) -> Option<String>,
) {
    let before = [Outcome::Moved, Outcome::Pinned].map(|outcome| lb.counted(outcome));
    let mut expected = before;
    for _ in 0..10 {
        let body = send(client).body;
        expected[usize::from(body == home)] += 1;
        assert_eq!([Outcome::Moved, Outcome::Pinned].map(|outcome| lb.counted(outcome)), expected);
        home = body;
        if let Some(next) = answerer_of(client.clone()) {
            assert_eq!(next, home);
            expected[1] += 1;
        }
    }
    assert!(expected[0] > before[0], "no request was answered by another target");
    wait_until("a warning", || lb.envoy.log().contains(UNSEEN));
    assert_eq!(lb.envoy.log().matches(UNSEEN).count(), 1, "{}", lb.envoy.log());
}

#[test]
fn on_a_listener_without_stateful_session_that_shares_the_plugin_of_one_that_has_it() {
    for plugin in plugins() {
        let lb = LoadBalancer::start(&Setup {
            plugin: Some(Plugin::Struct(plugin)),
            edit: &add_bare_listener,
            ..Setup::default()
        });
        let bare = lb.envoy.address("bare").unwrap();
        let mut client = Client::default();
        let home = client.get(lb.sticky, "/").body;
        let send = |client: &mut Client| client.get(bare, "/");
        are_counted_and_bound_as_they_were_answered(&lb, &mut client, home, send, |mut client| {
            Some(client.get(lb.sticky, "/").body)
        });
    }
}

#[test]
fn on_a_route_where_stateful_session_is_disabled() {
    for plugin in plugins() {
        let lb = LoadBalancer::start(&Setup {
            plugin: Some(Plugin::Struct(plugin)),
            edit: &add_bare_route,
            ..Setup::default()
        });
        let mut client = Client::default();
        let home = client.get(lb.sticky, "/").body;
        let send = |client: &mut Client| client.get(lb.sticky, "/bare/");
        are_counted_and_bound_as_they_were_answered(&lb, &mut client, home, send, |mut client| {
            Some(client.get(lb.sticky, "/").body)
        });
    }
}

#[test]
fn where_stateful_session_stands_before_the_filter() {
    for plugin in plugins() {
        let lb = LoadBalancer::start(&Setup {
            plugin: Some(Plugin::Struct(plugin)),
            edit: &put_in_the_wrong_order,
            ..Setup::default()
        });
        let mut client = Client::default();
        let home = client.get(lb.sticky, "/").body;
        let send = |client: &mut Client| client.get(lb.sticky, "/");
        are_counted_and_bound_as_they_were_answered(&lb, &mut client, home, send, |_| None);
    }
}

#[test]
fn a_login_on_a_route_where_stateful_session_is_disabled_belongs_to_the_target_that_answered() {
    let app = json!({ "type": "app_cookie", "app_cookie": { "cookie_name": "JSESSIONID" } });
    let lb = LoadBalancer::start(&Setup {
        plugin: Some(Plugin::Struct(json!({ "target_groups": { "web": { "stickiness": app } } }))),
        edit: &add_bare_route,
        ..Setup::default()
    });
    let mut client = Client::default();
    let first = client.get(lb.sticky, &login()).body;
    assert_eq!(client.get(lb.sticky, "/").body, first);
    let mut elsewhere = 0;
    for _ in 0..6 {
        let before = client.get(lb.sticky, "/").body;
        let home = client.get(lb.sticky, &format!("/bare{}", login())).body;
        elsewhere += usize::from(home != before);
        assert_eq!(client.get(lb.sticky, "/").body, home);
    }
    assert!(elsewhere > 0);
}

#[test]
fn the_header_that_names_another_target_is_in_no_answer_of_a_pinned_request() {
    let mut lb = LoadBalancer::shipped();
    let mut client = Client::default();
    client.get(lb.sticky, "/");
    for path in ["/", "/500"] {
        assert_eq!(client.get(lb.sticky, path).all("x-sticky-session-host").count(), 0, "{path}");
    }
    let home = client.get(lb.sticky, "/").body;
    lb.kill(&home);
    let answer = client.get(lb.sticky, "/leak");
    assert_eq!((answer.body.as_str(), answer.all("x-sticky-session-host").count()), (other_than(&home), 0));
    assert!(!lb.envoy.log().contains("has not seen the pin"), "{}", lb.envoy.log());
}

/// The beginning of the warning about a target group whose pins never hold.
fn not_kept(target_group: &str) -> String {
    format!("the target group {target_group:?} does not keep its sessions")
}

/// Adds an aggregate cluster of `web` and of a second cluster with the same targets, and sends all requests to it.
fn aggregate(config: &mut Config) {
    add_group(config, "second");
    let cluster = json!({
        "name": "all",
        "connect_timeout": "1s",
        "lb_policy": "CLUSTER_PROVIDED",
        "cluster_type": {
            "name": "envoy.clusters.aggregate",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig",
                "clusters": ["web", "second"]
            }
        }
    });
    config.at("/static_resources/clusters").unwrap().as_array_mut().unwrap().push(cluster);
    let manager = config.connection_manager("sticky").unwrap();
    let routes = manager["route_config"]["virtual_hosts"][0]["routes"].as_array_mut().unwrap();
    routes.last_mut().unwrap()["route"]["cluster"] = json!("all");
}

#[test]
fn an_aggregate_cluster_keeps_no_session_and_one_warning_names_it() {
    let all = Plugin::Json(r#"{"target_groups": {"all": {}}}"#);
    let lb = LoadBalancer::start(&Setup { plugin: Some(all), edit: &aggregate, ..Setup::default() });
    let mut client = Client::default();
    wait_until("a warning", || {
        client.get(lb.sticky, "/");
        lb.envoy.log().contains(&not_kept("all"))
    });
    for _ in 0..40 {
        client.get(lb.sticky, "/");
    }
    assert_eq!(lb.envoy.log().matches("does not keep").count(), 1, "{}", lb.envoy.log());
    assert!(!lb.envoy.log().contains("has not seen the pin"), "{}", lb.envoy.log());
}

#[test]
fn a_cluster_without_the_policy_that_override_host_needs_keeps_no_session_and_one_warning_names_it() {
    let override_host = Plugin::Json(r#"{"upstream": {"mechanism": "override_host"}}"#);
    let without = |config: &mut Config| {
        config.http_filters("sticky").unwrap().retain(|filter| filter["name"] != STATEFUL_SESSION);
    };
    let lb = LoadBalancer::start(&Setup { plugin: Some(override_host), edit: &without, ..Setup::default() });
    let mut client = Client::default();
    wait_until("a warning", || {
        client.get(lb.sticky, "/");
        lb.envoy.log().contains(&not_kept("web"))
    });
    assert!(!lb.envoy.log().contains("has not seen the pin"), "{}", lb.envoy.log());
}

#[test]
fn a_rolling_deployment_is_no_reason_to_say_that_a_target_group_keeps_no_session() {
    let discovered = Discovered::start(&Setup { targets: &["a", "b", "c"], ..Setup::default() });
    let lb = &discovered.lb;
    let mut clients: Vec<Client> = (0..12).map(|_| Client::default()).collect();
    let mut serve = || {
        for client in clients.iter_mut().chain(&mut [Client::default()]) {
            assert_eq!(client.get(lb.sticky, "/").status, 200);
            client.get(lb.sticky, "/");
        }
    };
    for _ in 0..3 {
        for away in ["a", "b", "c"] {
            serve();
            let stay = ["a", "b", "c"].map(|name| (name, if name == away { "DRAINING" } else { "HEALTHY" }));
            discovered.set(&stay);
            lb.wait_for_healthy(2);
            serve();
            discovered.set(&["a", "b", "c"].map(|name| (name, "HEALTHY")));
            lb.wait_for_healthy(3);
        }
    }
    assert!(lb.counted(Outcome::Moved) > 12);
    assert!(!lb.envoy.log().contains("does not keep"), "{}", lb.envoy.log());
}

/// Gives `web` two priorities: `a` and `b`, and `c` for the case that both fail.
fn two_priorities(config: &mut Config) {
    let endpoints = config.cluster("web").unwrap().pointer_mut("/load_assignment/endpoints").unwrap();
    let mut second = endpoints[0].clone();
    let last = endpoints[0]["lb_endpoints"].as_array_mut().unwrap().pop().unwrap();
    second["lb_endpoints"] = json!([last]);
    second["priority"] = json!(1);
    endpoints.as_array_mut().unwrap().push(second);
}

#[test]
fn two_priorities_of_one_cluster_keep_sessions_where_an_aggregate_cluster_does_not() {
    let targets = ["a", "b", "c"].map(harness::Target::start);
    let setup = Setup { edit: &two_priorities, ..Setup::default() };
    let envoy = harness::start_envoy(&targets.each_ref().map(|target| target.address), &setup);
    let mut lb = LoadBalancer { sticky: envoy.address("sticky").unwrap(), envoy, targets: targets.into() };
    wait_until("the first priority", || harness::answering(&lb.envoy, "web", 4) == usize::MAX);
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    for _ in 0..4 {
        assert_eq!(client.get(lb.sticky, "/").body, home);
    }
    for name in ["a", "b"] {
        lb.kill(name);
    }
    wait_until("the second priority", || lb.envoy.admin().healthy_hosts("web").unwrap() == 1);
    wait_until("the second priority to answer", || fetch(lb.sticky, "/", &[]).status == 200);
    for _ in 0..4 {
        assert_eq!(client.get(lb.sticky, "/").body, "c");
    }
    assert_eq!(lb.counted(Outcome::Moved), 1);
}

/// The route sends a request again, to another target, if the answer is an error. So a client that knows a path which fails everywhere
/// moves with each request, from a target that is alive.
#[test]
fn a_pin_from_which_envoy_has_sent_the_request_on_is_no_sign_of_it() {
    let edit = |config: &mut Config| {
        let manager = config.connection_manager("sticky").unwrap();
        manager["route_config"]["virtual_hosts"][0]["retry_policy"]["retry_on"] = json!("5xx");
        manager["route_config"]["virtual_hosts"][0]["retry_policy"]["num_retries"] = json!(1);
    };
    let lb = LoadBalancer::start(&Setup { edit: &edit, ..Setup::default() });
    let mut client = Client::default();
    let mut home = client.get(lb.sticky, "/").body;
    for _ in 0..40 {
        let body = client.get(lb.sticky, "/500").body;
        assert_eq!(body, other_than(&home));
        home = body;
    }
    assert_eq!(lb.counted(Outcome::Moved), 40);
    assert!(!lb.envoy.log().contains("does not keep its sessions"), "{}", lb.envoy.log());
}
