//! An Envoy with the shipped weighted configuration, in front of the targets of two target groups.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use local_envoy::{Config, Envoy, workspace_root};
use serde_json::{Value, json};

use stickiness::outcome::Outcome;

use crate::discovery::{Resources, discover_listeners, discovered_listener};
use crate::load_balancer::{addresses, answering, counted, wait_for_no_connection};
use crate::{Client, Setup, Target, envoy_binary, fetch, wait_until, wasm};

const GROUPS: [&str; 2] = ["blue", "green"];

/// A running Envoy and its targets, `blue-1`, `blue-2`, `green-1` and `green-2`. Its sticky listener can be replaced while it runs.
pub struct Weighted {
    pub envoy: Envoy,
    /// The address of the sticky listener.
    pub sticky: SocketAddr,
    targets: BTreeMap<&'static str, Vec<Target>>,
    listener: Resources,
}

impl Weighted {
    /// Starts with the shipped configuration.
    #[track_caller]
    pub fn shipped() -> Self {
        Self::start(|_| ())
    }

    /// Starts with an edited copy of the shipped configuration.
    #[track_caller]
    pub fn start(edit: impl FnOnce(&mut Config)) -> Self {
        let targets = BTreeMap::from(GROUPS.map(|group| {
            let names = [1, 2].map(|number| format!("{group}-{number}"));
            (group, names.iter().map(|name| Target::start(name)).collect::<Vec<_>>())
        }));
        let mut config = weighted_config();
        for (group, targets) in &targets {
            config.endpoints(group, &addresses(targets)).unwrap();
        }
        edit(&mut config);
        let listener = Resources::of(&discovered_listener(&mut config));
        *config.listener("sticky").unwrap() = plain_listener();
        discover_listeners(&mut config, &listener);
        let envoy = Envoy::start(envoy_binary(), &config, Setup::default().settings()).unwrap();
        let sticky = envoy.address("sticky").unwrap();
        let lb = Self { envoy, sticky, targets, listener };
        for group in GROUPS {
            lb.wait_for_healthy(group, 2);
        }
        lb.targets.values().flatten().for_each(Target::forget);
        lb
    }

    /// Replaces the sticky listener with an edited copy of the shipped one. Returns when the worker uses it.
    #[track_caller]
    pub fn replace(&self, edit: impl FnOnce(&mut Config)) {
        let mut config = weighted_config();
        edit(&mut config);
        // Envoy counts this when its one worker has taken the listener over.
        let taken_over = || self.envoy.admin().counter("listener_manager.listener_create_success").unwrap();
        let before = taken_over();
        self.listener.replace(&discovered_listener(&mut config));
        wait_until("the worker to take the listener over", || taken_over() > before);
    }

    /// A new client with a target of this group, and the name of the target. The weight of the group must not be 0.
    #[track_caller]
    pub fn client_of(&self, group: &str) -> (Client, String) {
        let mut found = None;
        wait_until(&format!("a client of {group}"), || {
            let mut client = Client::default();
            let body = client.get(self.sticky, "/").body;
            found = body.starts_with(group).then_some((client, body));
            found.is_some()
        });
        found.unwrap()
    }

