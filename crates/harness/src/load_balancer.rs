//! An Envoy with the shipped configuration and the shipped filter, in front of targets of the test.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use local_envoy::{Config, Envoy, Plugin, Settings};
use serde_json::json;
use stickiness::outcome::Outcome;

use crate::{KEY, Target, fetch, wait_until};

/// The differences from the shipped configuration. Ports and paths always differ.
#[derive(Clone)]
pub struct Setup<'a> {
    /// The configuration of the filter. `None` means the shipped one.
    pub plugin: Option<Plugin<'a>>,
    /// The names of the targets.
    pub targets: &'a [&'a str],
    /// The number of worker threads.
    pub workers: u32,
    /// The value of `STICKY_SESSIONS_KEYS`. `None` leaves it unset.
    pub keys: Option<&'a str>,
    /// Any other change.
    pub edit: &'a dyn Fn(&mut Config),
}

impl Default for Setup<'_> {
    fn default() -> Self {
        Self { plugin: None, targets: &["a", "b"], workers: 1, keys: Some(KEY), edit: &|_| () }
    }
}

impl Setup<'_> {
    /// Starts the targets.
    pub fn start_targets(&self) -> Vec<Target> {
        self.targets.iter().map(|name| Target::start(name)).collect()
    }

    /// The settings of the Envoy process, with the workers and the keys.
    pub fn settings(&self) -> Settings {
        let keys = self.keys.map(|keys| ("STICKY_SESSIONS_KEYS".to_owned(), keys.to_owned()));
        Settings { concurrency: self.workers, environment: keys.into_iter().collect(), ..Settings::default() }
    }
}

/// A running Envoy and its targets.
pub struct LoadBalancer {
    pub envoy: Envoy,
    pub targets: Vec<Target>,
    /// The address of the sticky listener.
    pub sticky: SocketAddr,
}

impl LoadBalancer {
    /// Starts with the shipped configuration.
    #[track_caller]
    pub fn shipped() -> Self {
        Self::start(&Setup::default())
    }

    /// The load balancer of [`LoadBalancer::shipped`] that tests of one process share, so that they do not wait for one each. It ends
    /// with the last test that holds it. Counters, [`LoadBalancer::received`] and the state of its targets are common to these tests.
    #[track_caller]
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<LoadBalancer>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let lb = Arc::new(Self::shipped());
            *shared = Arc::downgrade(&lb);
            lb
        })
    }

    /// Starts with this filter configuration, which is JSON.
    #[track_caller]
    pub fn with_plugin(json: &str) -> Self {
        Self::start(&Setup { plugin: Some(Plugin::Json(json)), ..Setup::default() })
    }

    #[track_caller]
    pub fn start(setup: &Setup<'_>) -> Self {
        Self::before(setup.start_targets(), setup)
    }

    /// Starts an Envoy in front of running targets.
    #[track_caller]
    pub fn before(targets: Vec<Target>, setup: &Setup<'_>) -> Self {
        let envoy = start_envoy(&addresses(&targets), setup);
        Self::of(envoy, targets)
    }

    /// Takes a running Envoy and its targets. Returns when Envoy sends requests to each target.
    #[track_caller]
    pub fn of(envoy: Envoy, targets: Vec<Target>) -> Self {
        let sticky = envoy.address("sticky").unwrap();
        let lb = Self { envoy, targets, sticky };
        lb.wait_for_healthy(lb.targets.len());
        lb.targets.iter().for_each(Target::forget);
        lb
    }

    /// The target with this name.
    pub fn target(&mut self, name: &str) -> &mut Target {
        let position = self.targets.iter().position(|target| target.is_named(name));
        &mut self.targets[position.unwrap_or_else(|| panic!("no target is named {name}"))]
    }

    /// Kills a target and waits until Envoy has noticed that its connections to it are closed. A request that Envoy sends on such a
    /// connection before would be lost, because Envoy does not send it again.
    #[track_caller]
    pub fn kill(&mut self, name: &str) {
        let target = self.target(name);
        target.kill();
        let address = target.address;
        wait_for_no_connection(&self.envoy, "web", address);
    }

    /// The heads of all requests that the targets have received.
    pub fn received(&self) -> Vec<String> {
        self.targets.iter().flat_map(Target::received).collect()
    }

    /// Waits until so many targets of `web` are healthy for Envoy's main thread and for its one worker, which learns it a moment
    /// later.
    #[track_caller]
    pub fn wait_for_healthy(&self, count: usize) {
        wait_until(&format!("{count} healthy targets"), || {
            answering(&self.envoy, "web", 2 * self.targets.len()) == count
        });
    }

    /// The number of requests to the target group `web` with this outcome.
    #[track_caller]
    pub fn counted(&self, outcome: Outcome) -> u64 {
        counted(&self.envoy, "web", outcome.word())
    }

    /// The number of answers of the target group `web` with new cookies.
    #[track_caller]
    pub fn issued(&self) -> u64 {
        counted(&self.envoy, "web", "issued")
    }
}

