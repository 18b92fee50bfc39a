//! What the README shows does what it says.

use local_envoy::{Config, Plugin, validate};
use serde_json::Value;

use stickiness::outcome::Outcome;

use harness::{
    Client, KEY, LoadBalancer, Setup, Weighted, envoy_binary, fetch, routes, shipped_weighted, sticky_config, wasm,
    weigh,
};

fn readme() -> String {
    std::fs::read_to_string(local_envoy::workspace_root().join("README.md")).unwrap()
}

/// The code blocks of this language, in their order.
fn blocks(language: &str) -> Vec<String> {
    let readme = readme();
    let opening = format!("```{language}\n");
    readme.split(&opening).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// A block of YAML as a value.
pub(crate) fn yaml(block: usize) -> Value {
    let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    std::fs::write(file.path(), &blocks("yaml")[block]).unwrap();
    Config::read(file.path()).unwrap().value().clone()
}

/// The block that shows how to load the filter.
const TEN_LINES: usize = 0;

/// The block that shows what a cluster needs for `override_host`.
pub(crate) const OVERRIDE_HOST: usize = 3;

/// The block that shows the routes of a rule.
const WEIGHTED_ROUTES: usize = 1;

/// The block that shows what routes say about stickiness, and the configuration that goes with it.
const ROUTE_METADATA: usize = 2;
const POLICIES: usize = 1;

#[test]
fn the_ten_lines_make_an_envoy_sticky() {
    assert_eq!(blocks("yaml")[TEN_LINES].lines().count(), 10);
    let lb = LoadBalancer::start(&Setup {
        edit: &|config| {
            let filters = config.http_filters("sticky").unwrap();
            let router = filters.pop().unwrap();
            *filters = yaml(TEN_LINES).as_array().unwrap().clone();
            filters.push(router);
            config.wasm_file(wasm()).unwrap();
        },
        ..Setup::default()
    });
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
    let policies = &blocks("json")[POLICIES];
    let lb = LoadBalancer::start(&Setup {
        plugin: Some(Plugin::Json(policies)),
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
fn every_configuration_is_accepted() {
    let configurations = blocks("json");
    assert_eq!(configurations.len(), 4);
    for json in configurations {
        // The README shows no key that works, because people paste what they see.
        let json = json.replace("<openssl rand -base64 32>", KEY.split_once(':').unwrap().1);
        let setup = Setup { plugin: Some(Plugin::Json(&json)), ..Setup::default() };
        let answer = validate(envoy_binary(), &sticky_config(&[], &setup), &[]).unwrap();
        assert!(answer.accepted, "{json}\n{}", answer.log);
    }
}
