//! Runs the demo without Docker.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use local_envoy::{Config, Envoy, Error, OnLine, Result, http, try_until, wait_until};

use crate::Ports;
use crate::free_ports::free_ports;
use crate::instance::{Instance, LAST_LINES, LIMIT};
use crate::key;

/// The cluster of the instances in `envoy/envoy.yaml`.
pub(crate) const CLUSTER: &str = "web";

/// A change of Envoy's configuration, after the changes of the demo itself.
pub type Edit = Box<dyn FnOnce(&mut Config) -> Result<()>>;

/// The programs and the ports of a demo.
pub struct Settings {
    /// The Envoy binary.
    pub envoy: PathBuf,
    /// The filter that ships. The path should be absolute: Envoy starts in the folder of its caller.
    pub filter: PathBuf,
    /// The program `demo-backend`.
    pub backend: PathBuf,
    /// The ports of the demo. Default: those of the shipped configuration.
    pub ports: Ports,
    /// Is called with each line that Envoy prints after the start of the demo. Default: none.
    pub on_line: Option<OnLine>,
    /// A last change of Envoy's configuration. Default: none.
    pub edit: Edit,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            envoy: PathBuf::new(),
            filter: PathBuf::new(),
            backend: PathBuf::new(),
            ports: Ports::default(),
            on_line: None,
            edit: Box::new(|_| Ok(())),
        }
    }
}

/// The running demo. All its processes end on drop.
pub struct Demo {
    // Dropped before the instances, so that Envoy does not report their end.
    envoy: Envoy,
    instances: [Instance; 2],
    ports: Ports,
}

impl Demo {
    /// Starts two instances, `a` and `b`, and an Envoy in front of them. Returns when both listeners answer.
    ///
    /// # Errors
    ///
    /// When a file is missing, a port is taken or a process does not start. The error contains the last lines of the process.
    pub fn start(settings: Settings) -> Result<Self> {
        let Settings { envoy, filter, backend, ports, on_line, edit } = settings;
        for (what, file) in [("Envoy", &envoy), ("the filter", &filter), ("the application", &backend)] {
            check_file(what, file)?;
        }
        let [a, b] = free_ports()?.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let config = configuration(&filter, ports, &[a, b], edit)?;
        ports.check_free()?;

        let mut instances = ["a", "b"].map(|name| Instance::new(name, &backend, &[("a", a), ("b", b)], ports));
        instances.iter_mut().try_for_each(Instance::start)?;
        let works = Arc::new(AtomicBool::new(false));
        let envoy = Envoy::start(&envoy, &config, envoy_settings(on_line, works.clone())?)?;
        let demo = Self { envoy, instances, ports };
        demo.wait_until_it_works(config)?;
        works.store(true, Ordering::SeqCst);
        Ok(demo)
    }

    /// Its ports.
    #[must_use]
    pub fn ports(&self) -> Ports {
        self.ports
    }

    /// The Envoy in front of the instances.
    #[must_use]
    pub fn envoy(&self) -> &Envoy {
        &self.envoy
    }

    /// Kills an instance. The logins in its memory are lost. Returns when its port refuses connections. Envoy's health checks notice
    /// it later.
    ///
    /// # Errors
    ///
    /// When no instance has this name. The error lists the names.
    pub fn stop(&mut self, name: &str) -> Result<()> {
        self.instance(name)?.stop();
        Ok(())
    }

    /// Starts an instance again at its old port, with an empty memory. Returns when Envoy considers every running instance healthy.
    ///
    /// # Errors
    ///
    /// When no instance has this name, or when it does not start.
    pub fn start_again(&mut self, name: &str) -> Result<()> {
        self.instance(name)?.start()?;
        self.wait_until_healthy()
    }

    /// Checks that no process has ended by itself. [`Demo::stop`] does not count.
    ///
    /// # Errors
    ///
    /// When one has. The error contains its last lines.
    pub fn check_alive(&self) -> Result<()> {
        if let Some(status) = self.envoy.ended() {
            let last = self.envoy.log_tail(LAST_LINES);
            return Err(Error::new(format!(
                "Envoy has ended by itself ({status}); its last lines:\n{}",
                last.trim_end()
            )));
        }
        self.instances.iter().try_for_each(Instance::check_alive)
    }

    fn instance(&mut self, name: &str) -> Result<&mut Instance> {
        let names = self.instances.each_ref().map(Instance::name);
        self.instances
            .iter_mut()
            .find(|instance| instance.name() == name)
            .ok_or_else(|| Error::new(format!("the demo has no instance {name:?}, only {}", names.join(" and "))))
    }

