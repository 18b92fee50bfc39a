//! The filter does not run: a route disables it, or it has crashed under `FAIL_OPEN`. `stateful_session` goes on then, and the
//! configurations that people copy keep clients from it.

use std::net::SocketAddr;

use data_encoding::BASE64;
use local_envoy::{Config, Plugin};
use serde_json::json;

use harness::{LoadBalancer, Response, Setup, Weighted, fetch, routes, setting, weigh};

use crate::crash::{CALLBACKS, Crashing, FATAL};
use crate::documents::ten_lines;
use crate::override_host::{PLUGIN, use_override_host};
use crate::steps::only_the_filter_guards;

/// Turns the filter off on every route, as Envoy Gateway does where a policy does not apply.
fn disable(config: &mut Config) {
    for route in routes(config) {
        route["typed_per_filter_config"] = json!({ "sticky_sessions": {
            "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig",
            "disabled": true
        } });
    }
}

/// Leaves the filter out for good once it has crashed.
fn fail_open(config: &mut Config) {
    let filter = config.http_filter("sticky", "sticky_sessions").unwrap();
    filter["typed_config"]["config"]["failure_policy"] = json!("FAIL_OPEN");
}

/// An Envoy that has nothing for stickiness but README's ten lines.
fn only_ten_lines(config: &mut Config) {
    only_the_filter_guards(config);
    let manager = config.connection_manager("sticky").unwrap();
    manager["route_config"].as_object_mut().unwrap().remove("request_headers_to_remove").unwrap();
    ten_lines(config);
}

/// Adds a route to a cluster whose only target refuses connections. Envoy answers itself, and knows an address.
fn add_dead(config: &mut Config) {
    let mut cluster = config.cluster("web").unwrap().clone();
    cluster["name"] = json!("dead");
    cluster.as_object_mut().unwrap().remove("health_checks").unwrap();
    config.at("/static_resources/clusters").unwrap().as_array_mut().unwrap().push(cluster);
    // The system gives port 1 to nobody who asks for a free port.
    config.endpoints("dead", &[SocketAddr::from(([127, 0, 0, 1], 1))]).unwrap();
    routes(config).insert(0, json!({ "match": { "prefix": "/dead" }, "route": { "cluster": "dead" } }));
}

/// The shipped configuration with the other mechanism.
fn shipped_with_override_host(config: &mut Config) {
    use_override_host(config);
    config.plugin(Plugin::Json(PLUGIN)).unwrap();
}

/// The lines with which a client tries to choose a target: one for `stateful_session`, and one for `override_host`.
fn choosing(target: SocketAddr) -> [Vec<u8>; 2] {
    let address = target.to_string();
    [BASE64.encode(address.as_bytes()), address].map(|value| format!("x-sticky-session-host: {value}").into_bytes())
}

/// The answer carries no header of the filter, in which an address could stand.
#[track_caller]
fn shows_nothing(answer: &Response) {
    assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("x-sticky")), "{answer:?}");
}

/// Every request is answered without the filter. No client chooses its target, and none reads an address.
#[track_caller]
fn is_closed(lb: &LoadBalancer) {
    for line in lb.targets.iter().flat_map(|target| choosing(target.address)) {
        let answers = [0; 2].map(|_| fetch(lb.sticky, "/", &[&line, b"x-sticky-session-group: web"]));
        assert_ne!(answers[0].body, answers[1].body, "a client chooses its target");
        for answer in answers {
            assert_eq!((answer.status, answer.set_cookies().len()), (200, 0), "the filter runs: {answer:?}");
            shows_nothing(&answer);
        }
    }
    let answer = fetch(lb.sticky, "/dead", &[]);
    assert_eq!(answer.status, 503);
    shows_nothing(&answer);
}

/// Crashes the filter. A request has too many headers, and then a response. Each is fatal for one of the callbacks.
#[track_caller]
fn crash(server: SocketAddr) {
    let names: Vec<String> = (0..FATAL).map(|number| format!("x{number}")).collect();
    let request: Vec<Vec<u8>> = names.iter().map(|name| format!("{name}: 1").into_bytes()).collect();
    shows_nothing(&fetch(server, "/", &request.iter().map(Vec::as_slice).collect::<Vec<_>>()));
    shows_nothing(&fetch(server, &setting(&names), &[]));
}

/// The configurations for the targets of `web`.
const FOR_WEB: [fn(&mut Config); 3] = [|_| (), only_ten_lines, shipped_with_override_host];

#[test]
fn where_a_route_disables_the_filter_nobody_chooses_or_reads_an_address() {
    for configuration in FOR_WEB {
        is_closed(&LoadBalancer::start(&Setup {
            edit: &|config| {
                configuration(config);
                add_dead(config);
                disable(config);
            },
            ..Setup::default()
        }));
    }
}

#[test]
fn after_a_crash_that_leaves_the_filter_out_nobody_chooses_or_reads_an_address() {
    for configuration in FOR_WEB {
        for callback in CALLBACKS {
            let crashing = Crashing::within(callback);
            let lb = LoadBalancer::start(&Setup {
                edit: &|config| {
                    configuration(config);
                    add_dead(config);
                    config.wasm_file(&crashing.file()).unwrap();
                    fail_open(config);
                },
                ..Setup::default()
            });
            assert_eq!(fetch(lb.sticky, "/", &[]).set_cookies().len(), 2);
            crash(lb.sticky);
            is_closed(&lb);
        }
    }
}

/// As [`is_closed`], where green has all the weight.
#[track_caller]
fn weighted_is_closed(lb: &mut Weighted) {
    for line in ["blue-1", "green-1"].map(|target| choosing(lb.target(target).address)).as_flattened() {
        let answers = [0; 2].map(|_| fetch(lb.sticky, "/", &[line, b"x-sticky-session-group: blue"]));
        let mut bodies = answers.each_ref().map(|answer| answer.body.as_str());
        bodies.sort_unstable();
        assert_eq!(bodies, ["green-1", "green-2"], "a client chooses its group or its target");
        for answer in &answers {
            assert!(answer.set_cookies().is_empty(), "the filter runs: {answer:?}");
            shows_nothing(answer);
        }
    }
}

#[test]
fn where_a_weighted_route_disables_the_filter_nobody_chooses_or_reads_an_address() {
    weighted_is_closed(&mut Weighted::start(|config| {
        weigh(config, 0, 100);
        disable(config);
    }));
}

#[test]
fn after_a_crash_that_leaves_the_filter_out_of_a_weighted_route_nobody_chooses_or_reads_an_address() {
    let crashing = Crashing::within(CALLBACKS[0]);
    let mut lb = Weighted::start(|config| {
        weigh(config, 0, 100);
        config.wasm_file(&crashing.file()).unwrap();
        fail_open(config);
    });
    crash(lb.sticky);
    weighted_is_closed(&mut lb);
}
