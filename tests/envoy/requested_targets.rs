//! Clusters in which the request itself names its target. A pin must not send it to another one.

use std::io::{Read, Write};
use std::net::TcpStream;

use local_envoy::{Config, Plugin};
use serde_json::{Value, json};

use harness::{Discovered, LoadBalancer, Setup, add_group, fetch, forge, wait_until};

use crate::documents;

const DNS_CACHE: &str = "requested targets";

/// A header for the address that is not Envoy's own.
const HEADER: &str = "x-destination";

const ENVOYS_HEADER: &str = "x-envoy-original-dst-host";

/// A type of cluster, and the header from which it takes the address.
type Kind = fn(&mut Config, name: &str, header: &str);

/// Makes a cluster of the type `ORIGINAL_DST` of this cluster.
fn original_dst(config: &mut Config, name: &str, header: &str) {
    let cluster = config.cluster(name).unwrap();
    cluster.as_object_mut().unwrap().remove("load_assignment");
    cluster["type"] = json!("ORIGINAL_DST");
    cluster["lb_policy"] = json!("CLUSTER_PROVIDED");
    cluster["original_dst_lb_config"] = json!({ "use_http_header": true, "http_header_name": header });
}

/// Makes a dynamic forward proxy of this cluster.
fn dynamic_forward_proxy(config: &mut Config, name: &str, header: &str) {
    proxy(config, name, header, &json!([]));
}

/// Makes a dynamic forward proxy of this cluster, which has hosts before any request.
fn dynamic_forward_proxy_with_hosts(config: &mut Config, name: &str, header: &str) {
    proxy(config, name, header, &json!([{ "address": "127.0.0.1", "port_value": 9 }]));
}

fn proxy(config: &mut Config, name: &str, header: &str, hosts: &Value) {
    let kind = |message: &str| format!("type.googleapis.com/envoy.extensions.{message}");
    let dns_cache = json!({ "name": DNS_CACHE, "dns_lookup_family": "V4_ONLY", "preresolve_hostnames": hosts });
    let cluster = config.cluster(name).unwrap();
    cluster.as_object_mut().unwrap().retain(|key, _| !["load_assignment", "type"].contains(&key.as_str()));
    cluster["lb_policy"] = json!("CLUSTER_PROVIDED");
    cluster["cluster_type"] = json!({
        "name": "envoy.clusters.dynamic_forward_proxy",
        "typed_config": {
            "@type": kind("clusters.dynamic_forward_proxy.v3.ClusterConfig"),
            "dns_cache_config": dns_cache
        }
    });
    let filters = config.http_filters("sticky").unwrap();
    let before_the_router = filters.len() - 1;
    filters.insert(
        before_the_router,
        json!({
            "name": "dynamic_forward_proxy",
            "typed_config": {
                "@type": kind("filters.http.dynamic_forward_proxy.v3.FilterConfig"),
                "dns_cache_config": dns_cache
            }
        }),
    );
    let manager = config.connection_manager("sticky").unwrap();
    manager["route_config"]["virtual_hosts"][0]["routes"][0]["typed_per_filter_config"] = json!({
        "dynamic_forward_proxy": {
            "@type": kind("filters.http.dynamic_forward_proxy.v3.PerRouteConfig"),
            "host_rewrite_header": header
        }
    });
}

/// The targets that answer requests for `a` and for `b`, each with a cookie that pins to `a`, and whether an answer had a cookie.
#[track_caller]
fn answers(kind: Kind, name: &str, header: &str, plugin: Value, metadata: &Value) -> (Vec<String>, bool) {
    let edit = |config: &mut Config| {
        add_group(config, name);
        kind(config, name, header);
        let cluster = config.cluster(name).unwrap().as_object_mut().unwrap();
        cluster.extend(metadata.as_object().unwrap().clone());
    };
    let setup = Setup { plugin: Some(Plugin::Struct(plugin)), edit: &edit, ..Setup::default() };
    let lb = LoadBalancer::start(&setup);
    let cookie = format!("cookie: AWSALB={}", forge(name, &lb.targets[0].name_in_envoy(), 0));
    let answers = lb.targets.iter().map(|target| {
        let destination = format!("{header}: {}", target.name_in_envoy());
        fetch(lb.sticky, &format!("/{name}/"), &[cookie.as_bytes(), destination.as_bytes()])
    });
    let answers: Vec<_> = answers.collect();
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    let gave_cookies = answers.iter().any(|answer| !answer.set_cookies().is_empty());
    (answers.into_iter().map(|answer| answer.body).collect(), gave_cookies)
}

