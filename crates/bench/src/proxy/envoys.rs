//! Writes the Envoy configuration of each kind of stickiness.

use std::path::Path;

use anyhow::{Context, Result};
use data_encoding::BASE64;
use local_envoy::{Config, Plugin};
use serde_json::{Value, json};
use wasm_host::Scenario;

use crate::fixture::{Fixture, shipped};

const FILTERS: &str = "type.googleapis.com/envoy.extensions.filters.http";
const HEADER_MUTATION: &str = "envoy.filters.http.header_mutation";

/// The configuration of an Envoy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EnvoyKind {
    /// `envoy.yaml` as shipped, without everything that stickiness needs.
    Bare,
    /// `weighted.yaml` as shipped, without everything that stickiness needs.
    BareGroups,
    /// `Bare` with a wasm filter that does nothing and exports every callback.
    Noop,
    /// `Bare` with a wasm filter that does nothing and exports only the header callbacks.
    PrunedNoop,
    /// The README's lines with a module that makes the first `n` host calls of a pinned request and computes nothing.
    Calls(usize),
    /// The README's lines with a module that makes all these calls through the Rust SDK.
    SdkCalls,
    /// The README's lines without a wasm filter: `header_mutation` and `stateful_session` look for a header that nobody sets.
    OverrideHeader,
    /// `Bare` with Envoy's own cookie sessions.
    Native,
    /// `Bare` with a Lua script that reads the target from a cookie.
    Lua,
    /// The shipped configuration, with the plugin configuration of this scenario.
    Ours(Scenario),
    /// Only the lines that the README adds to an existing Envoy.
    OursAlone,
}

/// The configuration, with the targets of the main table.
pub(crate) fn config(fixture: &Fixture, kind: EnvoyKind) -> Result<Config> {
    let groups = matches!(kind, EnvoyKind::BareGroups | EnvoyKind::Ours(Scenario::GroupAndApplication));
    let mut config = shipped(if groups { "weighted.yaml" } else { "envoy.yaml" })?;
    if groups {
        let targets = fixture.backend.targets(4);
        let (blue, green) = targets.split_at(2);
        config.endpoints("blue", blue)?;
        config.endpoints("green", green)?;
    } else {
        config.endpoints("web", &fixture.backend.targets(2))?;
    }
    match kind {
        EnvoyKind::Ours(scenario) => {
            config.wasm_file(&fixture.filter)?;
            config.plugin(Plugin::Json(scenario.configuration()))?;
            if scenario == Scenario::PinnedOverrideHost {
                use_override_host(&mut config)?;
            }
        }
        EnvoyKind::OursAlone => with_the_readmes_lines(&mut config, &fixture.filter, Scenario::Pinned.configuration())?,
        EnvoyKind::Calls(count) => {
            with_the_readmes_lines(
                &mut config,
                fixture.calls.get(count).context("no module makes as many calls")?,
                "{}",
            )?;
        }
        EnvoyKind::SdkCalls => {
            let pin = BASE64.encode(fixture.backend.target(0).to_string().as_bytes());
            with_the_readmes_lines(&mut config, &fixture.sdk_calls, &pin)?;
        }
        EnvoyKind::OverrideHeader => {
            config.http_filters("sticky")?.retain(|filter| filter["name"] != "sticky_sessions");
            with_the_readmes_guard(&mut config)?;
        }
        EnvoyKind::Bare => strip(&mut config, None)?,
        EnvoyKind::BareGroups => {
            strip(&mut config, None)?;
            let routes = config.at_connection_manager("/route_config/virtual_hosts/0/routes")?;
            let routes = routes.as_array_mut().context("the routes of weighted.yaml")?;
            routes.retain(|route| route["match"].get("headers").is_none());
        }
        EnvoyKind::Noop => strip(&mut config, Some(noop(&fixture.noop)))?,
        EnvoyKind::PrunedNoop => strip(&mut config, Some(noop(&fixture.pruned_noop)))?,
        EnvoyKind::Native => strip(&mut config, Some(native()))?,
        EnvoyKind::Lua => strip(&mut config, Some(lua()))?,
    }
    Ok(config)
}

fn with_the_readmes_lines(config: &mut Config, module: &Path, configuration: &str) -> Result<()> {
    config.wasm_file(module)?;
    config.plugin(Plugin::Json(configuration))?;
    with_the_readmes_guard(config)
}

/// Guards the headers as the README's lines do: by one filter, for requests and responses.
fn with_the_readmes_guard(config: &mut Config) -> Result<()> {
    remove_what_guards_the_headers(config)?;
    let remove = json!([{ "remove": "x-sticky-session-host" }]);
    let mutations = json!({ "request_mutations": remove, "response_mutations": remove });
    config.http_filters("sticky")?.insert(0, header_mutation(&mutations));
    Ok(())
}

