//! Filters before this one that change the request and clear the route cache, as `ext_authz`, `jwt_authn` and Lua can. The session has
//! to be that of the cluster that answers.

use std::net::SocketAddr;

use local_envoy::{Config, Plugin};
use serde_json::{Value, json};

use stickiness::outcome::Outcome;

use harness::{Client, LoadBalancer, Setup, Target, add_group, counted, setting, wait_until};

use crate::steps::has_not_crashed;

/// The header on which the route to the cluster `beta` matches. Clients do not send it.
const TIER: &str = "x-tier";

/// A filter that sets the header for clients that send `x-user: beta`, and clears the route cache.
fn lua() -> Value {
    let code = format!(
        "function envoy_on_request(h) if h:headers():get('x-user') == 'beta' then h:headers():replace('{TIER}', 'beta'); \
         h:clearRouteCache() end end"
    );
    json!({
        "name": "lua",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
            "default_source_code": { "inline_string": code }
        }
    })
}

/// A filter that asks the target at this address, and sets the header `set-cookie` of its answer in the request.
fn ext_authz(authority: SocketAddr) -> Value {
    json!({
        "name": "ext_authz",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
            "clear_route_cache": true,
            "http_service": {
                "server_uri": { "uri": format!("http://{authority}"), "cluster": "authority", "timeout": "5s" },
                // The path of the request follows.
                "path_prefix": setting(&["beta; Path="]),
                "authorization_response": { "allowed_upstream_headers": { "patterns": [{ "exact": "set-cookie" }] } }
            }
        }
    })
}

/// The filter `cors`, without a policy.
fn cors() -> Value {
    json!({
        "name": "cors",
        "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors" }
    })
}

/// Removes the filter that asks for the route.
fn without_header_mutation(config: &mut Config) {
    config.http_filters("sticky").unwrap().retain(|filter| filter["name"] != "envoy.filters.http.header_mutation");
}

/// Adds the cluster `beta`, a route to it for requests with the header, and these filters before those that are shipped.
fn change_routes(config: &mut Config, before: &[Value]) {
    add_group(config, "beta");
    let manager = config.connection_manager("sticky").unwrap();
    let routes = manager["route_config"]["virtual_hosts"][0]["routes"].as_array_mut().unwrap();
    routes[0]["match"] = json!({ "prefix": "/", "headers": [{ "name": TIER, "string_match": { "exact": "beta" } }] });
    let filters = config.http_filters("sticky").unwrap();
    filters.splice(0..0, before.iter().cloned());
}

/// The filter behind Lua, and nothing that asks for the route but these filters.
#[track_caller]
fn with_only(asking: &[Value], plugin: Value) -> LoadBalancer {
    let before: Vec<Value> = std::iter::once(lua()).chain(asking.iter().cloned()).collect();
    let edit = |config: &mut Config| {
        change_routes(config, &before);
        without_header_mutation(config);
    };
    LoadBalancer::start(&Setup { plugin: Some(Plugin::Struct(plugin)), edit: &edit, ..Setup::default() })
}

/// A client whose requests the filter routes to `beta`.
fn beta_user() -> Client {
    Client { lines: vec!["x-user: beta".to_owned()], ..Client::default() }
}

/// The targets that answer so many requests of the client.
fn answers(client: &mut Client, lb: &LoadBalancer, requests: usize) -> Vec<String> {
    (0..requests).map(|_| client.get(lb.sticky, "/").body).collect()
}

/// The number of requests that a target group has counted.
fn all_counted(lb: &LoadBalancer, target_group: &str) -> u64 {
    Outcome::ALL.iter().map(|outcome| counted(&lb.envoy, target_group, outcome.word())).sum()
}

/// Configurations in which the policy of `beta` is another one than that of `web`.
fn plugins() -> [Value; 3] {
    [
        json!({ "target_groups": { "beta": {} } }),
        json!({ "target_groups": { "web": { "stickiness": { "enabled": false } }, "*": {} } }),
        json!({ "target_groups": { "web": { "cookie": { "name": "WEB" } }, "*": {} } }),
    ]
}

