//! What do all proxies stand before?

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::Result;
use local_envoy::{Config, Envoy, Settings};
use serde_json::{Value, json};

/// What answers two bytes.
pub(crate) const SMALL: &str = "/";

/// What answers 16 KB.
pub(crate) const LARGE: &str = "/large";

/// What sets a cookie of an application and answers two bytes.
pub(crate) const APPLICATION: &str = "/application";

/// Added to a path: the answer says in the header [`TARGET`] which target it is from.
pub(crate) const WHO: &str = "who";

/// The address of the target that answered.
pub(crate) const TARGET: &str = "x-target";

/// How many bytes there are behind [`LARGE`].
pub(crate) const LARGE_LENGTH: usize = 16 * 1024;

/// One process with one thread that answers at once, and is every target: each has an address of the loopback of its own.
pub(crate) struct Backend {
    port: u16,
    _envoy: Envoy,
}

impl Backend {
    pub(crate) fn start(binary: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("backend.json");
        std::fs::write(&file, config().to_string())?;
        let envoy = Envoy::start(binary, &Config::read(&file)?, Settings::default())?;
        Ok(Self { port: envoy.address("backend")?.port(), _envoy: envoy })
    }

    /// The target with this number, up to some millions.
    pub(crate) fn target(&self, number: u32) -> SocketAddr {
        // 127.1.0.1 and up: all of 127/8 is the loopback (RFC 1122, section 3.2.1.3).
        let address = Ipv4Addr::from(Ipv4Addr::new(127, 1, 0, 1).to_bits() + number);
        SocketAddr::new(address.into(), self.port)
    }

    /// The first so many targets.
    pub(crate) fn targets(&self, count: u32) -> Vec<SocketAddr> {
        (0..count).map(|number| self.target(number)).collect()
    }

    /// An address at which there is nothing, and which no proxy knows.
    pub(crate) fn gone(&self) -> SocketAddr {
        SocketAddr::new(Ipv4Addr::new(127, 255, 0, 1).into(), self.port)
    }
}

fn config() -> Value {
    let who = json!([{ "header": { "key": TARGET, "value": "%DOWNSTREAM_LOCAL_ADDRESS%" } }]);
    let set_cookie = json!([{ "header": { "key": "set-cookie", "value": "session=1; Path=/" } }]);
    let large = "x".repeat(LARGE_LENGTH);
    let answers = [(SMALL, "ok", None), (LARGE, large.as_str(), None), (APPLICATION, "ok", Some(&set_cookie))];
    let routes: Vec<Value> = answers
        .into_iter()
        .flat_map(|(path, body, headers)| {
            let answer = |path: String, headers: Vec<Value>| {
                json!({
                    "match": { "path": path },
                    "direct_response": { "status": 200, "body": { "inline_string": body } },
                    "response_headers_to_add": headers
                })
            };
            let of = |headers: &Value| headers.as_array().cloned().unwrap_or_default();
            let own = headers.map(of).unwrap_or_default();
            [answer(path.to_owned(), own.clone()), answer(format!("{path}{WHO}"), [own, of(&who)].concat())]
        })
        .collect();
    json!({
        "admin": { "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } } },
        "static_resources": { "listeners": [{
            "name": "backend",
            "address": { "socket_address": { "address": "0.0.0.0", "port_value": 0 } },
            "filter_chains": [{ "filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                    "stat_prefix": "backend",
                    "http_filters": [{
                        "name": "envoy.filters.http.router",
                        "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" }
                    }],
                    "route_config": {
                        "max_direct_response_body_size_bytes": LARGE_LENGTH,
                        "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": routes }]
                    }
                }
            }] }]
        }] }
    })
}