fn header_mutation(mutations: &Value) -> Value {
    json!({ "name": HEADER_MUTATION, "typed_config": {
        "@type": format!("{FILTERS}.header_mutation.v3.HeaderMutation"),
        "mutations": mutations
    } })
}

trait AtConnectionManager {
    fn at_connection_manager(&mut self, pointer: &str) -> Result<&mut Value>;
}

impl AtConnectionManager for Config {
    fn at_connection_manager(&mut self, pointer: &str) -> Result<&mut Value> {
        let manager = self.connection_manager("sticky")?;
        manager.pointer_mut(pointer).with_context(|| format!("the connection manager has nothing at {pointer}"))
    }
}

/// Removes everything that stickiness needs, and adds `filter`, if any.
fn strip(config: &mut Config, filter: Option<Value>) -> Result<()> {
    remove_what_guards_the_headers(config)?;
    let filters = config.http_filters("sticky")?;
    filters.retain(|filter| filter["name"] == "envoy.filters.http.router");
    if let Some(filter) = filter {
        filters.insert(0, filter);
    }
    Ok(())
}

/// Removes the rules that take our headers out of requests and responses.
fn remove_what_guards_the_headers(config: &mut Config) -> Result<()> {
    if let Some(manager) = config.connection_manager("sticky")?.as_object_mut() {
        manager.remove("early_header_mutation_extensions");
    }
    config.http_filters("sticky")?.retain(|filter| filter["name"] != HEADER_MUTATION);
    let routes = config.at_connection_manager("/route_config")?;
    routes.as_object_mut().context("route_config is an object")?.remove("request_headers_to_remove");
    Ok(())
}

fn noop(file: &Path) -> Value {
    json!({ "name": "noop", "typed_config": {
        "@type": format!("{FILTERS}.wasm.v3.Wasm"),
        "config": {
            "name": "noop",
            "vm_config": { "runtime": "envoy.wasm.runtime.v8", "code": { "local": { "filename": file } } }
        }
    } })
}

fn native() -> Value {
    json!({ "name": "envoy.filters.http.stateful_session", "typed_config": {
        "@type": format!("{FILTERS}.stateful_session.v3.StatefulSession"),
        "session_state": { "name": "envoy.http.stateful_session.cookie", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.http.stateful_session.cookie.v3.CookieBasedSessionState",
            "cookie": { "name": "session-target", "path": "/", "ttl": "86400s" }
        } }
    } })
}

/// The script sets no cookie: it cannot read which target answered.
fn lua() -> Value {
    let script = r#"
function envoy_on_request(handle)
  local cookies = handle:headers():get("cookie")
  local target = cookies and cookies:match("target=([^;]+)")
  if target then handle:setUpstreamOverrideHost(target, false) end
end
"#;
    json!({ "name": "envoy.filters.http.lua", "typed_config": {
        "@type": format!("{FILTERS}.lua.v3.Lua"),
        "default_source_code": { "inline_string": script }
    } })
}

/// Makes the changes that the README lists for `override_host`.
fn use_override_host(config: &mut Config) -> Result<()> {
    config.http_filters("sticky")?.retain(|filter| filter["name"] != "envoy.filters.http.stateful_session");
    let routes = config.at_connection_manager("/route_config")?;
    routes.as_object_mut().context("route_config is an object")?.remove("request_headers_to_remove");
    let cluster = config.cluster("web")?;
    let policies = "type.googleapis.com/envoy.extensions.load_balancing_policies";
    cluster["load_balancing_policy"] = json!({ "policies": [{ "typed_extension_config": {
        "name": "envoy.load_balancing_policies.override_host",
        "typed_config": {
            "@type": format!("{policies}.override_host.v3.OverrideHost"),
            "override_host_sources": [{ "header": "x-sticky-session-host" }],
            "fallback_policy": { "policies": [{ "typed_extension_config": {
                "name": "envoy.load_balancing_policies.round_robin",
                "typed_config": { "@type": format!("{policies}.round_robin.v3.RoundRobin") }
            } }] }
        }
    } }] });
    let remove = header_mutation(&json!({ "request_mutations": [{ "remove": "x-sticky-session-host" }] }));
    cluster["typed_extension_protocol_options"] = json!({ "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": { "http_protocol_options": {} },
        "http_filters": [
            remove,
            { "name": "envoy.filters.http.upstream_codec", "typed_config": {
                "@type": format!("{FILTERS}.upstream_codec.v3.UpstreamCodec")
            } }
        ]
    } });
    Ok(())
}
