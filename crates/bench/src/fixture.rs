//! The fixture of every measurement: the Envoy binary, the modules under test, and the backend behind all proxies.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use local_envoy::{Config, Envoy, Settings};
use serde_json::{Value, json};
use tempfile::TempDir;
use wasm_host::{Module, Vm};

use crate::hand_written;

/// The variable with the path of the filter. `cargo xtask bench` sets it.
const WASM: &str = "STICKY_SESSIONS_WASM";

/// The variable with the path of the module of `crates/sdk-calls`. `cargo xtask bench` sets it.
const SDK_CALLS: &str = "SDK_CALLS_WASM";

/// The path of an answer of two bytes.
pub(crate) const SMALL: &str = "/";

/// The path of an answer of [`LARGE_LENGTH`] bytes.
pub(crate) const LARGE: &str = "/large";

/// The path of an answer of two bytes that sets a cookie of the application.
pub(crate) const APPLICATION: &str = "/application";

/// A suffix of each path. The answer then names its target in the header [`TARGET`].
pub(crate) const WHO: &str = "who";

/// The header with the address of the target that answered.
pub(crate) const TARGET: &str = "x-target";

/// The bytes of an answer to [`LARGE`].
pub(crate) const LARGE_LENGTH: usize = 16 * 1024;

/// The programs, files and backend that all measurements share.
pub(crate) struct Fixture {
    pub(crate) envoy: PathBuf,
    /// The filter as it ships.
    pub(crate) filter: PathBuf,
    pub(crate) noop: PathBuf,
    pub(crate) pruned_noop: PathBuf,
    /// Makes the host calls of a pinned request through the Rust SDK.
    pub(crate) sdk_calls: PathBuf,
    /// The module at index `n` makes the first `n` host calls of a pinned request.
    pub(crate) calls: Vec<PathBuf>,
    pub(crate) backend: Backend,
    folder: TempDir,
}

impl Fixture {
    pub(crate) fn prepare() -> Result<Self> {
        let envoy = local_envoy::binary()?;
        let built = |name: &str| -> Result<PathBuf> {
            let file = std::env::var_os(name).map(PathBuf::from);
            file.with_context(|| format!("{name} must name a wasm module: run `cargo xtask bench`, which builds it"))
        };
        let (filter, sdk_calls) = (built(WASM)?, built(SDK_CALLS)?);
        let folder = tempfile::Builder::new().prefix("bench-").tempdir()?;
        let file = |name: &str, bytes: Vec<u8>| -> Result<PathBuf> {
            let file = folder.path().join(name);
            std::fs::write(&file, bytes)?;
            Ok(file)
        };
        let noop = file("noop.wasm", hand_written::with_every_callback()?)?;
        let pruned_noop = file("pruned_noop.wasm", hand_written::with_headers_alone()?)?;
        let backend = Backend::start(&envoy).context("the backend")?;
        let with_calls =
            |count| file(&format!("{count}.wasm"), hand_written::with_the_first_calls(backend.target(0), count)?);
        let calls = (0..=hand_written::CALLS.len()).map(with_calls).collect::<Result<_>>()?;
        Ok(Self { envoy, filter, noop, pruned_noop, sdk_calls, calls, backend, folder })
    }

    /// A folder for files. It is deleted with the fixture.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The filter, compiled for the interpreter.
    pub(crate) fn module(&self) -> Result<Module> {
        let bytes = std::fs::read(&self.filter).with_context(|| self.filter.display().to_string())?;
        Ok(Vm::module(&bytes)?)
    }
}

/// A shipped configuration without the listener and routes of the demo, and without its access log and health checks, which
/// cost the same with and without stickiness.
pub(crate) fn shipped(file: &str) -> Result<Config> {
    let mut config = Config::read(&local_envoy::workspace_root().join("envoy").join(file))?;
    config.free_ports()?;
    if config.listener("plain").is_ok() {
        config.remove_listener("plain")?;
    }
    if let Some(clusters) = config.at("/static_resources/clusters")?.as_array_mut() {
        for cluster in clusters.iter_mut().filter_map(|cluster| cluster.as_object_mut()) {
            cluster.remove("health_checks");
        }
    }
    if let Some(manager) = config.connection_manager("sticky")?.as_object_mut() {
        manager.remove("access_log");
    }
    let routes = config.connection_manager("sticky")?.pointer_mut("/route_config/virtual_hosts/0/routes");
    if let Some(routes) = routes.and_then(|routes| routes.as_array_mut()) {
        routes.retain(|route| route["match"]["prefix"] == "/");
    }
    Ok(config)
}

/// One Envoy process that plays every target. Each target has its own loopback address.
pub(crate) struct Backend {
    port: u16,
    _envoy: Envoy,
}

impl Backend {
    pub(crate) fn start(binary: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("backend.json");
        std::fs::write(&file, backend_config().to_string())?;
        let envoy = Envoy::start(binary, &Config::read(&file)?, Settings::default())?;
        Ok(Self { port: envoy.address("backend")?.port(), _envoy: envoy })
    }

    /// The address of the target with this number. There are some millions of them.
    pub(crate) fn target(&self, number: u32) -> SocketAddr {
        // From 127.1.0.1 upwards: all of 127/8 is loopback (RFC 1122, section 3.2.1.3).
        let address = Ipv4Addr::from(Ipv4Addr::new(127, 1, 0, 1).to_bits() + number);
        SocketAddr::new(address.into(), self.port)
    }

    /// The addresses of the first `count` targets.
    pub(crate) fn targets(&self, count: u32) -> Vec<SocketAddr> {
        (0..count).map(|number| self.target(number)).collect()
    }

    /// An address where nothing listens, and that no proxy is configured with.
    pub(crate) fn gone(&self) -> SocketAddr {
        SocketAddr::new(Ipv4Addr::new(127, 255, 0, 1).into(), self.port)
    }
}

fn backend_config() -> Value {
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
