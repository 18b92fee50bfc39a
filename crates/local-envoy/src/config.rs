//! Edits an Envoy configuration by its meaning instead of its text.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::{Error, Result, workspace_root};

const HTTP_WASM: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";
const STRING_VALUE: &str = "type.googleapis.com/google.protobuf.StringValue";
const STRUCT: &str = "type.googleapis.com/google.protobuf.Struct";

/// An Envoy bootstrap configuration with resolved YAML anchors.
#[derive(Clone, Debug)]
pub struct Config {
    name: String,
    value: Value,
}

/// A configuration of the filter.
#[derive(Clone, Debug)]
pub enum Plugin<'a> {
    /// JSON text as `google.protobuf.StringValue`, which Istio and Envoy Gateway send. A test can give invalid text too.
    Json(&'a str),
    /// An object as `google.protobuf.Struct`, which an Envoy configuration in YAML contains.
    Struct(Value),
    /// A message of any type, with its `@type`.
    Message(Value),
    /// No configuration.
    Absent,
}

impl Config {
    /// The configuration that users copy, `envoy/envoy.yaml` of this workspace.
    ///
    /// # Errors
    ///
    /// Those of [`Config::read`].
    pub fn shipped() -> Result<Self> {
        Self::read(&workspace_root().join("envoy/envoy.yaml"))
    }

    /// The configuration in a YAML (or JSON) file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or is not YAML. The error names the line.
    pub fn read(file: &Path) -> Result<Self> {
        let name = file.display().to_string();
        let text = fs::read_to_string(file).map_err(|error| Error::new(format!("{name} cannot be read: {error}")))?;
        let value =
            serde_saphyr::from_str(&text).map_err(|error| Error::new(format!("{name} is not YAML: {error}")))?;
        Ok(Self { name, value })
    }

    /// The whole configuration.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The whole configuration, for any change.
    pub fn value_mut(&mut self) -> &mut Value {
        &mut self.value
    }

    /// The text that Envoy reads from a file with the extension `.json`.
    #[must_use]
    pub fn to_json(&self) -> String {
        format!("{:#}\n", self.value)
    }