/// Every cluster is sticky.
fn all() -> Value {
    json!({ "target_groups": { "*": {} } })
}

#[test]
fn a_request_for_another_host_reaches_it_where_the_cluster_is_known_to_name_targets() {
    let off = json!({ "target_groups": { "*": {}, "forward": { "stickiness": { "enabled": false } } } });
    let metadata = documents::cluster_without_stickiness();
    let kinds: [Kind; 2] = [original_dst, dynamic_forward_proxy];
    let settings =
        [("forward", off, json!({})), ("forward", all(), metadata), ("PassthroughCluster", all(), json!({}))];
    for kind in kinds {
        for (name, plugin, metadata) in &settings {
            let (bodies, gave_cookies) = answers(kind, name, HEADER, plugin.clone(), metadata);
            assert_eq!(
                (bodies, gave_cookies),
                (vec!["a".to_owned(), "b".to_owned()], false),
                "{name} {plugin} {metadata}"
            );
        }
    }
}

#[test]
fn a_request_with_envoys_own_header_for_its_target_reaches_it_without_any_setting() {
    let (bodies, gave_cookies) = answers(original_dst, "forward", ENVOYS_HEADER, all(), &json!({}));
    assert_eq!((bodies, gave_cookies), (vec!["a".to_owned(), "b".to_owned()], false));
}

#[test]
fn a_dynamic_forward_proxy_is_noticed_by_its_first_request() {
    let (bodies, gave_cookies) = answers(dynamic_forward_proxy, "forward", HEADER, all(), &json!({}));
    assert_eq!((bodies, gave_cookies), (vec!["a".to_owned(), "b".to_owned()], false));
}

/// The request waits in a filter after ours, which wants its whole body.
#[test]
fn a_cluster_that_is_filled_while_its_first_request_waits_stays_sticky() {
    let edit = |config: &mut Config| {
        let kind = "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer";
        let filters = config.http_filters("sticky").unwrap();
        let before_the_router = filters.len() - 1;
        let buffer = json!({ "name": "buffer", "typed_config": { "@type": kind, "max_request_bytes": 1000 } });
        filters.insert(before_the_router, buffer);
    };
    let filled = Discovered::start(&Setup { plugin: Some(Plugin::Struct(all())), edit: &edit, ..Setup::default() });
    let lb = &filled.lb;
    filled.set(&[]);
    lb.wait_for_healthy(0);
    let mut waiting = TcpStream::connect(lb.sticky).unwrap();
    let head = b"POST / HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: 1\r\n\r\n";
    waiting.write_all(head).unwrap();
    wait_until("the request to wait", || lb.envoy.admin().counter("http.sticky.downstream_rq_active").unwrap() == 1);
    filled.set(&[("a", "HEALTHY"), ("b", "HEALTHY")]);
    lb.wait_for_healthy(2);
    waiting.write_all(b"x").unwrap();
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("AWSALB="), "{answer}");
    assert_eq!(fetch(lb.sticky, "/", &[]).set_cookies().len(), 2);
    assert!(!lb.envoy.log().contains("makes hosts"), "{}", lb.envoy.log());
}

/// Envoy's `stateful_session` overrides the requested target in every cluster, and no filter is told the type of a cluster.
#[test]
fn where_nothing_tells_it_a_request_for_another_host_is_pinned() {
    let named = json!({ "target_groups": { "forward": {} } });
    let cases = [
        (original_dst as Kind, named.clone()),
        (dynamic_forward_proxy, named),
        (dynamic_forward_proxy_with_hosts, all()),
    ];
    for (kind, plugin) in cases {
        let (bodies, _) = answers(kind, "forward", HEADER, plugin, &json!({}));
        assert_eq!(bodies, ["a", "a"]);
    }
}
