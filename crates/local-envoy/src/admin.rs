//! Reads the admin interface of a running Envoy.

use std::net::SocketAddr;

use serde_json::Value;

use crate::{Error, Result, http};

/// The admin interface of one Envoy.
#[derive(Clone, Copy, Debug)]
pub struct Admin {
    address: SocketAddr,
}

impl Admin {
    /// The admin interface at this address.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self { address }
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The body of the answer to `GET path`, such as `/config_dump`.
    ///
    /// # Errors
    ///
    /// When the status is not 200, and those of [`http::get`].
    pub fn get(&self, path: &str) -> Result<String> {
        self.body("GET", path, http::get(self.address, path)?)
    }

    /// The body of the answer to `POST path`, such as `/healthcheck/fail`.
    ///
    /// # Errors
    ///
    /// When the status is not 200, and those of [`http::post`].
    pub fn post(&self, path: &str) -> Result<String> {
        self.body("POST", path, http::post(self.address, path)?)
    }

    /// The answer to `GET path` as JSON. The path must ask for JSON, such as `/clusters?format=json`.
    ///
    /// # Errors
    ///
    /// When the answer is not JSON, and those of [`Admin::get`].
    pub fn json(&self, path: &str) -> Result<Value> {
        let body = self.get(path)?;
        serde_json::from_str(&body)
            .map_err(|error| Error::new(format!("GET {path} of Envoy's admin is not JSON: {error}")))
    }

    /// A counter or gauge by its full name in `/stats`. It is 0 when it is not listed: Envoy creates many at their first use.
    ///
    /// # Errors
    ///
    /// Those of [`Admin::get`].
    pub fn counter(&self, name: &str) -> Result<u64> {
        Ok(value_in(&self.get("/stats")?, name).unwrap_or(0))
    }

    /// All statistics in the text format of Prometheus, with the tags of the configuration as labels.
    ///
    /// # Errors
    ///
    /// Those of [`Admin::get`].
    pub fn prometheus(&self) -> Result<String> {
        self.get("/stats/prometheus")
    }

    /// The number of healthy hosts of a cluster.
    ///
    /// # Errors
    ///
    /// When there is no such cluster, and those of [`Admin::json`].
    pub fn healthy_hosts(&self, cluster: &str) -> Result<usize> {
        let clusters = self.json("/clusters?format=json")?;
        healthy_hosts_in(&clusters, cluster).ok_or_else(|| Error::new(format!("Envoy has no cluster {cluster:?}")))
    }

    /// The sorted IP addresses of the hosts of a cluster that get requests. Envoy also keeps a host that discovery has removed while
    /// the host passes its health checks.
    ///
    /// # Errors
    ///
    /// When there is no such cluster, and those of [`Admin::json`].
    pub fn serving_hosts(&self, cluster: &str) -> Result<Vec<String>> {
        let clusters = self.json("/clusters?format=json")?;
        serving_hosts_in(&clusters, cluster).ok_or_else(|| Error::new(format!("Envoy has no cluster {cluster:?}")))
    }

    /// The address of a listener for clients on this machine. For a listener on every address it is 127.0.0.1.
    ///
    /// # Errors
    ///
    /// When no listener of this name is active, and those of [`Admin::json`].
    pub fn listener(&self, name: &str) -> Result<SocketAddr> {
        let listeners = self.json("/listeners?format=json")?;
        listener_in(&listeners, name)
            .ok_or_else(|| Error::new(format!("Envoy has no listener {name:?} with an IP address: {listeners}")))
    }

    /// True if the server is live and its workers accept connections.
    pub(crate) fn is_ready(&self) -> bool {
        let live = http::get(self.address, "/ready").is_ok_and(|answer| answer.status == 200);
        live && self.counter("listener_manager.workers_started") == Ok(1)
    }

    fn body(&self, method: &str, path: &str, answer: http::Answer) -> Result<String> {
        if answer.status == 200 {
            return Ok(answer.body);
        }
        let http::Answer { status, body } = answer;
        Err(Error::new(format!("{method} http://{}{path}: status {status}: {body}", self.address)))
    }
}

fn value_in(stats: &str, name: &str) -> Option<u64> {
    stats.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")?.parse().ok())
}

