//! Targets, an Envoy before them, and a crowd that sends through it all the time.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use harness::{KEY, Setup, envoy_binary, fetch, start_envoy};
use local_envoy::{Config, Envoy, Settings as EnvoySettings, wait_until};
use traffic::{Backend, Behaviour, Crowd, Settings, Tally};

/// The sessions of a scene.
pub(crate) const SESSIONS: usize = 2_000;

/// The connections of its crowd, which bound the requests that are under way.
pub(crate) const CONNECTIONS: usize = 100;

/// How long a fault may take to be overcome. The shipped health checks need two seconds, a busy machine more.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Every session asks once in this time.
const PAUSE: Duration = Duration::from_secs(1);

/// How long an answer takes.
const MOMENT: Duration = Duration::from_millis(20);

/// Both workers answer.
pub(crate) const WORKERS: u32 = 2;

/// The shipped configuration before targets that tests take away.
pub(crate) const SITE: Setup<'static> =
    Setup { plugin: None, targets: &["a", "b", "c", "d"], workers: WORKERS, keys: Some(KEY), edit: &|_| () };

/// A running Envoy with its targets and its crowd.
pub(crate) struct Scene {
    pub(crate) crowd: Crowd,
    pub(crate) envoy: Envoy,
    pub(crate) backends: Backends,
}

impl Scene {
    /// With every session pinned to a target.
    #[track_caller]
    pub(crate) fn start(setup: &Setup<'_>) -> Self {
        Self::with_crowd(setup, |_| ())
    }

    /// The same with another crowd.
    #[track_caller]
    pub(crate) fn with_crowd(setup: &Setup<'_>, change: impl FnOnce(&mut Settings)) -> Self {
        let backends = Backends::start(setup.targets);
        let envoy = start_envoy(&backends.addresses(), setup);
        Self::of(backends, envoy, change)
    }

    /// The same of an Envoy that was started otherwise.
    #[track_caller]
    pub(crate) fn of(backends: Backends, envoy: Envoy, change: impl FnOnce(&mut Settings)) -> Self {
        wait_for_healthy(&envoy, backends.0.len());
        Self::before(backends, envoy, change)
    }

    /// The same of an Envoy that sends to some of the targets already.
    #[track_caller]
    pub(crate) fn before(backends: Backends, envoy: Envoy, change: impl FnOnce(&mut Settings)) -> Self {
        let crowd = crowd(&[envoy.address("sticky").unwrap()], change);
        Self { crowd, envoy, backends }
    }

    pub(crate) fn backend(&mut self, name: &str) -> &mut Backend {
        self.backends.get(name)
    }

    /// How many sessions a target has.
    pub(crate) fn sessions_of(&self, target: &str) -> usize {
        self.crowd.pins().get(target).copied().unwrap_or_default()
    }

    /// Waits until Envoy knows that so many targets are healthy.
    #[track_caller]
    pub(crate) fn wait_for_healthy(&self, count: usize) {
        wait_for_healthy(&self.envoy, count);
    }

    /// Waits until no session is left on a target.
    #[track_caller]
    pub(crate) fn wait_until_left(&self, target: &str) {
        wait(&format!("the sessions of {target} to move"), || self.sessions_of(target) == 0);
    }

    /// See [`go_on`].
    #[track_caller]
    pub(crate) fn go_on(&self, turns: u64) {
        go_on(&self.crowd, turns);
    }

    /// Ends the traffic, and returns what has become of it.
    #[track_caller]
    pub(crate) fn end(self) -> Tally {
        self.crowd.stop()
    }
}

/// Waits until Envoy knows that so many targets are healthy, and its workers, which are told a moment later, act on it.
#[track_caller]
pub(crate) fn wait_for_healthy(envoy: &Envoy, count: usize) {
    let known = || envoy.admin().healthy_hosts("web").is_ok_and(|healthy| healthy == count);
    wait(&format!("{count} healthy targets"), known);
    // The kernel picks the worker of each connection: one that is left out by so many is one in a million.
    let plain = envoy.address("plain").unwrap();
    let expected = if count == 0 { 503 } else { 200 };
    wait("the workers to act on it", || (0..20).all(|_| fetch(plain, "/", &[]).status == expected));
}

/// A crowd whose sessions are all pinned.
#[track_caller]
pub(crate) fn crowd(listeners: &[SocketAddr], change: impl FnOnce(&mut Settings)) -> Crowd {
    let mut settings =
        Settings { sessions: SESSIONS, connections: CONNECTIONS, pause: PAUSE, ..Settings::through(listeners) };
    change(&mut settings);
    let crowd = Crowd::start(&settings);
    crowd.wait_until_all_have_a_pin();
    crowd
}

/// An Envoy with this configuration and the key of the tests, whose other settings may differ.
#[track_caller]
pub(crate) fn start(config: &Config, change: impl FnOnce(&mut EnvoySettings)) -> Envoy {
    Envoy::start(envoy_binary(), config, settings(change)).unwrap_or_else(|error| panic!("{error}"))
}

/// How the Envoys of these tests run.
pub(crate) fn settings(change: impl FnOnce(&mut EnvoySettings)) -> EnvoySettings {
    let environment = vec![("STICKY_SESSIONS_KEYS".to_owned(), KEY.to_owned())];
    let mut settings = EnvoySettings { concurrency: WORKERS, environment, ..EnvoySettings::default() };
    change(&mut settings);
    settings
}

/// Goes on until every session has asked this many times more, on the average.
#[track_caller]
pub(crate) fn go_on(crowd: &Crowd, turns: u64) {
    let ended = |tally: &Tally| tally.sent - tally.in_flight;
    let sessions: usize = crowd.pins().values().sum();
    let enough = ended(&crowd.so_far()) + turns * u64::try_from(sessions).unwrap();
    crowd.wait_for("the crowd to go on", PATIENCE, |tally| ended(tally) >= enough);
}

/// Waits for a condition; the test fails when it does not come about.
#[track_caller]
pub(crate) fn wait(what: &str, condition: impl FnMut() -> bool) {
    wait_until(what, PATIENCE, condition).unwrap_or_else(|error| panic!("{error}"));
}

/// Targets by name.
pub(crate) struct Backends(BTreeMap<String, Backend>);

impl Backends {
    /// Answers of theirs take a moment, so that requests are in flight at any time.
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

    /// Where the target of this name listens.
    pub(crate) fn address(&self, name: &str) -> SocketAddr {
        self.0[name].address()
    }

    /// Where they listen, in the order of their names.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.0.values().map(Backend::address).collect()
    }
}
