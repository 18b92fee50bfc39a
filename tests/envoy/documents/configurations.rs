//! Tries the configurations of the documents on an Envoy.

use local_envoy::{Config, Plugin, validate};
use serde_json::{Value, json};

use stickiness::outcome::Outcome;

use harness::{
    Client, KEY, LoadBalancer, OTHER_KEY, Setup, Weighted, envoy_binary, fetch, routes, shipped_weighted,
    sticky_config, wasm, weigh,
};

use super::markdown::{document, documents};
use crate::scope;

/// YAML that has a test of its own: the document, and the heading above it.
type Tried = (&'static str, &'static str);

const TEN_LINES: Tried = ("README.md", "Load it into your Envoy");
const WEIGHTED_ROUTES: Tried = ("docs/configuration.md", "Target groups: blue and green");
const ROUTE_METADATA: Tried = ("docs/configuration.md", "Per route");
const SUBSETS: Tried = ("docs/configuration.md", "Subsets");
const OVERRIDE_HOST: Tried = ("docs/configuration.md", "stateful_session or override_host");
const CLUSTER_METADATA: Tried = ("docs/configuration.md", "Clusters that are not balanced");
const WASM_SERVICE: Tried = ("docs/operations.md", "The random key");

/// The front page in Korean, whose blocks equal those of the English one.
const TRANSLATION: &str = "README.ko.md";

/// YAML text as a value.
fn parsed(yaml: &str) -> Value {
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    std::fs::write(file.path(), yaml).unwrap();
    Config::read(file.path()).unwrap().value().clone()
}

#[track_caller]
fn yaml((name, heading): Tried) -> Value {
    parsed(document(name).block(heading, "yaml"))
}

/// The fields of a cluster whose targets are chosen by `override_host`.
pub(crate) fn override_host() -> Value {
    yaml(OVERRIDE_HOST)
}

/// Replaces all filters before the router by README's ten lines.
pub(crate) fn ten_lines(config: &mut Config) {
    let filters = config.http_filters("sticky").unwrap();
    let router = filters.pop().unwrap();
    filters.clone_from(yaml(TEN_LINES).as_array().unwrap());
    filters.push(router);
    config.wasm_file(wasm()).unwrap();
}

/// The fields of a cluster that turn stickiness off.
pub(crate) fn cluster_without_stickiness() -> Value {
    yaml(CLUSTER_METADATA)
}

/// The fields of an Envoy configuration that keep the random key.
pub(crate) fn wasm_service() -> Value {
    yaml(WASM_SERVICE)
}

#[test]
fn the_ten_lines_make_an_envoy_sticky() {
    let (name, heading) = TEN_LINES;
    assert_eq!(document(name).block(heading, "yaml").lines().count(), 10);
    let lb = LoadBalancer::start(&Setup { edit: &ten_lines, ..Setup::default() });
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    for _ in 0..4 {
        assert_eq!(client.get(lb.sticky, "/").body, home);
    }
    assert_eq!(lb.counted(Outcome::Pinned), 4);
}

#[test]
fn every_wasm_filter_is_reloaded_after_a_crash() {
    let shipped = Config::shipped().unwrap().to_json();
    let weighted = shipped_weighted().to_json();
    let ten_lines = yaml(TEN_LINES).to_string();
    for text in [shipped, weighted, ten_lines] {
        let wasm_filters = text.matches("extensions.filters.http.wasm.v3.Wasm").count();
        assert!(wasm_filters > 0);
        assert_eq!(text.matches("FAIL_RELOAD").count(), wasm_filters);
    }
}

#[test]
fn every_wasm_plugin_has_the_vm_id_of_the_filter() {
    let shown = [Config::shipped().unwrap(), shipped_weighted()].map(|config| config.value().clone());
    for whole in shown.into_iter().chain([yaml(TEN_LINES), yaml(WASM_SERVICE)]) {
        let text = whole.to_string();
        let plugins = text.matches("envoy.wasm.runtime.v8").count();
        assert!(plugins > 0);
        assert_eq!(text.matches("\"vm_id\":\"sticky_sessions\"").count(), plugins, "{text}");
    }
}

#[test]
fn the_routes_of_a_rule_keep_clients_in_their_group() {
    let lb = Weighted::start(|config| {
        let shown = yaml(WEIGHTED_ROUTES).as_array().unwrap().clone();
        *routes(config) = shown;
        weigh(config, 50, 50);
    });
    for group in ["blue", "green"] {
        let (mut client, home) = lb.client_of(group);
        for _ in 0..4 {
            assert_eq!(client.get(lb.sticky, "/").body, home);
        }
    }
}

