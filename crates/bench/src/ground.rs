//! What does everything that is measured stand on?

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use local_envoy::Config;
use tempfile::TempDir;
use wasm_host::{Module, Vm};

use crate::backend::Backend;
use crate::noop;

/// Names the filter; `cargo xtask bench` sets it, and the next.
const WASM: &str = "STICKY_SESSIONS_WASM";

/// Names the module of `crates/sdk-calls`.
const SDK_CALLS: &str = "SDK_CALLS_WASM";

/// Programs and files, and the backend of all proxies.
pub(crate) struct Ground {
    pub(crate) envoy: PathBuf,
    /// The filter as it ships.
    pub(crate) filter: PathBuf,
    pub(crate) noop: PathBuf,
    pub(crate) pruned_noop: PathBuf,
    /// The module that makes the calls of a pinned request through the SDK.
    pub(crate) sdk_calls: PathBuf,
    /// Modules that make the first calls of a pinned request: none, one, and so on to all.
    pub(crate) calls: Vec<PathBuf>,
    pub(crate) backend: Backend,
    folder: TempDir,
}

impl Ground {
    pub(crate) fn prepare() -> Result<Self> {
        let envoy = local_envoy::binary()?;
        let built = |name: &str| -> Result<PathBuf> {
            let file = std::env::var_os(name).map(PathBuf::from);
            file.with_context(|| {
                format!("{name} does not say where a module is: use `cargo xtask bench`, which builds it")
            })
        };
        let (filter, sdk_calls) = (built(WASM)?, built(SDK_CALLS)?);
        let folder = tempfile::Builder::new().prefix("bench-").tempdir()?;
        let file = |name: &str, bytes: Vec<u8>| -> Result<PathBuf> {
            let file = folder.path().join(name);
            std::fs::write(&file, bytes)?;
            Ok(file)
        };
        let noop = file("noop.wasm", noop::with_every_callback()?)?;
        let pruned_noop = file("pruned_noop.wasm", noop::with_headers_alone()?)?;
        let backend = Backend::start(&envoy).context("the backend")?;
        let with_calls = |count| file(&format!("{count}.wasm"), noop::with_the_first_calls(backend.target(0), count)?);
        let calls = (0..=noop::CALLS.len()).map(with_calls).collect::<Result<_>>()?;
        Ok(Self { envoy, filter, noop, pruned_noop, sdk_calls, calls, backend, folder })
    }

    /// A place for files that last as long as this.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The filter, for the interpreter.
    pub(crate) fn module(&self) -> Result<Module> {
        let bytes = std::fs::read(&self.filter).with_context(|| self.filter.display().to_string())?;
        Ok(Vm::module(&bytes)?)
    }
}

/// A configuration that the repository ships, before so many targets: without its access log and its health checks, which
/// cost the same with and without stickiness, and without what is there for the demo.
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
