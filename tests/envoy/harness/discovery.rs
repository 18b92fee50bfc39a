//! Configuration that Envoy watches on the disk, and takes over when it changes.

use std::path::PathBuf;

use local_envoy::{Config, Envoy, Settings};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::load_balancer::addresses;
use super::{LoadBalancer, Setup, Target, envoy_binary, sticky_config};

/// A list of resources in a file, as the xDS APIs know them.
pub(crate) struct Resources {
    folder: TempDir,
}

impl Resources {
    /// A file that holds this resource.
    pub(crate) fn of(resource: &Value) -> Self {
        let resources = Self { folder: tempfile::tempdir().unwrap() };
        resources.replace(resource);
        resources
    }

    /// Holds this resource from now on. Moved into place: Envoy looks when a file is moved, and then never at half of it.
    pub(crate) fn replace(&self, resource: &Value) {
        let next = self.folder.path().join("next");
        std::fs::write(&next, json!({ "resources": [resource] }).to_string()).unwrap();
        std::fs::rename(&next, self.file()).unwrap();
    }

    /// A `ConfigSource` that reads it.
    pub(crate) fn source(&self) -> Value {
        json!({ "path_config_source": { "path": self.file() } })
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("resources.json")
    }
}

/// The sticky listener alone, as Envoy's listener discovery delivers it.
fn sticky_listener(targets: &[Target], setup: &Setup<'_>) -> Value {
    let mut listener = sticky_config(&addresses(targets), setup).listener("sticky").unwrap().clone();
    listener["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
    listener
}

/// A load balancer whose sticky listener can be replaced while it runs.
pub(crate) struct Replaceable {
    pub(crate) lb: LoadBalancer,
    listener: Resources,
}

impl Replaceable {
    #[track_caller]
    pub(crate) fn start(setup: &Setup<'_>) -> Self {
        let targets: Vec<Target> = setup.targets.iter().map(|name| Target::start(name)).collect();
        let listener = Resources::of(&sticky_listener(&targets, setup));
        let mut config = sticky_config(&addresses(&targets), &Setup::default());
        config.remove_listener("sticky").unwrap();
        config.value_mut()["dynamic_resources"] = json!({ "lds_config": listener.source() });
        name_the_node(&mut config);
        let envoy =
            Envoy::start(envoy_binary(), &config, Settings::default()).unwrap_or_else(|error| panic!("{error}"));
        let sticky = envoy.address("sticky").unwrap();
        Self { lb: LoadBalancer { envoy, targets, sticky }, listener }
    }

    /// Replaces the sticky listener by that of another setup.
    pub(crate) fn replace(&self, setup: &Setup<'_>) {
        self.listener.replace(&sticky_listener(&self.lb.targets, setup));
    }
}

/// Envoy wants to know who it is before it discovers anything.
pub(crate) fn name_the_node(config: &mut Config) {
    config.value_mut()["node"] = json!({ "id": "test", "cluster": "test" });
}
