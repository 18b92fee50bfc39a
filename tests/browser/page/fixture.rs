//! The demo for one test: one on this machine, or the demo in containers that `DEMO_COMPOSE_PROJECT` names.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use harness::{PATIENCE, envoy_binary, wait_until, wasm};
use local_demo::{Compose, Demo, Ports, Settings};
use local_envoy::{Admin, Config, Error, Result, build_program, http};
use stickiness::outcome::Outcome;

use super::pool::Lent;

/// The names of the instances.
const NAMES: [&str; 2] = ["a", "b"];

/// All tests share the demo in containers, so they run one after the other.
static CONTAINERS: Mutex<()> = Mutex::new(());

/// A running demo with two healthy instances, for one test at a time.
pub(crate) enum Fixture {
    Local { demo: Box<Lent>, stopped: BTreeSet<String> },
    Containers { compose: Compose, stopped: BTreeSet<String>, _turn: MutexGuard<'static, ()> },
}

impl Fixture {
    /// The demo in containers if there is one, otherwise one of the pool.
    pub(crate) fn find() -> Result<Self> {
        match Self::containers()? {
            Some(containers) => Ok(containers),
            None => Ok(Self::local(Lent::from_pool(|| start(|_| Ok(())))?)),
        }
    }

    /// As [`Fixture::find`], but without requests of other tests if it runs on this machine.
    pub(crate) fn find_new() -> Result<Self> {
        match Self::containers()? {
            Some(containers) => Ok(containers),
            None => Self::own(|_| Ok(())),
        }
    }

    /// A new demo with this change of Envoy's configuration.
    pub(crate) fn own(edit: impl FnOnce(&mut Config) -> Result<()> + 'static) -> Result<Self> {
        Ok(Self::local(Lent::alone(start(edit)?)))
    }

    fn containers() -> Result<Option<Self>> {
        Ok(Compose::from_environment()?.map(|compose| {
            let turn = CONTAINERS.lock().unwrap_or_else(PoisonError::into_inner);
            Self::Containers { compose, stopped: BTreeSet::new(), _turn: turn }
        }))
    }

    fn local(demo: Lent) -> Self {
        Self::Local { demo: Box::new(demo), stopped: BTreeSet::new() }
    }

    pub(crate) fn ports(&self) -> Ports {
        match self {
            Self::Local { demo, .. } => demo.ports(),
            Self::Containers { compose, .. } => compose.ports(),
        }
    }

    /// Ends an instance. Envoy notices it later.
    pub(crate) fn stop(&mut self, name: &str) -> Result<()> {
        let (Self::Local { stopped, .. } | Self::Containers { stopped, .. }) = self;
        stopped.insert(name.to_owned());
        match self {
            Self::Local { demo, .. } => demo.stop(name),
            Self::Containers { compose, .. } => compose.stop(name),
        }
    }

    /// Starts an instance again. Returns when both are healthy for Envoy.
    pub(crate) fn start_again(&mut self, name: &str) -> Result<()> {
        let (Self::Local { stopped, .. } | Self::Containers { stopped, .. }) = self;
        stopped.remove(name);
        match self {
            Self::Local { demo, .. } => demo.start_again(name),
            Self::Containers { compose, .. } => compose.start_again(name),
        }
    }

    /// Waits until so many instances are healthy for Envoy.
    pub(crate) fn wait_for_healthy(&self, count: usize) {
        let admin = self.admin();
        wait_until(&format!("{count} healthy instances"), || admin.healthy_hosts("web") == Ok(count));
    }

    /// The number of requests with this outcome so far.
    pub(crate) fn counted(&self, outcome: Outcome) -> Result<u64> {
        let word = outcome.word();
        self.admin().counter(&format!("wasmcustom.sticky_sessions.target_group.web.{word}"))
    }

    /// The addresses of the instances.
    pub(crate) fn addresses(&self) -> Result<BTreeSet<String>> {
        let clusters = self.admin().get("/clusters")?;
        let of_host = |line: &str| Some(line.strip_prefix("web::")?.split_once("::cx_active::")?.0.to_owned());
        Ok(clusters.lines().filter_map(of_host).collect())
    }

    /// Starts the stopped instances and makes both healthy. It does not ask Envoy which instance needs it, because Envoy notices a
    /// change later.
    fn restore(&mut self) -> Result<()> {
        let (Self::Local { stopped, .. } | Self::Containers { stopped, .. }) = self;
        stopped.clone().iter().try_for_each(|name| self.start_again(name))?;
        let plain = ([127, 0, 0, 1], self.ports().plain).into();
        for name in NAMES {
            http::post(plain, &format!("/instances/{name}/healthy"))?;
        }
        let admin = self.admin();
        local_envoy::wait_until("both instances to be healthy", PATIENCE, || admin.healthy_hosts("web") == Ok(2))
    }

    fn admin(&self) -> Admin {
        match self {
            Self::Local { demo, .. } => *demo.envoy().admin(),
            Self::Containers { compose, .. } => compose.admin(),
        }
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        // A demo that has failed a test is not used again, and its end prints its log.
        if matches!(self, Self::Local { demo, .. } if !demo.is_of_pool() || thread::panicking()) {
            return;
        }
        match (self.restore(), self) {
            (Ok(()), Self::Local { demo, .. }) => demo.reuse(),
            (Ok(()), Self::Containers { .. }) => (),
            (Err(error), _) => eprintln!("The demo is not as it was before the test: {error}"),
        }
    }
}

/// Starts a demo on free ports with this change of Envoy's configuration.
fn start(edit: impl FnOnce(&mut Config) -> Result<()> + 'static) -> Result<Demo> {
    Demo::start(Settings {
        envoy: envoy_binary().to_owned(),
        filter: wasm().to_owned(),
        backend: backend().clone(),
        ports: Ports::free()?,
        edit: Box::new(edit),
        ..Settings::default()
    })
}

/// The program of the demo's application: the file that `DEMO_BACKEND` names, or a fresh build.
fn backend() -> &'static PathBuf {
    static BACKEND: OnceLock<PathBuf> = OnceLock::new();
    BACKEND.get_or_init(|| {
        let named = std::env::var_os("DEMO_BACKEND").map(PathBuf::from);
        named.unwrap_or_else(|| build_program("demo-backend", "demo-backend"))
    })
}

/// The name of the other instance.
pub(crate) fn other(name: &str) -> Result<&'static str> {
    let others: Vec<_> = NAMES.into_iter().filter(|one| *one != name).collect();
    match others[..] {
        [other] => Ok(other),
        _ => Err(Error::new(format!("{name:?} is not an instance"))),
    }
}