    /// The answer to a request with these `Cookie` lines.
    #[track_caller]
    pub fn answer_to(&self, cookies: &[&str]) -> crate::Response {
        let lines: Vec<Vec<u8>> = cookies.iter().map(|line| format!("cookie: {line}").into_bytes()).collect();
        fetch(self.sticky, "/", &lines.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    /// The target with this name.
    pub fn target(&mut self, name: &str) -> &mut Target {
        let target = self.targets.values_mut().flatten().find(|target| target.is_named(name));
        target.unwrap_or_else(|| panic!("no target is named {name}"))
    }

    /// Kills a target and waits until Envoy has noticed that its connections to it are closed.
    #[track_caller]
    pub fn kill(&mut self, name: &str) {
        let target = self.target(name);
        target.kill();
        let address = target.address;
        wait_for_no_connection(&self.envoy, group_of(name), address);
    }

    /// Kills a target and waits until so many targets of its group are healthy for Envoy.
    #[track_caller]
    pub fn kill_and_wait(&mut self, name: &str, healthy: usize) {
        self.target(name).kill();
        self.wait_for_healthy(group_of(name), healthy);
    }

    /// Makes all targets of a group unhealthy, and waits until none is healthy for Envoy. They still answer.
    #[track_caller]
    pub fn fail_group(&self, group: &str) {
        self.targets[group].iter().for_each(|target| target.set_healthy(false));
        self.wait_for_healthy(group, 0);
    }

    /// Kills all targets of a group and waits until none is healthy for Envoy.
    #[track_caller]
    pub fn kill_group(&mut self, group: &str) {
        self.targets.get_mut(group).unwrap().iter_mut().for_each(Target::kill);
        self.wait_for_healthy(group, 0);
    }

    /// Starts a target again and waits until so many targets of its group are healthy for Envoy.
    #[track_caller]
    pub fn revive(&mut self, name: &str, healthy: usize) {
        self.target(name).revive();
        self.wait_for_healthy(group_of(name), healthy);
    }

    /// The heads of all requests that the targets have received.
    pub fn received(&self) -> Vec<String> {
        self.targets.values().flatten().flat_map(Target::received).collect()
    }

    /// The number of requests with this outcome in all groups.
    #[track_caller]
    pub fn counted(&self, outcome: Outcome) -> u64 {
        GROUPS.iter().map(|group| self.counted_in(group, outcome)).sum()
    }

    /// The number of requests with this outcome in a group.
    #[track_caller]
    pub fn counted_in(&self, group: &str, outcome: Outcome) -> u64 {
        counted(&self.envoy, group, outcome.word())
    }

    /// The number of answers of a group with new cookies.
    #[track_caller]
    pub fn issued_in(&self, group: &str) -> u64 {
        counted(&self.envoy, group, "issued")
    }

    /// Waits until so many targets of a group are healthy for Envoy's main thread and its one worker.
    #[track_caller]
    fn wait_for_healthy(&self, group: &str, count: usize) {
        wait_until(&format!("{count} healthy targets of {group}"), || answering(&self.envoy, group, 4) == count);
    }
}

/// The group of the target with this name.
pub fn group_of(target: &str) -> &str {
    target.split_once('-').unwrap().0
}

/// Sets the weights of the weighted route.
pub fn weigh(config: &mut Config, blue: u32, green: u32) {
    let routes = routes(config);
    let clusters = &mut routes.last_mut().unwrap()["route"]["weighted_clusters"]["clusters"];
    *clusters = json!([{ "name": "blue", "weight": blue }, { "name": "green", "weight": green }]);
}

/// The routes of the sticky listener: the route to blue, the route to green, and the weighted route.
pub fn routes(config: &mut Config) -> &mut Vec<Value> {
    let manager = config.connection_manager("sticky").unwrap();
    manager["route_config"]["virtual_hosts"][0]["routes"].as_array_mut().unwrap()
}

/// The configuration of the filter.
pub fn plugin(config: &mut Config) -> &mut Value {
    let filter = config.http_filter("sticky", "sticky_sessions").unwrap();
    filter.pointer_mut("/typed_config/config/configuration/value").unwrap()
}

/// The weighted configuration that users copy.
pub fn shipped_weighted() -> Config {
    Config::read(&workspace_root().join("envoy/weighted.yaml")).unwrap()
}

fn weighted_config() -> Config {
    let mut config = shipped_weighted();
    config.free_ports().unwrap();
    config.wasm_file(wasm()).unwrap();
    config
}

/// A listener without stickiness. The header `cluster` selects the cluster.
fn plain_listener() -> Value {
    json!({
        "name": "plain",
        "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } },
        "filter_chains": [{ "filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": "plain",
                "http_filters": [{
                    "name": "envoy.filters.http.router",
                    "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" }
                }],
                "route_config": { "virtual_hosts": [{
                    "name": "all",
                    "domains": ["*"],
                    "routes": [{ "match": { "prefix": "/" }, "route": { "cluster_header": "cluster" } }]
                }] }
            }
        }] }]
    })
}
