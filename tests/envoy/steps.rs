//! Requests, configurations and checks that several modules of tests share.

use local_envoy::{Config, Envoy};
use serde_json::{Value, json};

use stickiness::outcome::Outcome;

use harness::{Client, LoadBalancer, Response, fetch, setting, wait_until};

/// The path at which a target sets `JSESSIONID`.
pub(crate) fn login() -> String {
    setting(&["JSESSIONID=1; Path=/"])
}

/// The path at which a target deletes `JSESSIONID`.
pub(crate) fn logout() -> String {
    setting(&["JSESSIONID=; Path=/; Max-Age=0"])
}

/// The `Cookie` line with these cookies.
pub(crate) fn cookie_line(cookies: &str) -> Vec<u8> {
    format!("cookie: {cookies}").into_bytes()
}

/// Adds a route to `web` for paths with this prefix, with this metadata for the filter.
pub(crate) fn add_route<'a>(config: &'a mut Config, prefix: &str, metadata: &Value) -> &'a mut Value {
    let manager = config.connection_manager("sticky").unwrap();
    let routes = manager["route_config"]["virtual_hosts"][0]["routes"].as_array_mut().unwrap();
    let mut route = routes.last().unwrap().clone();
    route["match"] = json!({ "prefix": prefix });
    route["metadata"] = json!({ "filter_metadata": { "sticky_sessions": metadata } });
    routes.insert(0, route);
    &mut routes[0]
}

/// Leaves it to the filter to keep clients from its headers: Envoy removes none from requests before it, and none from responses.
pub(crate) fn only_the_filter_guards(config: &mut Config) {
    let manager = config.connection_manager("sticky").unwrap().as_object_mut().unwrap();
    manager.remove("early_header_mutation_extensions").unwrap();
    let filters = config.http_filters("sticky").unwrap();
    let before = filters.len();
    filters.retain(|filter| filter["name"] != "envoy.filters.http.header_mutation");
    assert_eq!(filters.len(), before - 1);
}

/// Sends a request twice. It does not pin, so both targets answer.
#[track_caller]
pub(crate) fn unpinned(lb: &LoadBalancer, lines: &[&str]) -> [Response; 2] {
    let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
    let answers = [0; 2].map(|_| fetch(lb.sticky, "/", &lines));
    assert_eq!(answers.each_ref().map(|answer| answer.status), [200; 2], "{lines:?}");
    assert_ne!(answers[0].body, answers[1].body, "{lines:?}");
    answers
}

/// Uses a session for longer than the duration of its first cookie, and returns a client that still has the first cookie.
#[track_caller]
pub(crate) fn outlive_the_first_cookie(lb: &LoadBalancer, client: &mut Client, home: &str) -> Client {
    let first = client.clone();
    wait_until("the first cookie to expire", || {
        assert_eq!(client.get(lb.sticky, "/").body, home);
        first.clone().get(lb.sticky, "/");
        lb.counted(Outcome::Expired) > 0
    });
    assert_eq!(client.get(lb.sticky, "/").body, home);
    first
}

/// The other one of the targets `a` and `b`.
pub(crate) fn other_than(home: &str) -> &'static str {
    if home == "a" { "b" } else { "a" }
}

/// A plugin configuration with these keys, each written `id:secret`.
pub(crate) fn ring(keys: &[&str]) -> Value {
    let keys = keys.iter().map(|key| key.split_once(':').unwrap());
    json!({ "keys": keys.map(|(id, secret)| json!({ "id": id, "secret": secret })).collect::<Vec<_>>() })
}

/// Returns `true` if a VM of the filter has crashed.
pub(crate) fn has_crashed(envoy: &Envoy) -> bool {
    let reloads = envoy.admin().get("/stats?filter=vm_reload").unwrap();
    let log = envoy.log();
    log.contains("panicked")
        || log.contains("Proxy-Wasm plugin in-VM")
        || !reloads.lines().all(|line| line.ends_with(": 0"))
}

/// No VM of the filter has crashed.
#[track_caller]
pub(crate) fn has_not_crashed(envoy: &Envoy) {
    assert!(!has_crashed(envoy), "{}", envoy.log());
}