    /// The value at a JSON pointer such as `/static_resources/clusters/0/lb_policy`.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn at(&mut self, pointer: &str) -> Result<&mut Value> {
        let name = &self.name;
        self.value.pointer_mut(pointer).ok_or_else(|| Error::new(format!("{name}: there is nothing at {pointer}")))
    }

    /// The listener of this name.
    ///
    /// # Errors
    ///
    /// When there is none. The error lists the existing names.
    pub fn listener(&mut self, name: &str) -> Result<&mut Value> {
        self.named("listener", name)
    }

    /// The cluster of this name.
    ///
    /// # Errors
    ///
    /// When there is none. The error lists the existing names.
    pub fn cluster(&mut self, name: &str) -> Result<&mut Value> {
        self.named("cluster", name)
    }

    /// The `typed_config` of a listener's first HTTP connection manager.
    ///
    /// # Errors
    ///
    /// When there is no such listener, or it has no HTTP connection manager.
    pub fn connection_manager(&mut self, listener: &str) -> Result<&mut Value> {
        let missing = Error::new(format!("{}: listener {listener:?} has no HTTP connection manager", self.name));
        list(self.listener(listener)?, "filter_chains")
            .flat_map(|chain| list(chain, "filters"))
            .filter_map(|filter| filter.get_mut("typed_config"))
            .find(|config| config.get("http_filters").is_some())
            .ok_or(missing)
    }

    /// The ordered HTTP filters of a listener's first HTTP connection manager.
    ///
    /// # Errors
    ///
    /// Those of [`Config::connection_manager`].
    pub fn http_filters(&mut self, listener: &str) -> Result<&mut Vec<Value>> {
        let wrong = Error::new(format!("{}: http_filters of listener {listener:?} is not a list", self.name));
        self.connection_manager(listener)?.get_mut("http_filters").and_then(Value::as_array_mut).ok_or(wrong)
    }

    /// The HTTP filter of this name in a listener's first HTTP connection manager.
    ///
    /// # Errors
    ///
    /// When there is none. The error lists the existing names. And those of [`Config::connection_manager`].
    pub fn http_filter(&mut self, listener: &str, name: &str) -> Result<&mut Value> {
        let file = self.name.clone();
        find(self.http_filters(listener)?, "HTTP filter", name, &file)
    }

    /// The name and address of each listener. The admin interface is listed as `admin`.
    ///
    /// # Errors
    ///
    /// When an address is not an IP with a port.
    pub fn addresses(&self) -> Result<Vec<(String, SocketAddr)>> {
        let listeners = self.value.pointer("/static_resources/listeners").and_then(Value::as_array);
        let named = listeners.into_iter().flatten().map(|listener| (name_of(listener), listener));
        let admin = self.value.get("admin").map(|admin| ("admin", admin));
        named
            .chain(admin)
            .map(|(name, holder)| {
                let field = |field| holder.pointer(&format!("/address/socket_address/{field}"));
                let ip = field("address").and_then(Value::as_str).and_then(|ip| ip.parse().ok());
                let port = field("port_value").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok());
                match (ip, port) {
                    (Some(ip), Some(port)) => Ok((name.to_owned(), SocketAddr::new(ip, port))),
                    _ => Err(Error::new(format!("{}: {name} has no address with an IP and a port", self.name))),
                }
            })
            .collect()
    }

    /// Moves every listener and the admin interface to port 0 of 127.0.0.1: the system picks a free port at the start.
    ///
    /// # Errors
    ///
    /// When there is no listener.
    pub fn free_ports(&mut self) -> Result<()> {
        let free = json!({ "socket_address": { "address": "127.0.0.1", "port_value": 0 } });
        let none = Error::new(format!("{}: there are no static_resources.listeners", self.name));
        let listeners = self.value.pointer_mut("/static_resources/listeners").and_then(Value::as_array_mut);
        for listener in listeners.ok_or(none)? {
            listener["address"] = free.clone();
        }
        self.value["admin"]["address"] = free;
        Ok(())
    }

    /// Removes the listener of this name.
    ///
    /// # Errors
    ///
    /// When there is none. The error lists the existing names.
    pub fn remove_listener(&mut self, name: &str) -> Result<()> {
        self.listener(name)?;
        if let Some(listeners) = self.at("/static_resources/listeners")?.as_array_mut() {
            listeners.retain(|listener| name_of(listener) != name);
        }
        Ok(())
    }

    /// Makes a cluster STATIC with these endpoints in one locality.
    ///
    /// # Errors
    ///
    /// When there is no such cluster. The error lists the existing names.
    pub fn endpoints(&mut self, cluster: &str, endpoints: &[SocketAddr]) -> Result<()> {
        let endpoints: Vec<Value> = endpoints
            .iter()
            .map(|at| json!({ "address": at.ip().to_string(), "port_value": at.port() }))
            .map(|socket_address| json!({ "endpoint": { "address": { "socket_address": socket_address } } }))
            .collect();
        let config = self.cluster(cluster)?;
        config["type"] = json!("STATIC");
        config["load_assignment"]["cluster_name"] = json!(cluster);
        config["load_assignment"]["endpoints"] = json!([{ "lb_endpoints": endpoints }]);
        Ok(())
    }

    /// Loads every wasm filter from this file. The path should be absolute: Envoy starts in the folder of its caller.
    ///
    /// # Errors
    ///
    /// When the configuration has no wasm filter.
    pub fn wasm_file(&mut self, file: &Path) -> Result<()> {
        let code = json!({ "local": { "filename": file } });
        self.wasm_filters(|filter| filter["vm_config"]["code"] = code.clone())
    }

    /// Gives every wasm filter this configuration.
    ///
    /// # Errors
    ///
    /// When the configuration has no wasm filter.
    pub fn plugin(&mut self, plugin: Plugin<'_>) -> Result<()> {
        let any = match plugin {
            Plugin::Json(text) => Some(json!({ "@type": STRING_VALUE, "value": text })),
            Plugin::Struct(value) => Some(json!({ "@type": STRUCT, "value": value })),
            Plugin::Message(message) => Some(message),
            Plugin::Absent => None,
        };
        self.wasm_filters(|filter| match (&any, filter.as_object_mut()) {
            (Some(any), _) => filter["configuration"] = any.clone(),
            (None, Some(fields)) => drop(fields.remove("configuration")),
            (None, None) => (),
        })
    }

    /// Sets the environment variables of every wasm VM. Their names are removed from the list of variables that the VM takes from
    /// Envoy's environment, because Envoy refuses a name that is in both lists.
    ///
    /// # Errors
    ///
    /// When the configuration has no wasm filter.
    pub fn vm_environment(&mut self, variables: &[(&str, &str)]) -> Result<()> {
        let values: Map<String, Value> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        self.wasm_filters(|filter| {
            let environment = &mut filter["vm_config"]["environment_variables"];
            environment["key_values"] = Value::Object(values.clone());
            if let Some(from_host) = environment.get_mut("host_env_keys").and_then(Value::as_array_mut) {
                from_host.retain(|name| name.as_str().is_none_or(|name| !values.contains_key(name)));
            }
        })
    }

    fn named(&mut self, kind: &str, name: &str) -> Result<&mut Value> {
        let all = self.value.pointer_mut(&format!("/static_resources/{kind}s")).and_then(Value::as_array_mut);
        find(all.map(Vec::as_mut_slice).unwrap_or_default(), kind, name, &self.name)
    }

    /// Changes the `config` of every wasm filter, at any place. A route can contain a copy that overrides it.
    ///
    /// # Errors
    ///
    /// When the configuration has no wasm filter.
    pub fn wasm_filters(&mut self, mut change: impl FnMut(&mut Value)) -> Result<()> {
        let mut found = false;
        walk(&mut self.value, &mut |value| {
            if value.get("@type").is_some_and(|kind| kind == HTTP_WASM)
                && let Some(config) = value.get_mut("config").filter(|config| config.is_object())
            {
                found = true;
                change(config);
            }
        });
        found
            .then_some(())
            .ok_or_else(|| Error::new(format!("{}: there is no wasm HTTP filter with a config", self.name)))
    }
}

/// The item of this name.
fn find<'a>(all: &'a mut [Value], kind: &str, name: &str, file: &str) -> Result<&'a mut Value> {
    let names: Vec<String> = all.iter().map(|one| format!("{:?}", name_of(one))).collect();
    all.iter_mut().find(|one| name_of(one) == name).ok_or_else(|| {
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Error::new(format!("{file}: no {kind} is named {name:?}; there is {names}"))
    })
}

fn name_of(value: &Value) -> &str {
    value.get("name").and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a mut Value, field: &str) -> impl Iterator<Item = &'a mut Value> + use<'a> {
    value.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten()
}

fn walk(value: &mut Value, visit: &mut impl FnMut(&mut Value)) {
    visit(value);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, visit)),
        Value::Object(fields) => fields.values_mut().for_each(|field| walk(field, visit)),
        _ => (),
    }
}

#[cfg(test)]
mod tests;
