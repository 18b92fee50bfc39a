//! The filter alone, in a file that Envoy watches.

use harness::{Resources, Setup, name_the_node, sticky_config};
use local_envoy::{Config, Plugin};
use serde_json::{Value, json};

use crate::scene::SITE;

/// The wasm filter, which can be configured anew while its listener stays (ECDS).
pub(crate) struct DiscoveredFilter {
    filter: Resources,
}

const NAME: &str = "sticky_sessions";

impl DiscoveredFilter {
    /// What counts the configurations that Envoy has taken over, and those that it has refused.
    pub(crate) const COUNTERS: [&str; 2] = [
        "extension_config_discovery.http_filter.sticky_sessions.config_reload",
        "extension_config_discovery.http_filter.sticky_sessions.update_rejected",
    ];

    /// With this plugin configuration.
    pub(crate) fn with(plugin: &Value) -> Self {
        Self { filter: Resources::of(&extension(plugin)) }
    }

    /// Configures it with this from now on.
    pub(crate) fn push(&self, plugin: &Value) {
        self.filter.replace(&extension(plugin));
    }

    /// Lets Envoy discover it.
    pub(crate) fn discover(&self, config: &mut Config) {
        name_the_node(config);
        let filters = config.http_filters("sticky").unwrap();
        let type_url = filters[0]["typed_config"]["@type"].clone();
        filters[0] = json!({
            "name": NAME,
            "config_discovery": { "config_source": self.filter.source(), "type_urls": [type_url] }
        });
    }
}

/// The filter of the shipped configuration, as Envoy's discovery of extensions delivers it.
fn extension(plugin: &Value) -> Value {
    let mut config = sticky_config(&[], &Setup { plugin: Some(Plugin::Struct(plugin.clone())), ..SITE });
    let filter = config.http_filters("sticky").unwrap()[0].clone();
    assert_eq!(filter["name"], NAME);
    json!({
        "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
        "name": NAME,
        "typed_config": filter["typed_config"]
    })
}
