//! Tests of the edits, on the shipped configuration.

use super::*;

fn shipped() -> Config {
    Config::shipped().unwrap()
}

fn wasm(config: &mut Config) -> Value {
    let filters = config.http_filters("sticky").unwrap();
    let filter = filters.iter().find(|filter| filter["typed_config"]["@type"] == HTTP_WASM).unwrap();
    filter["typed_config"]["config"].clone()
}

#[test]
fn the_anchor_of_the_retry_policy_is_resolved() {
    let mut config = shipped();
    let policy = "/route_config/virtual_hosts/0/retry_policy";
    let sticky = config.connection_manager("sticky").unwrap().pointer(policy).cloned();
    let plain = config.connection_manager("plain").unwrap().pointer(policy).cloned();
    assert!(sticky.is_some());
    assert_eq!(sticky, plain);
}

#[test]
fn the_addresses_are_the_promised_ones() {
    let addresses = shipped().addresses().unwrap();
    let shown: Vec<String> = addresses.iter().map(|(name, at)| format!("{name} {at}")).collect();
    assert_eq!(shown, ["sticky 0.0.0.0:10000", "plain 0.0.0.0:10001", "admin 127.0.0.1:9901"]);
}

#[test]
fn free_ports_move_every_listener_and_the_admin_to_the_loopback() {
    let mut config = shipped();
    config.free_ports().unwrap();
    assert!(config.addresses().unwrap().iter().all(|(_, at)| at.to_string() == "127.0.0.1:0"));
}

#[test]
fn endpoints_replace_the_names_and_need_no_dns() {
    let mut config = shipped();
    config.endpoints("web", &["127.0.0.1:1".parse().unwrap(), "[::1]:2".parse().unwrap()]).unwrap();
    let cluster = config.cluster("web").unwrap();
    assert_eq!(cluster["type"], "STATIC");
    let endpoints = &cluster["load_assignment"]["endpoints"][0]["lb_endpoints"];
    assert_eq!(endpoints.as_array().unwrap().len(), 2);
    let second = &endpoints[1]["endpoint"]["address"]["socket_address"];
    assert_eq!(second, &json!({ "address": "::1", "port_value": 2 }));
    assert!(cluster.get("health_checks").is_some());
}

#[test]
fn the_wasm_file_is_replaced() {
    let mut config = shipped();
    config.wasm_file("filter.wasm".as_ref()).unwrap();
    assert_eq!(wasm(&mut config)["vm_config"]["code"], json!({ "local": { "filename": "filter.wasm" } }));
}

#[test]
fn the_plugin_configuration_takes_all_three_forms() {
    let mut config = shipped();
    config.plugin(Plugin::Json("{")).unwrap();
    assert_eq!(wasm(&mut config)["configuration"], json!({ "@type": STRING_VALUE, "value": "{" }));
    config.plugin(Plugin::Struct(json!({ "keys": [] }))).unwrap();
    assert_eq!(wasm(&mut config)["configuration"], json!({ "@type": STRUCT, "value": { "keys": [] } }));
    config.plugin(Plugin::Absent).unwrap();
    assert_eq!(wasm(&mut config).get("configuration"), None);
}

#[test]
fn a_variable_of_the_vm_is_no_longer_taken_from_the_host() {
    let mut config = shipped();
    config.vm_environment(&[("STICKY_SESSIONS_KEYS", "a:b")]).unwrap();
    let expected = json!({ "key_values": { "STICKY_SESSIONS_KEYS": "a:b" }, "host_env_keys": [] });
    assert_eq!(wasm(&mut config)["vm_config"]["environment_variables"], expected);
    let mut config = shipped();
    config.vm_environment(&[("OTHER", "x")]).unwrap();
    let expected = json!({ "key_values": { "OTHER": "x" }, "host_env_keys": ["STICKY_SESSIONS_KEYS"] });
    assert_eq!(wasm(&mut config)["vm_config"]["environment_variables"], expected);
}

#[test]
fn a_removed_listener_is_gone_and_the_other_stays() {
    let mut config = shipped();
    config.remove_listener("plain").unwrap();
    assert!(config.listener("plain").is_err());
    assert!(config.listener("sticky").is_ok());
}

#[test]
fn an_error_names_the_file_the_wanted_and_the_present() {
    let error = shipped().endpoints("wub", &[]).unwrap_err().to_string();
    assert!(error.ends_with("envoy/envoy.yaml: no cluster is named \"wub\"; there is \"web\""), "{error}");
    let error = shipped().http_filter("sticky", "wasm").unwrap_err().to_string();
    assert!(
        error.contains("no HTTP filter is named \"wasm\"; there is ") && error.contains("\"sticky_sessions\""),
        "{error}"
    );
    let error = shipped().at("/static_resources/cluster").unwrap_err().to_string();
    assert!(error.ends_with("envoy.yaml: there is nothing at /static_resources/cluster"), "{error}");
    let mut bare = shipped();
    bare.http_filters("sticky").unwrap().clear();
    let error = bare.plugin(Plugin::Absent).unwrap_err().to_string();
    assert!(error.ends_with("there is no wasm HTTP filter with a config"), "{error}");
}

#[test]
fn a_file_that_is_no_yaml_is_named_with_the_place() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "a: 1\nb: [x, {y: \n").unwrap();
    let error = Config::read(file.path()).unwrap_err().to_string();
    assert!(error.starts_with(&file.path().display().to_string()) && error.contains("line 2"), "{error}");
}
