//! The listener, routes and clusters that Envoy needs with our filter and with its own.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use harness::{KEY, envoy_binary};
use local_envoy::{Config, Envoy, Settings, child};
use serde_json::{Value, json};

use super::{Fixture, Refusal, Running};
use crate::pools::{Balance, Feature, Member, Pool, State};

pub(super) const STATEFUL_SESSION: &str = "envoy.filters.http.stateful_session";
const TYPE: &str = "type.googleapis.com/envoy.extensions";

/// Asks the binary.
pub(super) fn version() -> Option<String> {
    let output = child::output(Command::new(envoy_binary()).arg("--version"), Duration::from_secs(20)).ok()?;
    // `<path of the binary>  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`
    Some(format!("Envoy {}", output.stdout.split_once("version: ")?.1.split('/').nth(1)?))
}

struct Started {
    envoy: Envoy,
    address: SocketAddr,
}

impl Running for Started {
    fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Starts an Envoy with the shipped configuration, but with other routes and clusters, and with the filters that `filters`
/// edits.
pub(super) fn start(
    filters: impl FnOnce(&mut Vec<Value>),
    routes: &[Value],
    clusters: &[Value],
) -> Result<Box<dyn Running>, Refusal> {
    let broken = |error: local_envoy::Error| Refusal::Broken(error.to_string());
    let mut config = Config::shipped().map_err(broken)?;
    config.remove_listener("plain").map_err(broken)?;
    config.free_ports().map_err(broken)?;
    config.wasm_file(harness::wasm()).map_err(broken)?;
    filters(config.http_filters("sticky").map_err(broken)?);
    let manager = config.connection_manager("sticky").map_err(broken)?;
    manager["route_config"]["virtual_hosts"][0]["routes"] = json!(routes);
    *config.at("/static_resources/clusters").map_err(broken)? = json!(clusters);
    let environment = vec![("STICKY_SESSIONS_KEYS".to_owned(), KEY.to_owned())];
    let settings = Settings { environment, ..Settings::default() };
    let envoy = Envoy::start(envoy_binary(), &config, settings).map_err(broken)?;
    let address = envoy.address("sticky").map_err(broken)?;
    Ok(Box::new(Started { envoy, address }))
}

impl Drop for Started {
    fn drop(&mut self) {
        // Without this, a crash of the filter would look like a scenario that fails.
        assert!(std::thread::panicking() || !self.envoy.log().contains("Function: proxy_on_"), "{}", self.envoy.log());
    }
}

/// The `match` of a pool's route.
pub(super) fn matching(name: &str) -> Value {
    if name == "web" { json!({ "prefix": "/" }) } else { json!({ "prefix": format!("/{name}/") }) }
}

/// The action of a pool's route, which leads to this cluster.
pub(super) fn action(pool: &Pool, cluster: &str) -> Value {
    let mut action = if pool.wants(&Feature::ChosenByHeader) {
        json!({ "cluster_header": "x-pool" })
    } else {
        json!({ "cluster": cluster })
    };
    if pool.wants(&Feature::Balance(Balance::Address)) {
        action["hash_policy"] = json!([{ "connection_properties": { "source_ip": true } }]);
    }
    let statuses: Vec<u16> = pool
        .features
        .iter()
        .filter_map(|feature| if let Feature::RetryOn(status) = feature { Some(*status) } else { None })
        .collect();
    if !statuses.is_empty() {
        action["retry_policy"] = json!({
            "retry_on": "connect-failure,refused-stream,reset-before-request,retriable-status-codes",
            "retriable_status_codes": statuses,
            "num_retries": pool.backends.len() - 1,
            "retry_host_predicate": [{
                "name": "envoy.retry_host_predicates.previous_hosts",
                "typed_config": { "@type": format!("{TYPE}.retry.host.previous_hosts.v3.PreviousHostsPredicate") }
            }],
            // A random balancer sometimes picks the backend that failed five times in a row.
            "host_selection_retry_max_attempts": 100
        });
    }
    action
}

/// A cluster of these backends.
pub(super) fn cluster(fixture: &Fixture<'_>, name: &str, pool: &Pool, members: &[(&str, &Member)]) -> Value {
    let names = pool.wants(&Feature::Names);
    let localities: Vec<Value> = localities(pool, members)
        .into_iter()
        .enumerate()
        .map(|(index, (share, members))| {
            let endpoints: Vec<Value> =
                members.iter().map(|(backend, member)| endpoint(fixture, backend, member, names)).collect();
            let mut locality = json!({ "locality": { "zone": format!("zone-{index}") }, "lb_endpoints": endpoints });
            if let Some(share) = share.filter(|share| *share > 0) {
                locality["load_balancing_weight"] = json!(share);
            }
            locality
        })
        .collect();
    let weighted = localities.len() > 1;
    let mut cluster = json!({
        "name": name,
        "type": if names { "STRICT_DNS" } else { "STATIC" },
        "connect_timeout": "1s",
        "lb_policy": "ROUND_ROBIN",
        "common_lb_config": { "healthy_panic_threshold": { "value": 0 }, "update_merge_window": "0s" },
        "load_assignment": { "cluster_name": name, "endpoints": localities }
    });
    if weighted {
        cluster["common_lb_config"]["locality_weighted_lb_config"] = json!({});
    }
    if names {
        let (address, port) = (fixture.name_server.ip().to_string(), fixture.name_server.port());
        cluster["dns_refresh_rate"] = json!("1s");
        cluster["dns_lookup_family"] = json!("V4_ONLY");
        cluster["typed_dns_resolver_config"] = json!({
            "name": "envoy.network.dns_resolver.cares",
            "typed_config": {
                "@type": format!("{TYPE}.network.dns_resolver.cares.v3.CaresDnsResolverConfig"),
                "resolvers": [{ "socket_address": { "address": address, "port_value": port } }],
                "dns_resolver_options": { "no_default_search_domain": true }
            }
        });
    }
    for feature in &pool.features {
        match feature {
            Feature::Balance(Balance::LeastConnections) => cluster["lb_policy"] = json!("LEAST_REQUEST"),
            Feature::Balance(Balance::Address) => cluster["lb_policy"] = json!("RING_HASH"),
            Feature::Tls => {
                cluster["transport_socket"] = json!({
                    "name": "envoy.transport_sockets.tls",
                    "typed_config": { "@type": format!("{TYPE}.transport_sockets.tls.v3.UpstreamTlsContext") }
                });
            }
            Feature::Grpc => {
                cluster["typed_extension_protocol_options"] = json!({
                    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                        "@type": format!("{TYPE}.upstreams.http.v3.HttpProtocolOptions"),
                        "explicit_http_config": { "http2_protocol_options": {} }
                    }
                });
            }
            _ => (),
        }
    }
    cluster
}

type Locality<'a> = (Option<u32>, Vec<(&'a str, &'a Member)>);

/// One locality for each group, with its weight.
fn localities<'a>(pool: &Pool, members: &[(&'a str, &'a Member)]) -> Vec<Locality<'a>> {
    if pool.groups.is_empty() || members.iter().all(|(_, member)| member.group == members[0].1.group) {
        return vec![(None, members.to_vec())];
    }
    let of =
        |group: &String| members.iter().filter(|(_, member)| member.group.as_ref() == Some(group)).copied().collect();
    pool.groups.iter().map(|(group, share)| (Some(*share), of(group))).collect()
}

fn endpoint(fixture: &Fixture<'_>, backend: &str, member: &Member, names: bool) -> Value {
    let address = fixture.backends.address(backend);
    let host = if names { format!("{backend}.test") } else { address.ip().to_string() };
    let mut endpoint = json!({
        "endpoint": { "address": { "socket_address": { "address": host, "port_value": address.port() } } },
        "health_status": match member.state {
            State::Up => "HEALTHY",
            State::Down => "UNHEALTHY",
            State::Draining => "DRAINING",
        }
    });
    if let Some(weight) = member.weight {
        endpoint["load_balancing_weight"] = json!(weight);
    }
    endpoint
}