    fn wait_until_healthy(&self) -> Result<()> {
        let running = self.instances.iter().filter(|instance| instance.is_running()).count();
        try_until("every instance to be healthy", LIMIT, || {
            self.check_alive()?;
            Ok(self.envoy.admin().healthy_hosts(CLUSTER)? == running)
        })
    }

    fn wait_until_it_works(&self, mut config: Config) -> Result<()> {
        self.wait_until_healthy()?;
        // Envoy's workers learn of the health a moment after its main thread.
        for name in ["sticky", "plain"] {
            if speaks_tls(&mut config, name)? {
                continue;
            }
            let address = self.envoy.address(name)?;
            try_until(&format!("listener {name} to answer"), LIMIT, || {
                self.check_alive()?;
                Ok(http::get(address, "/healthz").is_ok_and(|answer| answer.status == 200))
            })?;
        }
        // The access log lines of these requests must come before `on_line` is active. Without an access log there are none.
        let logged = || !self.envoy.access_log().is_empty();
        let _ = wait_until("the first line of the access log", Duration::from_secs(1), logged);
        Ok(())
    }
}

fn check_file(what: &str, file: &Path) -> Result<()> {
    if file.is_file() {
        return Ok(());
    }
    Err(Error::new(format!("{what} of the demo should be {file:?}, but there is no such file")))
}

fn configuration(filter: &Path, ports: Ports, instances: &[SocketAddr], edit: Edit) -> Result<Config> {
    let mut config = Config::shipped()?;
    for (listener, port) in [("sticky", ports.sticky), ("plain", ports.plain)] {
        config.listener(listener)?["address"]["socket_address"]["port_value"] = port.into();
    }
    *config.at("/admin/address/socket_address/port_value")? = ports.admin.into();
    config.wasm_file(filter)?;
    config.endpoints(CLUSTER, instances)?;
    edit(&mut config)?;
    Ok(config)
}

fn speaks_tls(config: &mut Config, listener: &str) -> Result<bool> {
    let chains = config.listener(listener)?.get("filter_chains").and_then(|chains| chains.as_array());
    Ok(chains.into_iter().flatten().any(|chain| chain.get("transport_socket").is_some()))
}

fn envoy_settings(on_line: Option<OnLine>, works: Arc<AtomicBool>) -> Result<local_envoy::Settings> {
    let on_line = on_line.map(|mut on_line| -> OnLine {
        Box::new(move |stream, line| {
            if works.load(Ordering::SeqCst) {
                on_line(stream, line);
            }
        })
    });
    Ok(local_envoy::Settings {
        // Round robin is per worker. With one worker, the listener without stickiness alternates visibly.
        concurrency: 1,
        // At `warning` Envoy asks for limits of a production system. Only the filter's warnings matter here.
        log_level: "error".into(),
        component_log_level: "wasm:warning".into(),
        environment: vec![("STICKY_SESSIONS_KEYS".into(), key::random()?)],
        on_line,
        limit: LIMIT,
        ..local_envoy::Settings::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_has_the_ports_the_instances_and_the_last_change() {
        let ports = Ports { sticky: 1, plain: 2, admin: 3 };
        let at = SocketAddr::from(([127, 0, 0, 1], 4));
        let mut config = configuration(
            "/filter.wasm".as_ref(),
            ports,
            &[at],
            Box::new(|config| {
                config.cluster("web")?["connect_timeout"] = "9s".into();
                Ok(())
            }),
        )
        .unwrap();
        let addresses = config.addresses().unwrap();
        let addresses: Vec<_> = addresses.iter().map(|(name, at)| (name.as_str(), at.port())).collect();
        assert_eq!(addresses, [("sticky", 1), ("plain", 2), ("admin", 3)]);
        let cluster = config.cluster("web").unwrap();
        let endpoint = "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address/port_value";
        assert_eq!(cluster.pointer(endpoint).unwrap(), 4);
        assert_eq!(cluster["connect_timeout"], "9s");
        assert!(config.to_json().contains("/filter.wasm"));
    }

    #[test]
    fn only_a_listener_with_a_certificate_speaks_tls() {
        let mut config = Config::shipped().unwrap();
        assert!(!speaks_tls(&mut config, "sticky").unwrap());
        config.listener("sticky").unwrap()["filter_chains"][0]["transport_socket"]["name"] = "tls".into();
        assert!(speaks_tls(&mut config, "sticky").unwrap());
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Demo::start(Settings::default()).err().unwrap().to_string();
        assert_eq!(error, "Envoy of the demo should be \"\", but there is no such file");
    }
}
