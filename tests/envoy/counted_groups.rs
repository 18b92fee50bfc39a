//! The counters of more target groups than have counters of their own.

use std::collections::BTreeMap;

use local_envoy::{Config, Plugin};
use serde_json::json;

use harness::{Connection, LoadBalancer, Setup, wait_until};

/// More than the 1,000 that have counters of their own.
const GROUPS: usize = 1_060;

const WORKERS: u32 = 2;

fn name(group: usize) -> String {
    format!("svc-{group:04}")
}

/// Adds the clusters, with the targets of `web`, and a route to the one that a request names.
fn add_groups(config: &mut Config) {
    let mut cluster = config.cluster("web").unwrap().clone();
    cluster.as_object_mut().unwrap().remove("health_checks");
    let clusters = config.at("/static_resources/clusters").unwrap().as_array_mut().unwrap();
    clusters.extend((0..GROUPS).map(|group| {
        cluster["name"] = json!(name(group));
        cluster["load_assignment"]["cluster_name"] = json!(name(group));
        cluster.clone()
    }));
    let manager = config.connection_manager("sticky").unwrap();
    manager["route_config"]["virtual_hosts"][0]["routes"] =
        json!([{ "match": { "prefix": "/" }, "route": { "cluster_header": "x-cluster" } }]);
    config.listener("sticky").unwrap()["stat_prefix"] = json!("sticky");
}

/// Connections to every worker, several to each. The kernel chooses the worker of each connection.
fn connections(lb: &LoadBalancer) -> Vec<Connection> {
    let mut connections: Vec<Connection> = Vec::new();
    wait_until("connections to every worker", || {
        connections.push(Connection::open(lb.sticky));
        (0..WORKERS).all(|worker| {
            let name = format!("listener.sticky.worker_{worker}.downstream_cx_total");
            lb.envoy.admin().counter(&name).unwrap() > 1
        })
    });
    connections
}

/// The new sessions that each target group has counted.
fn counted(lb: &LoadBalancer) -> BTreeMap<String, usize> {
    let stats = lb.envoy.admin().get("/stats?filter=sticky_sessions.target_group.*no_cookie").unwrap();
    let counts = stats.lines().map(|line| {
        let (name, count) = line.split_once(": ").unwrap();
        let group = name.trim_start_matches("wasmcustom.sticky_sessions.target_group.").trim_end_matches(".no_cookie");
        (group.to_owned(), count.parse().unwrap())
    });
    counts.collect()
}

#[test]
fn above_a_thousand_target_groups_each_counts_all_of_its_requests_or_none_in_all_workers() {
    let plugin = Plugin::Struct(json!({ "target_groups": { "*": {} } }));
    let setup =
        Setup { plugin: Some(plugin), workers: WORKERS, edit: &add_groups, targets: &["a"], ..Setup::default() };
    let lb = LoadBalancer::start(&setup);
    let mut connections = connections(&lb);
    let count = connections.len();
    // Each worker meets the target groups in another order.
    for (number, connection) in connections.iter_mut().enumerate() {
        for step in 0..GROUPS {
            let step = if number % 2 == 0 { step } else { GROUPS - 1 - step };
            let group = (step + number * GROUPS / count) % GROUPS;
            let response = connection.fetch("/", &[format!("x-cluster: {}", name(group)).as_bytes()]);
            assert_eq!(response.status, 200);
        }
    }
    wait_until("every request to be counted", || counted(&lb).values().sum::<usize>() == count * GROUPS);
    let mut counted = counted(&lb);
    assert_eq!(counted.remove("_others"), Some(count * (GROUPS - 1_000)));
    let partly: Vec<_> = counted.iter().filter(|(_, requests)| **requests != count && **requests != 0).collect();
    assert!(partly.is_empty(), "{partly:?}");
}
