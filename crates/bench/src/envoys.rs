//! How is each kind of stickiness written in Envoy's words?

use std::path::Path;

use anyhow::{Context, Result};
use data_encoding::BASE64;
use local_envoy::{Config, Plugin};
use serde_json::{Value, json};
use wasm_host::Scenario;

use crate::ground::{Ground, shipped};

const FILTERS: &str = "type.googleapis.com/envoy.extensions.filters.http";

/// What Envoy is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The shipped configuration without what is there for stickiness.
    Bare,
    /// The same, of `weighted.yaml`.
    BareGroups,
    /// With a wasm filter that does nothing, with every callback.
    Noop,
    /// With one that has those for headers alone.
    PrunedNoop,
    /// The lines of the README, with a module that makes so many of the calls of a pinned request and computes nothing.
    Calls(usize),
    /// The same with one that makes all of them through the Rust SDK.
    SdkCalls,
    /// The lines of the README without a wasm filter: the target is named by a header that nobody sets.
    OverrideHeader,
    /// With Envoy's own sessions in cookies.
    Native,
    /// With a script that reads the target from a cookie.
    Lua,
    /// The shipped configuration with the filter configured for this kind of request.
    Ours(Scenario),
    /// With the lines alone that the README shows for an Envoy that is there already.
    OursAlone,
}

/// The configuration, before the targets of the main table.
pub(crate) fn config(ground: &Ground, kind: Kind) -> Result<Config> {
    let groups = matches!(kind, Kind::BareGroups | Kind::Ours(Scenario::GroupAndApplication));
    let mut config = shipped(if groups { "weighted.yaml" } else { "envoy.yaml" })?;
    if groups {
        let targets = ground.backend.targets(4);
        let (blue, green) = targets.split_at(2);
        config.endpoints("blue", blue)?;
        config.endpoints("green", green)?;
    } else {
        config.endpoints("web", &ground.backend.targets(2))?;
    }
    match kind {
        Kind::Ours(scenario) => {
            config.wasm_file(&ground.filter)?;
            config.plugin(Plugin::Json(scenario.configuration()))?;
            if scenario == Scenario::PinnedOverrideHost {
                use_override_host(&mut config)?;
            }
        }
        Kind::OursAlone => with_the_readmes_lines(&mut config, &ground.filter, Scenario::Pinned.configuration())?,
        Kind::Calls(count) => {
            with_the_readmes_lines(&mut config, ground.calls.get(count).context("so many calls")?, "{}")?;
        }
        Kind::SdkCalls => {
            let pin = BASE64.encode(ground.backend.target(0).to_string().as_bytes());
            with_the_readmes_lines(&mut config, &ground.sdk_calls, &pin)?;
        }
        Kind::OverrideHeader => {
            config.http_filters("sticky")?.retain(|filter| filter["name"] != "sticky_sessions");
            remove_what_guards_the_headers(&mut config)?;
        }
        Kind::Bare => strip(&mut config, None)?,
        Kind::BareGroups => {
            strip(&mut config, None)?;
            let routes = config.at_connection_manager("/route_config/virtual_hosts/0/routes")?;
            let routes = routes.as_array_mut().context("the routes of weighted.yaml")?;
            routes.retain(|route| route["match"].get("headers").is_none());
        }
        Kind::Noop => strip(&mut config, Some(noop(&ground.noop)))?,
        Kind::PrunedNoop => strip(&mut config, Some(noop(&ground.pruned_noop)))?,
        Kind::Native => strip(&mut config, Some(native()))?,
        Kind::Lua => strip(&mut config, Some(lua()))?,
    }
    Ok(config)
}

fn with_the_readmes_lines(config: &mut Config, module: &Path, configuration: &str) -> Result<()> {
    config.wasm_file(module)?;
    config.plugin(Plugin::Json(configuration))?;
    remove_what_guards_the_headers(config)
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

/// Takes out what is there for stickiness, and puts this in its place.
fn strip(config: &mut Config, filter: Option<Value>) -> Result<()> {
    remove_what_guards_the_headers(config)?;
    let filters = config.http_filters("sticky")?;
    filters.retain(|filter| filter["name"] == "envoy.filters.http.router");
    if let Some(filter) = filter {
        filters.insert(0, filter);
    }
    Ok(())
}

/// Whatever removes our headers from requests, on their way in and on their way out.
fn remove_what_guards_the_headers(config: &mut Config) -> Result<()> {
    if let Some(manager) = config.connection_manager("sticky")?.as_object_mut() {
        manager.remove("early_header_mutation_extensions");
    }
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

/// It gives no cookie: what answers has no say in which target it was.
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

/// What the README tells to change for `override_host`.
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
    let remove = json!({ "request_mutations": [{ "remove": "x-sticky-session-host" }] });
    cluster["typed_extension_protocol_options"] = json!({ "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": { "http_protocol_options": {} },
        "http_filters": [
            { "name": "envoy.filters.http.header_mutation", "typed_config": {
                "@type": format!("{FILTERS}.header_mutation.v3.HeaderMutation"),
                "mutations": remove
            } },
            { "name": "envoy.filters.http.upstream_codec", "typed_config": {
                "@type": format!("{FILTERS}.upstream_codec.v3.UpstreamCodec")
            } }
        ]
    } });
    Ok(())
}
