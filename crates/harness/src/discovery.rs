//! Configuration that Envoy watches on the disk, and takes over when it changes.

use std::path::PathBuf;

use local_envoy::{Config, Envoy, Settings};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::load_balancer::addresses;
use crate::{LoadBalancer, Setup, Target, envoy_binary, sticky_config};

/// A list of resources in a file, as the xDS APIs know them.
#[derive(Debug)]
pub struct Resources {
    folder: TempDir,
}

impl Resources {
    /// A file that holds this resource.
    pub fn of(resource: &Value) -> Self {
        let resources = Self { folder: tempfile::tempdir().unwrap() };
        resources.replace(resource);
        resources
    }

    /// Holds this resource from now on. Moved into place: Envoy looks when a file is moved, and then never at half of it.
    pub fn replace(&self, resource: &Value) {
        let next = self.folder.path().join("next");
        std::fs::write(&next, json!({ "resources": [resource] }).to_string()).unwrap();
        std::fs::rename(&next, self.file()).unwrap();
    }

    /// A `ConfigSource` that reads it.
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

/// The sticky listener of a configuration, as Envoy's listener discovery delivers it.
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
        let envoy =
            Envoy::start(envoy_binary(), &config, Settings::default()).unwrap_or_else(|error| panic!("{error}"));
        Self { lb: LoadBalancer::of(envoy, targets), listener }
    }

    /// Replaces the sticky listener by that of another setup.
    pub fn replace(&self, setup: &Setup<'_>) {
        self.listener.replace(&sticky_listener(&self.lb.targets, setup));
    }
}

/// Has the targets of `web` discovered from this file.
pub fn discover_endpoints(config: &mut Config, endpoints: &Resources) {
    name_the_node(config);
    let web = config.cluster("web").unwrap().as_object_mut().unwrap();
    web.remove("load_assignment");
    web["type"] = json!("EDS");
    web.insert("eds_cluster_config".into(), json!({ "eds_config": endpoints.source() }));
    // Otherwise Envoy keeps a removed target as long as its health check succeeds.
    web.insert("ignore_health_on_host_removal".into(), json!(true));
}

/// A load balancer whose targets come and go while it runs.
pub struct Discovered {
    pub lb: LoadBalancer,
    endpoints: Resources,
}

impl Discovered {
    /// With every target of the setup, all of them healthy.
    #[track_caller]
    pub fn start(setup: &Setup<'_>) -> Self {
        let targets = setup.start_targets();
        let all: Vec<(&str, &str)> = setup.targets.iter().map(|name| (*name, "HEALTHY")).collect();
        let endpoints = Resources::of(&assignment(&targets, &all));
        let discover = |config: &mut Config| {
            discover_endpoints(config, &endpoints);
            (setup.edit)(config);
        };
        let lb = LoadBalancer::before(targets, &Setup { edit: &discover, ..setup.clone() });
        Self { lb, endpoints }
    }

    /// Leaves only these targets, each with its `health_status`.
    pub fn set(&self, targets: &[(&str, &str)]) {
        self.endpoints.replace(&assignment(&self.lb.targets, targets));
    }
}

fn assignment(all: &[Target], chosen: &[(&str, &str)]) -> Value {
    let endpoint = |(name, health): &(&str, &str)| {
        let port = all.iter().find(|target| target.is_named(name)).unwrap().address.port();
        let address = json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } });
        json!({ "endpoint": { "address": address }, "health_status": health })
    };
    json!({
        "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": "web",
        "endpoints": [{ "lb_endpoints": chosen.iter().map(endpoint).collect::<Vec<_>>() }]
    })
}

/// Lets Envoy discover its listeners there.
pub fn discover_listeners(config: &mut Config, listeners: &Resources) {
    config.value_mut()["dynamic_resources"] = json!({ "lds_config": listeners.source() });
    name_the_node(config);
}

/// Envoy wants to know who it is before it discovers anything.
pub fn name_the_node(config: &mut Config) {
    config.value_mut()["node"] = json!({ "id": "test", "cluster": "test" });
}