fn healthy_hosts_in(clusters: &Value, name: &str) -> Option<usize> {
    let is_healthy = |host: &&Value| {
        // Besides eds_health_status, an entry exists only while the host is unhealthy or a change is pending.
        let status = host["health_status"].as_object();
        let flagged = status.is_some_and(|status| status.values().any(|value| value == true));
        !flagged && host["health_status"]["eds_health_status"] == "HEALTHY"
    };
    Some(hosts_in(clusters, name)?.filter(is_healthy).count())
}

fn serving_hosts_in(clusters: &Value, name: &str) -> Option<Vec<String>> {
    let serves = |host: &&Value| {
        let status = &host["health_status"];
        status["eds_health_status"] == "HEALTHY" && status["failed_active_health_check"] != true
    };
    let addresses = hosts_in(clusters, name)?.filter(serves).map(|host| &host["address"]["socket_address"]["address"]);
    let mut addresses: Vec<String> = addresses.filter_map(|address| address.as_str().map(str::to_owned)).collect();
    addresses.sort();
    Some(addresses)
}

fn hosts_in<'a>(clusters: &'a Value, name: &str) -> Option<impl Iterator<Item = &'a Value> + use<'a>> {
    let cluster = clusters["cluster_statuses"].as_array()?.iter().find(|cluster| cluster["name"] == name)?;
    Some(cluster["host_statuses"].as_array().into_iter().flatten())
}

fn listener_in(listeners: &Value, name: &str) -> Option<SocketAddr> {
    let listener = listeners["listener_statuses"].as_array()?.iter().find(|listener| listener["name"] == name)?;
    let address = &listener["local_address"]["socket_address"];
    let mut at =
        SocketAddr::new(address["address"].as_str()?.parse().ok()?, address["port_value"].as_u64()?.try_into().ok()?);
    if at.ip().is_unspecified() {
        at.set_ip([127, 0, 0, 1].into());
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_counter_is_found_by_its_whole_name() {
        let stats = "a.pinned_twice: 7\na.pinned: 3\nb.time: P50(nan)\n";
        assert_eq!(value_in(stats, "a.pinned"), Some(3));
        assert_eq!(value_in(stats, "pinned"), None);
    }

    #[test]
    fn a_host_that_fails_or_awaits_its_first_check_is_not_healthy() {
        let hosts = json!([
            { "health_status": { "eds_health_status": "HEALTHY" } },
            { "health_status": { "eds_health_status": "HEALTHY", "failed_active_health_check": true } },
            { "health_status": { "eds_health_status": "DRAINING" } },
        ]);
        let clusters = json!({ "cluster_statuses": [{ "name": "web", "host_statuses": hosts }, { "name": "empty" }] });
        assert_eq!(healthy_hosts_in(&clusters, "web"), Some(1));
        assert_eq!(healthy_hosts_in(&clusters, "empty"), Some(0));
        assert_eq!(healthy_hosts_in(&clusters, "other"), None);
    }

    #[test]
    fn a_host_that_discovery_has_taken_away_serves_while_it_answers_its_checks() {
        let host = |ip: &str, status: Value| json!({ "address": { "socket_address": { "address": ip } }, "health_status": status });
        let hosts = json!([
            host("10.0.0.2", json!({ "eds_health_status": "HEALTHY", "pending_dynamic_removal": true })),
            host("10.0.0.1", json!({ "eds_health_status": "HEALTHY" })),
            host("10.0.0.3", json!({ "eds_health_status": "HEALTHY", "failed_active_health_check": true })),
        ]);
        let clusters = json!({ "cluster_statuses": [{ "name": "web", "host_statuses": hosts }] });
        assert_eq!(serving_hosts_in(&clusters, "web"), Some(vec!["10.0.0.1".to_owned(), "10.0.0.2".to_owned()]));
        assert_eq!(serving_hosts_in(&clusters, "other"), None);
    }

    #[test]
    fn a_listener_on_every_address_is_reached_on_the_loopback() {
        let at = json!({ "socket_address": { "address": "0.0.0.0", "port_value": 10000 } });
        let listeners = json!({ "listener_statuses": [{ "name": "sticky", "local_address": at }] });
        assert_eq!(listener_in(&listeners, "sticky"), Some(([127, 0, 0, 1], 10000).into()));
        assert_eq!(listener_in(&listeners, "plain"), None);
    }
}
