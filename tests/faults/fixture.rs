//! Targets, an Envoy in front of them, and a crowd that sends requests through it continuously.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use harness::{KEY, PATIENCE, Setup, envoy_binary, fetch, start_envoy, wait_until};
use local_envoy::{Config, Envoy};
use traffic::{Backend, Behaviour, Crowd, CrowdSettings, Tally};

/// The number of sessions of a fixture.
pub(crate) const SESSIONS: usize = 2_000;

/// The number of connections of its crowd. No more requests are in flight.
pub(crate) const CONNECTIONS: usize = 100;

/// Each session sends one request in this time.
const PAUSE: Duration = Duration::from_secs(1);

/// The time that a target takes for an answer, so that requests are in flight at any time.
const MOMENT: Duration = Duration::from_millis(20);

/// The number of workers. Both answer.
pub(crate) const WORKERS: u32 = 2;

/// The shipped configuration in front of four targets.
pub(crate) const SETUP: Setup<'static> =
    Setup { plugin: None, targets: &["a", "b", "c", "d"], workers: WORKERS, keys: Some(KEY), edit: &|_| () };

/// A running Envoy with its targets and its crowd.
pub(crate) struct Fixture {
    pub(crate) crowd: Crowd,
    pub(crate) envoy: Envoy,
    pub(crate) backends: Backends,
}

impl Fixture {
    /// Starts with every session pinned to a target.
    #[track_caller]
    pub(crate) fn start(setup: &Setup<'_>) -> Self {
        Self::with_crowd(setup, |_| ())
    }

    /// As [`Fixture::start`], with changed settings of the crowd.
    #[track_caller]
    pub(crate) fn with_crowd(setup: &Setup<'_>, change: impl FnOnce(&mut CrowdSettings)) -> Self {
        let backends = Backends::start(setup.targets);
        let envoy = start_envoy(&backends.addresses(), setup);
        Self::of(backends, envoy, change)
    }

    /// Takes an Envoy that the test has started, and waits until all targets are healthy.
    #[track_caller]
    pub(crate) fn of(backends: Backends, envoy: Envoy, change: impl FnOnce(&mut CrowdSettings)) -> Self {
        wait_for_healthy(&envoy, backends.0.len());
        Self::before(backends, envoy, change)
    }

    /// Takes an Envoy that sends requests to some of the targets already.
    #[track_caller]
    pub(crate) fn before(backends: Backends, envoy: Envoy, change: impl FnOnce(&mut CrowdSettings)) -> Self {
        let crowd = crowd(&[envoy.address("sticky").unwrap()], change);
        Self { crowd, envoy, backends }
    }

    pub(crate) fn backend(&mut self, name: &str) -> &mut Backend {
        self.backends.get(name)
    }

    /// The number of sessions of a target.
    pub(crate) fn sessions_of(&self, target: &str) -> usize {
        self.crowd.pins().get(target).copied().unwrap_or_default()
    }

    /// See [`wait_for_healthy`].
    #[track_caller]
    pub(crate) fn wait_for_healthy(&self, count: usize) {
        wait_for_healthy(&self.envoy, count);
    }

    /// Waits until a target has no sessions.
    #[track_caller]
    pub(crate) fn wait_until_left(&self, target: &str) {
        wait_until(&format!("the sessions of {target} to move"), || self.sessions_of(target) == 0);
    }

    /// See [`go_on`].
    #[track_caller]
    pub(crate) fn go_on(&self, turns: u64) {
        go_on(&self.crowd, turns);
    }

    /// Ends the traffic and returns its tally.
    #[track_caller]
    pub(crate) fn end(self) -> Tally {
        self.crowd.stop()
    }
}

/// Waits until so many targets are healthy for Envoy's main thread and for its workers, which learn it a moment later.
#[track_caller]
pub(crate) fn wait_for_healthy(envoy: &Envoy, count: usize) {
    let known = || envoy.admin().healthy_hosts("web").is_ok_and(|healthy| healthy == count);
    wait_until(&format!("{count} healthy targets"), known);
    // The kernel picks the worker of each connection. The chance that 20 connections miss one of two workers is one in a million.
    let plain = envoy.address("plain").unwrap();
    let expected = if count == 0 { 503 } else { 200 };
    wait_until("the workers to act on it", || (0..20).all(|_| fetch(plain, "/", &[]).status == expected));
}

/// A crowd whose sessions are all pinned.
#[track_caller]
pub(crate) fn crowd(listeners: &[SocketAddr], change: impl FnOnce(&mut CrowdSettings)) -> Crowd {
    let mut settings = CrowdSettings {
        sessions: SESSIONS,
        connections: CONNECTIONS,
        pause: PAUSE,
        ..CrowdSettings::through(listeners)
    };
    change(&mut settings);
    let crowd = Crowd::start(&settings);
    crowd.wait_until_all_have_a_pin();
    crowd
}

/// Starts an Envoy with this configuration and changed settings.
#[track_caller]
pub(crate) fn start(config: &Config, change: impl FnOnce(&mut local_envoy::Settings)) -> Envoy {
    Envoy::start(envoy_binary(), config, settings(change)).unwrap()
}

/// The settings of the Envoys in these tests, changed.
pub(crate) fn settings(change: impl FnOnce(&mut local_envoy::Settings)) -> local_envoy::Settings {
    let mut settings = SETUP.settings();
    change(&mut settings);
    settings
}

/// Waits until each session has sent so many more requests on average.
#[track_caller]
pub(crate) fn go_on(crowd: &Crowd, turns: u64) {
    let ended = |tally: &Tally| tally.sent - tally.in_flight;
    let sessions: usize = crowd.pins().values().sum();
    let enough = ended(&crowd.so_far()) + turns * u64::try_from(sessions).unwrap();
    crowd.wait_for("the crowd to go on", PATIENCE, |tally| ended(tally) >= enough);
}

/// Targets by name.
pub(crate) struct Backends(BTreeMap<String, Backend>);

impl Backends {
    /// Starts these targets. Each answer takes [`MOMENT`].
    #[track_caller]
    pub(crate) fn start(names: &[&str]) -> Self {
        let start = |name: &str| {
            let backend = Backend::start(name);
            backend.behave(Behaviour::Slow(MOMENT));
            backend
        };
        Self(names.iter().map(|name| ((*name).to_owned(), start(name))).collect())
    }

    pub(crate) fn get(&mut self, name: &str) -> &mut Backend {
        self.0.get_mut(name).unwrap_or_else(|| panic!("no target is named {name}"))
    }

    /// The address of the target with this name.
    pub(crate) fn address(&self, name: &str) -> SocketAddr {
        self.0[name].address()
    }

    /// The addresses, sorted by the names of the targets.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.0.values().map(Backend::address).collect()
    }
}