/// The session of a client of `beta` is that of `beta`.
#[track_caller]
fn is_sticky_in_beta(lb: &LoadBalancer, when: &str) {
    let mut client = beta_user();
    let homes = answers(&mut client, lb, 6);
    assert!(homes.iter().all(|home| *home == homes[0]), "{when}: {homes:?}");
    assert!(client.jar.contains_key("AWSALB"), "{when}");
    assert_eq!((counted(&lb.envoy, "beta", Outcome::Pinned.word()), all_counted(lb, "web")), (5, 0), "{when}");
    assert!(!lb.envoy.log().contains("another filter changes routes"), "{when}: {}", lb.envoy.log());
}

#[test]
fn the_session_is_that_of_the_cluster_that_answers() {
    for plugin in plugins() {
        let edit = |config: &mut Config| change_routes(config, &[lua()]);
        let setup = Setup { plugin: Some(Plugin::Struct(plugin.clone())), edit: &edit, ..Setup::default() };
        is_sticky_in_beta(&LoadBalancer::start(&setup), &plugin.to_string());
    }
}

#[test]
fn another_filter_that_asks_for_the_route_does_the_same() {
    let plugin = json!({ "target_groups": { "beta": {} } });
    is_sticky_in_beta(&with_only(&[cors()], plugin), "cors");
}

#[test]
fn the_session_is_that_of_the_cluster_that_answers_behind_ext_authz() {
    let authority = Target::start("authority");
    let edit = |config: &mut Config| {
        change_routes(config, &[ext_authz(authority.address)]);
        let manager = config.connection_manager("sticky").unwrap();
        manager["route_config"]["virtual_hosts"][0]["routes"][0]["match"]["headers"] =
            json!([{ "name": "set-cookie", "string_match": { "exact": "beta; Path=/" } }]);
        let mut cluster = config.cluster("beta").unwrap().clone();
        cluster["name"] = json!("authority");
        config.at("/static_resources/clusters").unwrap().as_array_mut().unwrap().push(cluster);
        config.endpoints("authority", &[authority.address]).unwrap();
    };
    let plugin = Plugin::Struct(json!({ "target_groups": { "beta": {} } }));
    let lb = LoadBalancer::start(&Setup { plugin: Some(plugin), edit: &edit, ..Setup::default() });
    is_sticky_in_beta(&lb, "ext_authz");
}

#[test]
fn where_no_filter_asks_for_the_changed_route_the_session_is_not_counted_for_another_cluster_and_one_warning_says_so() {
    let lb = with_only(&[], json!({}));
    let mut client = beta_user();
    answers(&mut client, &lb, 6);
    assert!(!client.jar.contains_key("AWSALB"), "{:?}", client.jar);
    assert_eq!((all_counted(&lb, "web"), all_counted(&lb, "beta")), (0, 0));
    let warning = "Envoy showed a route to the cluster \"web\", and another route, to \"beta\", answered: another filter changes routes";
    assert_eq!(lb.envoy.log().matches(warning).count(), 1, "{}", lb.envoy.log());
    // The others are sticky as before.
    let mut client = Client::default();
    let homes = answers(&mut client, &lb, 4);
    assert!(homes.iter().all(|home| *home == homes[0]), "{homes:?}");
    assert_eq!(lb.counted(Outcome::Pinned), 3);
    has_not_crashed(&lb.envoy);
}

#[test]
fn a_sticky_cluster_that_is_shown_as_another_one_is_warned_of() {
    let lb = with_only(&[], json!({ "target_groups": { "beta": {} } }));
    let mut client = beta_user();
    wait_until("the warning", || {
        answers(&mut client, &lb, 16);
        lb.envoy.log().contains("to \"beta\", answered: another filter changes routes")
    });
}

#[test]
fn a_filter_after_this_one_that_changes_the_route_is_warned_of() {
    let edit = |config: &mut Config| {
        change_routes(config, &[]);
        let filters = config.http_filters("sticky").unwrap();
        let place = filters.iter().position(|filter| filter["name"] == "sticky_sessions").unwrap();
        filters.insert(place + 1, lua());
    };
    let lb = LoadBalancer::start(&Setup { edit: &edit, ..Setup::default() });
    let mut client = beta_user();
    answers(&mut client, &lb, 6);
    assert_eq!(all_counted(&lb, "web"), 0);
    assert!(lb.envoy.log().contains("another filter changes routes"), "{}", lb.envoy.log());
}
