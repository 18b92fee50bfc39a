//! The filter works without any one call of the ABI: an operator may forbid calls with `capability_restriction_config`.

use local_envoy::{Config, Plugin, validate};
use serde_json::{Map, Value, json};

use harness::{Client, KEY, LoadBalancer, Setup, add_group, envoy_binary, sticky_config, wasm};

use crate::steps::has_crashed;

/// The calls that can be forbidden, and whether clients still return to their targets without them. These are all calls of the
/// filter, as the suite `host` lists them, without [`CONFIGURATION`].
const CALLS: [(&str, bool); 17] = [
    ("environ_get", true),
    ("environ_sizes_get", true),
    // Without it, no cookie can be set.
    ("proxy_add_header_map_value", false),
    ("proxy_define_metric", true),
    // Without a clock, every cookie is of 1970.
    ("proxy_get_current_time_nanoseconds", false),
    // Without it, no cookie can be read.
    ("proxy_get_header_map_pairs", false),
    // Without it, the answering target is unknown.
    ("proxy_get_property", false),
    ("proxy_get_shared_data", true),
    ("proxy_http_call", true),
    ("proxy_increment_metric", true),
    ("proxy_log", true),
    ("proxy_remove_header_map_value", true),
    // Without it, Envoy does not learn the target.
    ("proxy_replace_header_map_value", false),
    ("proxy_set_effective_context", true),
    ("proxy_set_property", true),
    ("proxy_set_shared_data", true),
    // Without random bytes there is no nonce, and so no cookie.
    ("random_get", false),
];

const CONFIGURATION: &str = "proxy_get_buffer_bytes";

/// A rule that asks groups for a healthy target, and a key, so that no random key is needed.
fn plugin() -> Value {
    let (id, secret) = KEY.split_once(':').unwrap();
    let rule = json!({
        "target_groups": ["web", "api"],
        "target_group_stickiness": { "duration_seconds": 60 },
        "on_empty_group": "repick"
    });
    json!({ "target_groups": { "*": {} }, "rules": [rule], "keys": [{ "id": id, "secret": secret }] })
}

/// All imports and exports of the module but this one.
fn all_but(forbidden: &str) -> Value {
    let module = wasm_host::Vm::module(&std::fs::read(wasm()).unwrap()).unwrap();
    let imports = module.imports().map(|import| import.name().to_owned());
    let names = imports.chain(module.exports().map(|export| export.name().to_owned()));
    let allowed: Map<String, Value> = names.filter(|name| name != forbidden).map(|name| (name, json!({}))).collect();
    json!({ "allowed_capabilities": allowed })
}

/// Forbids this call for the filter of a listener.
fn forbid(listener: &mut Value, call: &str) {
    let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
    let filters = manager["http_filters"].as_array_mut().unwrap();
    let filter = filters.iter_mut().find(|filter| filter["name"] == "sticky_sessions").unwrap();
    let filter = &mut filter["typed_config"]["config"];
    // Without its own id it would share the VM of another filter, with the calls that are allowed there.
    filter["vm_config"]["vm_id"] = json!(call);
    filter["capability_restriction_config"] = all_but(call);
}

/// Adds a listener for each call, with its name, in which the call is forbidden.
fn forbid_each(config: &mut Config, calls: &[&str]) {
    add_group(config, "api");
    let sticky = config.listener("sticky").unwrap().clone();
    let listeners = config.at("/static_resources/listeners").unwrap().as_array_mut().unwrap();
    for call in calls {
        let mut listener = sticky.clone();
        listener["name"] = json!(call);
        forbid(&mut listener, call);
        listeners.push(listener);
    }
}

#[test]
fn a_filter_that_is_forbidden_any_one_call_starts_and_serves() {
    let calls = CALLS.map(|(call, _)| call);
    let edit = |config: &mut Config| forbid_each(config, &calls);
    let setup = Setup { plugin: Some(Plugin::Struct(plugin())), edit: &edit, ..Setup::default() };
    let lb = LoadBalancer::start(&setup);
    for (call, is_sticky) in CALLS {
        let listener = lb.envoy.address(call).unwrap();
        let mut client = Client::default();
        let bodies = [0; 4].map(|_| client.get(listener, "/")).map(|response| {
            assert_eq!(response.status, 200, "without {call}");
            response.body
        });
        assert_eq!(bodies.iter().all(|body| *body == bodies[0]), is_sticky, "without {call}: {bodies:?}");
        assert!(!has_crashed(&lb.envoy), "without {call}");
    }
}

#[test]
fn a_configuration_that_cannot_be_read_is_refused_and_not_taken_for_an_empty_one() {
    refused_without(CONFIGURATION, plugin(), "Envoy does not hand over the configuration of the plugin");
}

#[test]
fn a_random_key_that_workers_cannot_share_is_refused() {
    let shared = "Envoy's shared data does not hold the key that was stored there";
    refused_without("proxy_get_shared_data", json!({}), shared);
    refused_without("proxy_set_shared_data", json!({}), shared);
    refused_without("random_get", json!({}), "Envoy gives no random bytes for a key");
}

#[track_caller]
fn refused_without(call: &str, plugin: Value, message: &str) {
    let edit = |config: &mut Config| forbid(config.listener("sticky").unwrap(), call);
    let setup = Setup { plugin: Some(Plugin::Struct(plugin)), edit: &edit, ..Setup::default() };
    let answer = validate(envoy_binary(), &sticky_config(&[], &setup), &[]).unwrap();
    assert!(!answer.accepted && answer.log.contains(message) && !answer.log.contains("panicked"), "{}", answer.log);
}
