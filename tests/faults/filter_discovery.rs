//! The filter configuration in a file that Envoy watches.

use harness::{Resources, Setup, name_the_node, sticky_config};
use local_envoy::{Config, Plugin};
use serde_json::{Value, json};

use crate::fixture::SETUP;

/// The filter, discovered by ECDS: its configuration can change while its listener stays.
pub(crate) struct DiscoveredFilter {
    filter: Resources,
}

const NAME: &str = "sticky_sessions";

impl DiscoveredFilter {
    /// Envoy's counters of the accepted and of the refused configurations.
    pub(crate) const COUNTERS: [&str; 2] = [
        "extension_config_discovery.http_filter.sticky_sessions.config_reload",
        "extension_config_discovery.http_filter.sticky_sessions.update_rejected",
    ];

    /// The filter with this configuration.
    pub(crate) fn with(plugin: &Value) -> Self {
        Self { filter: Resources::of(&extension(plugin)) }
    }

    /// Replaces the configuration.
    pub(crate) fn push(&self, plugin: &Value) {
        self.filter.replace(&extension(plugin));
    }

    /// Makes Envoy discover the filter.
    pub(crate) fn discover(&self, config: &mut Config) {
        name_the_node(config);
        let filter = config.http_filter("sticky", NAME).unwrap();
        let type_url = filter["typed_config"]["@type"].clone();
        *filter = json!({
            "name": NAME,
            "config_discovery": { "config_source": self.filter.source(), "type_urls": [type_url] }
        });
    }
}

/// The filter of the shipped configuration as a resource of extension discovery (ECDS).
fn extension(plugin: &Value) -> Value {
    let mut config = sticky_config(&[], &Setup { plugin: Some(Plugin::Struct(plugin.clone())), ..SETUP });
    let filter = config.http_filter("sticky", NAME).unwrap();
    json!({
        "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
        "name": NAME,
        "typed_config": filter["typed_config"]
    })
}
