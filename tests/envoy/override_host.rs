//! The mechanism `override_host`: a load-balancing policy of Envoy that reads the plain address.

use local_envoy::{Config, Plugin};

use stickiness::outcome::Outcome;

use crate::documents;
use harness::{Client, LoadBalancer, Setup, fetch};

pub(crate) const PLUGIN: &str = r#"{"upstream": {"mechanism": "override_host"}}"#;

/// Makes the changes that docs/configuration.md shows for `override_host`.
pub(crate) fn use_override_host(config: &mut Config) {
    let filters = config.http_filters("sticky").unwrap();
    filters.retain(|filter| filter["name"] != "envoy.filters.http.stateful_session");
    let route_config = config.connection_manager("sticky").unwrap()["route_config"].as_object_mut().unwrap();
    route_config.remove("request_headers_to_remove");
    let changes = documents::override_host();
    let web = config.cluster("web").unwrap().as_object_mut().unwrap();
    web.extend(changes.as_object().unwrap().clone());
}

fn load_balancer() -> LoadBalancer {
    LoadBalancer::start(&Setup { plugin: Some(Plugin::Json(PLUGIN)), edit: &use_override_host, ..Setup::default() })
}

#[test]
fn each_client_stays_on_one_target_and_new_clients_are_spread() {
    let lb = load_balancer();
    let [mut one, mut other] = [Client::default(), Client::default()];
    let homes = [one.get(lb.sticky, "/").body, other.get(lb.sticky, "/").body];
    assert_ne!(homes[0], homes[1]);
    for _ in 0..4 {
        assert_eq!([one.get(lb.sticky, "/").body, other.get(lb.sticky, "/").body], homes);
    }
    assert_eq!(lb.counted(Outcome::Pinned), 8);
}

#[test]
fn a_dead_target_is_left_for_good_through_a_retry() {
    let mut lb = load_balancer();
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    lb.kill(&home);
    let response = client.get(lb.sticky, "/");
    assert_eq!(response.status, 200);
    assert_ne!(response.body, home);
    lb.target(&home).revive();
    lb.wait_for_healthy(2);
    for _ in 0..4 {
        assert_ne!(client.get(lb.sticky, "/").body, home);
    }
}

#[test]
fn a_client_that_sends_our_header_itself_achieves_nothing_and_the_target_does_not_see_ours() {
    let lb = load_balancer();
    let line = format!("x-sticky-session-host: {}", lb.targets[1].name_in_envoy());
    let bodies = [0; 2].map(|_| fetch(lb.sticky, "/", &[line.as_bytes()]).body);
    assert_ne!(bodies[0], bodies[1]);
    let mut client = Client::default();
    client.get(lb.sticky, "/");
    client.get(lb.sticky, "/");
    for head in lb.received() {
        assert!(!head.contains("x-sticky-session"), "{head}");
    }
}