#[test]
fn the_routes_with_metadata_choose_a_policy_and_turn_stickiness_off() {
    let (name, heading) = ROUTE_METADATA;
    let document = document(name);
    let lb = LoadBalancer::start(&Setup {
        plugin: Some(Plugin::Json(document.block(heading, "json"))),
        edit: &|config| {
            let manager = config.connection_manager("sticky").unwrap();
            let routes = manager["route_config"]["virtual_hosts"][0]["routes"].as_array_mut().unwrap();
            routes.splice(0..0, yaml(ROUTE_METADATA).as_array().unwrap().clone());
        },
        ..Setup::default()
    });
    let cart = fetch(lb.sticky, "/cart", &[]);
    assert!(cart.set_cookies()[0].ends_with("; Path=/cart"), "{cart:?}");
    assert!(cart.expires_in() <= 600);
    assert!(fetch(lb.sticky, "/assets", &[]).set_cookies().is_empty());
    assert!(fetch(lb.sticky, "/", &[]).set_cookies()[0].ends_with("; Path=/"));
}

#[test]
fn the_routes_to_subsets_keep_the_sessions_of_each_in_it() {
    let (name, heading) = SUBSETS;
    let document = document(name);
    let lb = LoadBalancer::start(&Setup {
        plugin: Some(Plugin::Json(document.block(heading, "json"))),
        targets: &scope::TARGETS,
        edit: &|config| {
            scope::make_subsets(config);
            let manager = config.connection_manager("sticky").unwrap();
            let routes = manager["route_config"]["virtual_hosts"][0]["routes"].as_array_mut().unwrap();
            routes.splice(0..0, yaml(SUBSETS).as_array().unwrap().clone());
        },
        ..Setup::default()
    });
    for (from, to, other) in [("/admin", "/", "public"), ("/", "/admin", "admin")] {
        let value = fetch(lb.sticky, from, &[]).cookie("AWSALB").unwrap().to_owned();
        let line = format!("cookie: AWSALB={value}");
        for _ in 0..4 {
            let target = fetch(lb.sticky, to, &[line.as_bytes()]).body;
            assert!(target.starts_with(other), "{from}: {target}");
        }
    }
}

/// An Envoy with one filter for each of these plugin configurations: one start for all of them.
fn with_each(plugins: &[String]) -> Config {
    let filter = |plugin: &String| {
        let setup = Setup { plugin: Some(Plugin::Json(plugin)), ..Setup::default() };
        sticky_config(&[], &setup).http_filter("sticky", "sticky_sessions").unwrap().clone()
    };
    let mut config = sticky_config(&[], &Setup::default());
    let filters = config.http_filters("sticky").unwrap();
    let place = filters.iter().position(|filter| filter["name"] == "sticky_sessions").unwrap();
    filters.splice(place..=place, plugins.iter().map(filter));
    config
}

#[test]
fn every_configuration_is_accepted() {
    // The documents show no key that works, because people paste what they see.
    let secret = |key: &'static str| key.split_once(':').unwrap().1;
    let keys = [("<openssl rand -base64 32>", secret(KEY)), ("<the old secret>", secret(OTHER_KEY))];
    let shown =
        documents().into_iter().filter(|document| document.name != TRANSLATION).flat_map(|document| document.blocks);
    let shown = shown.filter(|block| block.language == "json");
    let mut plugins: Vec<_> =
        shown.map(|block| keys.iter().fold(block.text, |text, (shown, key)| text.replace(shown, key))).collect();
    assert!(plugins.len() > 5);
    let answer = validate(envoy_binary(), &with_each(&plugins), &[]).unwrap();
    assert!(answer.accepted, "{}", answer.log);

    // Each of the filters is asked.
    plugins.push(json!({ "unknown": true }).to_string());
    assert!(!validate(envoy_binary(), &with_each(&plugins), &[]).unwrap().accepted);
}

/// Returns true if all that the part says is so in the whole. The part may leave out fields and items.
fn is_part(part: &Value, whole: &Value) -> bool {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            part.iter().all(|(key, value)| whole.get(key).is_some_and(|whole| is_part(value, whole)))
        }
        (Value::Array(part), Value::Array(whole)) => {
            part.iter().all(|item| whole.iter().any(|whole| is_part(item, whole)))
        }
        _ => part == whole,
    }
}

/// Returns true if the part is a part of the whole, or of something inside.
fn stands_in(part: &Value, whole: &Value) -> bool {
    let inside = match whole {
        Value::Object(fields) => fields.values().any(|value| stands_in(part, value)),
        Value::Array(items) => items.iter().any(|item| stands_in(part, item)),
        _ => false,
    };
    inside || is_part(part, whole)
}

#[test]
fn all_other_yaml_is_quoted_from_the_shipped_configuration() {
    let shipped = Config::shipped().unwrap();
    let tried = [TEN_LINES, WEIGHTED_ROUTES, ROUTE_METADATA, SUBSETS, OVERRIDE_HOST, CLUSTER_METADATA, WASM_SERVICE];
    let mut quoted = 0;
    for document in documents().iter().filter(|document| document.name != TRANSLATION) {
        for block in document.blocks_in("yaml") {
            if !tried.contains(&(document.name.as_str(), block.heading.as_str())) {
                assert!(stands_in(&parsed(&block.text), shipped.value()), "{}:\n{}", document.name, block.text);
                quoted += 1;
            }
        }
    }
    assert!(quoted > 5);
    assert!(!stands_in(&json!({ "healthy_panic_threshold": { "value": 50 } }), shipped.value()));
}