/// A counter of the filter for a target group.
#[track_caller]
pub fn counted(envoy: &Envoy, target_group: &str, word: &str) -> u64 {
    let name = format!("wasmcustom.sticky_sessions.target_group.{target_group}.{word}");
    envoy.admin().counter(&name).unwrap()
}

/// Waits until Envoy has no connection to a target.
#[track_caller]
pub fn wait_for_no_connection(envoy: &Envoy, cluster: &str, target: SocketAddr) {
    let line = format!("{cluster}::{target}::cx_active::0");
    wait_until(&format!("Envoy to lose its connections to {target}"), || {
        envoy.admin().get("/clusters").is_ok_and(|clusters| clusters.lines().any(|present| present == line))
    });
}

/// The number of targets that answer so many requests without stickiness, or `usize::MAX` if Envoy reports another number of healthy
/// targets. A plain listener for several clusters selects one by the header `cluster`.
pub fn answering(envoy: &Envoy, cluster: &str, requests: usize) -> usize {
    let plain = envoy.address("plain").unwrap();
    let line = format!("cluster: {cluster}");
    let responses = (0..requests).map(|_| fetch(plain, "/", &[line.as_bytes()]));
    let bodies: BTreeSet<String> = responses.filter(|response| response.status == 200).map(|r| r.body).collect();
    let healthy = envoy.admin().healthy_hosts(cluster).unwrap();
    if healthy == bodies.len() { healthy } else { usize::MAX }
}

/// The addresses of these targets.
pub(crate) fn addresses(targets: &[Target]) -> Vec<SocketAddr> {
    targets.iter().map(|target| target.address).collect()
}

/// Starts an Envoy in front of these targets, which several Envoys can share. It may need a moment until it sends requests to them.
#[track_caller]
pub fn start_envoy(targets: &[SocketAddr], setup: &Setup<'_>) -> Envoy {
    Envoy::start(envoy_binary(), &sticky_config(targets, setup), setup.settings()).unwrap()
}

/// The shipped configuration on free ports, with the shipped filter, in front of these targets.
#[track_caller]
pub fn sticky_config(targets: &[SocketAddr], setup: &Setup<'_>) -> Config {
    let mut config = Config::shipped().unwrap();
    config.free_ports().unwrap();
    config.wasm_file(wasm()).unwrap();
    config.endpoints("web", targets).unwrap();
    if let Some(plugin) = &setup.plugin {
        config.plugin(plugin.clone()).unwrap();
    }
    (setup.edit)(&mut config);
    config
}

/// Adds a cluster with the targets of `web`, and a route to it for paths that start with its name.
pub fn add_group(config: &mut Config, name: &str) {
    let mut cluster = config.cluster("web").unwrap().clone();
    cluster["name"] = json!(name);
    cluster["load_assignment"]["cluster_name"] = json!(name);
    // Without health checks the cluster is ready immediately. `web` checks the same targets.
    cluster.as_object_mut().unwrap().remove("health_checks");
    config.at("/static_resources/clusters").unwrap().as_array_mut().unwrap().push(cluster);
    let manager = config.connection_manager("sticky").unwrap();
    let routes = manager["route_config"]["virtual_hosts"][0]["routes"].as_array_mut().unwrap();
    let route = json!({ "match": { "prefix": format!("/{name}/") }, "route": { "cluster": name } });
    routes.insert(0, route);
}

/// Makes Envoy speak HTTP/2 to the targets of `web`.
pub fn http_2_to_targets(config: &mut Config) {
    config.cluster("web").unwrap()["typed_extension_protocol_options"] = json!({
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": { "http2_protocol_options": {} }
        }
    });
}

/// The Envoy that `ENVOY_BIN` names, or the newest supported one.
pub fn envoy_binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| local_envoy::binary().unwrap_or_else(|error| panic!("{error}")))
}

/// The filter that ships: the file that `STICKY_SESSIONS_WASM` names, or a fresh build.
pub fn wasm() -> &'static Path {
    static WASM: OnceLock<PathBuf> = OnceLock::new();
    WASM.get_or_init(|| {
        if let Some(wasm) = std::env::var_os("STICKY_SESSIONS_WASM") {
            return PathBuf::from(wasm);
        }
        let root = local_envoy::workspace_root();
        let status = Command::new(env!("CARGO")).args(["xtask", "wasm"]).current_dir(&root).status().unwrap();
        assert!(status.success(), "cargo xtask wasm failed");
        root.join("dist/sticky_sessions.wasm")
    })
}
