//! Configuration files that Envoy watches and reloads.

use std::net::SocketAddr;
use std::path::PathBuf;

use local_envoy::{Config, Envoy, Settings};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::load_balancer::addresses;
use crate::{LoadBalancer, Setup, Target, envoy_binary, sticky_config};

/// A file with one xDS resource.
#[derive(Debug)]
pub struct Resources {
    folder: TempDir,
}

impl Resources {
    /// A file with this resource.
    pub fn of(resource: &Value) -> Self {
        let resources = Self { folder: tempfile::tempdir().unwrap() };
        resources.replace(resource);
        resources
    }

    /// Replaces the resource. The new file is moved into place, because Envoy reloads a file when it is moved.
    pub fn replace(&self, resource: &Value) {
        self.replace_all(&[resource]);
    }

    /// Removes the resource.
    pub fn remove(&self) {
        self.replace_all(&[]);
    }

    fn replace_all(&self, resources: &[&Value]) {
        let next = self.folder.path().join("next");
        std::fs::write(&next, json!({ "resources": resources }).to_string()).unwrap();
        std::fs::rename(&next, self.file()).unwrap();
    }

    /// A `ConfigSource` that reads the file.
    pub fn source(&self) -> Value {
        json!({ "path_config_source": { "path": self.file() } })
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("resources.json")
    }
}

fn sticky_listener(targets: &[Target], setup: &Setup<'_>) -> Value {
    discovered_listener(&mut sticky_config(&addresses(targets), setup))
}

/// The sticky listener of a configuration as a resource of listener discovery (LDS).
pub fn discovered_listener(config: &mut Config) -> Value {
    let mut listener = config.listener("sticky").unwrap().clone();
    listener["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
    listener
}

/// A load balancer whose sticky listener can be replaced while it runs.
pub struct Replaceable {
    pub lb: LoadBalancer,
    listener: Resources,
}

impl Replaceable {
    #[track_caller]
    pub fn start(setup: &Setup<'_>) -> Self {
        let targets = setup.start_targets();
        let listener = Resources::of(&sticky_listener(&targets, setup));
        let mut config = sticky_config(&addresses(&targets), &Setup::default());
        config.remove_listener("sticky").unwrap();
        discover_listeners(&mut config, &listener);
        let envoy = Envoy::start(envoy_binary(), &config, Settings::default()).unwrap();
        Self { lb: LoadBalancer::of(envoy, targets), listener }
    }

    /// Replaces the sticky listener with that of another setup.
    pub fn replace(&self, setup: &Setup<'_>) {
        self.listener.replace(&sticky_listener(&self.lb.targets, setup));
    }
}

/// Makes Envoy discover the targets of `web` from this file (EDS).
pub fn discover_endpoints(config: &mut Config, endpoints: &Resources) {
    name_the_node(config);
    let web = config.cluster("web").unwrap().as_object_mut().unwrap();
    web.remove("load_assignment");
    web["type"] = json!("EDS");
    web.insert("eds_cluster_config".into(), json!({ "eds_config": endpoints.source() }));
    // Envoy would otherwise keep a removed target while its health check succeeds.
    web.insert("ignore_health_on_host_removal".into(), json!(true));
}

/// A load balancer whose targets can be added and removed while it runs.
pub struct Discovered {
    pub lb: LoadBalancer,
    endpoints: Resources,
}

impl Discovered {
    /// Starts with all targets of the setup, all healthy.
    #[track_caller]
    pub fn start(setup: &Setup<'_>) -> Self {
        let targets = setup.start_targets();
        let all = targets.iter().map(|target| (target.address, "HEALTHY"));
        let endpoints = Resources::of(&assignment(all));
        let discover = |config: &mut Config| {
            discover_endpoints(config, &endpoints);
            (setup.edit)(config);
        };
        let lb = LoadBalancer::before(targets, &Setup { edit: &discover, ..setup.clone() });
        Self { lb, endpoints }
    }

    /// Sets the targets, each with its `health_status`.
    pub fn set(&self, targets: &[(&str, &str)]) {
        let address = |name| self.lb.targets.iter().find(|target| target.is_named(name)).unwrap().address;
        self.endpoints.replace(&assignment(targets.iter().map(|(name, health)| (address(name), *health))));
    }
}

/// The endpoints of `web` as a resource of endpoint discovery (EDS): each has an address and a `health_status`. They have a locality,
/// as most control planes give it.
pub fn assignment<'a>(endpoints: impl Iterator<Item = (SocketAddr, &'a str)>) -> Value {
    let endpoints = endpoints.map(|(at, health)| {
        let address = json!({ "socket_address": { "address": at.ip().to_string(), "port_value": at.port() } });
        json!({ "endpoint": { "address": address }, "health_status": health })
    });
    json!({
        "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": "web",
        "endpoints": [{ "locality": { "zone": "test" }, "lb_endpoints": endpoints.collect::<Vec<_>>() }]
    })
}

/// Makes Envoy discover its listeners from this file (LDS).
pub fn discover_listeners(config: &mut Config, listeners: &Resources) {
    config.value_mut()["dynamic_resources"] = json!({ "lds_config": listeners.source() });
    name_the_node(config);
}

/// Gives Envoy a node name. Without one it refuses a configuration with discovery.
pub fn name_the_node(config: &mut Config) {
    config.value_mut()["node"] = json!({ "id": "test", "cluster": "test" });
}
