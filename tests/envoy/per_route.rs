//! Routes that choose a policy of stickiness with their metadata.

use local_envoy::{Config, Plugin};
use serde_json::{Value, json};

use stickiness::outcome::Outcome;

use harness::{Client, LoadBalancer, Setup, fetch, wait_until};

use crate::pool::{self, Pooled};
use crate::steps::{add_route, has_not_crashed};

/// Adds a route for each form of the metadata.
fn all_routes(config: &mut Config) {
    add_route(config, "/minute", &json!({ "policy": "minute" }));
    add_route(config, "/named", &json!({ "policy": "named" }));
    add_route(config, "/off", &json!({ "policy": "off" }));
    add_route(config, "/false", &json!({ "enabled": false }));
    add_route(config, "/unknown", &json!({ "policy": "unheard of" }));
    add_route(config, "/odd", &json!({ "policy": 7, "enabled": "perhaps", "other": {} }));
    add_route(config, "/numbered", &json!({ "scope": 7 }));
    add_route(config, "/misspelt", &json!({ "enable": false, "policy": "named" }));
    add_route(config, "/nothing", &json!({ "policy": null, "enabled": false }));
    add_route(config, "/empty", &json!({}));
}

/// All routes, and this plugin configuration.
fn setup(plugin: Value) -> Setup<'static> {
    Setup { plugin: Some(Plugin::Struct(plugin)), edit: &all_routes, ..Setup::default() }
}

#[track_caller]
fn with(plugin: Value) -> Pooled {
    pool::start(&setup(plugin))
}

#[track_caller]
fn load_balancer() -> Pooled {
    with(policies())
}

/// `web` is sticky for a day, and there are policies to choose from.
fn policies() -> Value {
    json!({
        "target_groups": { "web": {} },
        "policies": {
            "minute": { "stickiness": { "lb_cookie": { "duration_seconds": 60 } } },
            "named": { "cookie": { "name": "NAMED" } },
            "off": { "stickiness": { "enabled": false } }
        }
    })
}

#[test]
fn a_route_chooses_a_policy_by_its_name() {
    let lb = load_balancer();
    for (path, name, seconds) in [("/", "AWSALB", 86_400), ("/minute", "AWSALB", 60), ("/named", "NAMED", 86_400)] {
        let response = fetch(lb.sticky, path, &[]);
        assert_eq!(response.cookie_names(), [name, &format!("{name}CORS")], "{path}");
        let left = response.expires_in();
        assert!((seconds - 10..=seconds).contains(&left), "{path}: {left}");
    }
}

#[test]
fn the_policy_of_a_route_pins() {
    let lb = load_balancer();
    for path in ["/minute", "/named"] {
        let mut client = Client::default();
        let home = client.get(lb.sticky, path).body;
        for _ in 0..4 {
            assert_eq!(client.get(lb.sticky, path).body, home, "{path}");
        }
    }
    assert_eq!(lb.counted(Outcome::Pinned), 8);
}

#[test]
fn a_route_turns_stickiness_off() {
    let lb = load_balancer();
    let mut client = Client::default();
    client.get(lb.sticky, "/");
    for path in ["/off", "/false"] {
        let answers = [0; 2].map(|_| client.get(lb.sticky, path));
        assert_ne!(answers[0].body, answers[1].body, "{path}");
        assert!(answers.iter().all(|answer| answer.set_cookies().is_empty()), "{path}: {answers:?}");
    }
    assert_eq!(lb.counted(Outcome::Pinned), 0);
}

#[test]
fn a_route_turns_stickiness_on_for_a_target_group_that_is_not_sticky() {
    let lb = with(json!({
        "target_groups": { "web": { "stickiness": { "enabled": false } } },
        "policies": { "minute": { "stickiness": { "lb_cookie": { "duration_seconds": 60 } } } }
    }));
    assert_eq!(fetch(lb.sticky, "/", &[]).set_cookies(), Vec::<&str>::new());
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/minute").body;
    for _ in 0..4 {
        assert_eq!(client.get(lb.sticky, "/minute").body, home);
    }
}

#[test]
fn metadata_that_chooses_nothing_leaves_the_target_groups_own_stickiness() {
    let lb = load_balancer();
    for path in ["/unknown", "/odd", "/numbered", "/nothing", "/empty"] {
        let response = fetch(lb.sticky, path, &[]);
        assert_eq!((response.status, response.cookie_names()), (200, vec!["AWSALB", "AWSALBCORS"]), "{path}");
    }
    has_not_crashed(&lb.envoy);
}

#[test]
fn metadata_that_is_not_valid_is_reported_in_the_log() {
    let lb = LoadBalancer::start(&setup(policies()));
    for path in ["/unknown", "/odd", "/numbered", "/misspelt", "/nothing"] {
        fetch(lb.sticky, path, &[]);
    }
    for warning in [
        "a route chooses the policy \"unheard of\", which is not under policies",
        "the metadata of a route: sticky_sessions.policy is not the name of a policy",
        "the metadata of a route: sticky_sessions.enabled is not true or false",
        "the metadata of a route: sticky_sessions.scope is not a text",
        "the metadata of a route: sticky_sessions.other: there is no such key; allowed here: enabled, rule, policy, scope",
        "the metadata of a route: sticky_sessions.enable: there is no such key; allowed here: enabled, rule, policy, scope",
        "the metadata of a route: sticky_sessions has a value that is neither a text nor true nor false, and is not read at all",
    ] {
        wait_until(warning, || lb.envoy.log().contains(warning));
    }
}

#[test]
fn a_key_that_is_misspelt_leaves_the_others_alone() {
    let lb = load_balancer();
    assert_eq!(fetch(lb.sticky, "/misspelt", &[]).cookie_names(), ["NAMED", "NAMEDCORS"]);
}

#[test]
fn metadata_is_not_read_without_policies_in_the_configuration() {
    let lb = with(json!({ "target_groups": { "web": {} } }));
    for path in ["/off", "/false", "/named"] {
        assert_eq!(fetch(lb.sticky, path, &[]).cookie_names(), ["AWSALB", "AWSALBCORS"], "{path}");
    }
}

#[test]
fn an_empty_list_of_policies_is_enough_to_turn_stickiness_off() {
    let lb = with(json!({ "policies": {} }));
    assert_eq!(fetch(lb.sticky, "/false", &[]).set_cookies(), Vec::<&str>::new());
    assert_eq!(fetch(lb.sticky, "/", &[]).set_cookies().len(), 2);
}
