//! Where the demo is that a test visits: one of its own on this machine, or the one in containers that `DEMO_COMPOSE_PROJECT` names.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use harness::{PATIENCE, envoy_binary, wait_until, wasm};
use local_demo::{Compose, Demo, Ports, Settings};
use local_envoy::{Admin, Config, Error, Result, http, workspace_root};
use stickiness::outcome::Outcome;

/// The instances.
const NAMES: [&str; 2] = ["a", "b"];

/// The demo in containers is one for all tests, which therefore come one after the other.
static CONTAINERS: Mutex<()> = Mutex::new(());

/// A running demo, both of whose instances are healthy.
pub(crate) enum Place {
    Own(Box<Demo>),
    Containers { compose: Compose, stopped: BTreeSet<String>, _turn: MutexGuard<'static, ()> },
}

impl Place {
    /// The demo in containers if there is one, otherwise one of the test's own.
    pub(crate) fn find() -> Result<Self> {
        match Compose::from_environment()? {
            Some(compose) => {
                let turn = CONTAINERS.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(Self::Containers { compose, stopped: BTreeSet::new(), _turn: turn })
            }
            None => Self::own(|_| Ok(())),
        }
    }

    /// One of the test's own, with this change of Envoy's configuration.
    pub(crate) fn own(edit: impl FnOnce(&mut Config) -> Result<()> + 'static) -> Result<Self> {
        let settings = Settings {
            envoy: envoy_binary().to_owned(),
            filter: wasm().to_owned(),
            backend: backend().clone(),
            ports: Ports::free()?,
            edit: Box::new(edit),
            ..Settings::default()
        };
        Ok(Self::Own(Box::new(Demo::start(settings)?)))
    }

    pub(crate) fn ports(&self) -> Ports {
        match self {
            Self::Own(demo) => demo.ports(),
            Self::Containers { compose, .. } => compose.ports(),
        }
    }

    /// Ends an instance, and its memory. Envoy notices later.
    pub(crate) fn stop(&mut self, name: &str) -> Result<()> {
        match self {
            Self::Own(demo) => demo.stop(name),
            Self::Containers { compose, stopped, .. } => {
                stopped.insert(name.to_owned());
                compose.stop(name)
            }
        }
    }

    /// Starts an instance again, and returns when Envoy takes both for healthy.
    pub(crate) fn start_again(&mut self, name: &str) -> Result<()> {
        match self {
            Self::Own(demo) => demo.start_again(name),
            Self::Containers { compose, stopped, .. } => {
                stopped.remove(name);
                compose.start_again(name)
            }
        }
    }

    /// Waits until Envoy takes so many instances for healthy.
    pub(crate) fn wait_for_healthy(&self, count: usize) {
        let admin = self.admin();
        wait_until(&format!("{count} healthy instances"), || admin.healthy_hosts("web") == Ok(count));
    }

    /// How many requests had this outcome so far.
    pub(crate) fn counted(&self, outcome: Outcome) -> Result<u64> {
        let word = outcome.word();
        self.admin().counter(&format!("wasmcustom.sticky_sessions.target_group.web.{word}"))
    }

    /// Where Envoy reaches the instances.
    pub(crate) fn addresses(&self) -> Result<BTreeSet<String>> {
        let clusters = self.admin().get("/clusters")?;
        let of_host = |line: &str| Some(line.strip_prefix("web::")?.split_once("::cx_active::")?.0.to_owned());
        Ok(clusters.lines().filter_map(of_host).collect())
    }

    fn admin(&self) -> Admin {
        match self {
            Self::Own(demo) => *demo.envoy().admin(),
            Self::Containers { compose, .. } => compose.admin(),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The next test is to find the demo as this one did.
        if let Self::Containers { compose, stopped, .. } = self
            && let Err(error) = bring_back(compose, stopped)
        {
            eprintln!("The demo in containers is not as it was: {error}");
        }
    }
}

/// Starts the instances that were stopped, and has both call themselves healthy. Does not ask Envoy which of them needs it: it
/// notices later.
fn bring_back(compose: &Compose, stopped: &BTreeSet<String>) -> Result<()> {
    stopped.iter().try_for_each(|name| compose.start_again(name))?;
    let plain = ([127, 0, 0, 1], compose.ports().plain).into();
    for name in NAMES {
        http::post(plain, &format!("/instances/{name}/healthy"))?;
    }
    local_envoy::wait_until("both instances to be healthy", PATIENCE, || compose.admin().healthy_hosts("web") == Ok(2))
}

/// The demo's application: the program that `DEMO_BACKEND` names, or built now, so that it is never a stale one.
fn backend() -> &'static PathBuf {
    static BACKEND: OnceLock<PathBuf> = OnceLock::new();
    BACKEND.get_or_init(|| {
        if let Some(backend) = std::env::var_os("DEMO_BACKEND") {
            return PathBuf::from(backend);
        }
        // This program lies in `deps` beside it.
        let this = std::env::current_exe().unwrap();
        let [programs, target] = [2, 3].map(|level| this.ancestors().nth(level).unwrap());
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--locked", "--package", "demo-backend", "--target-dir"]).arg(target);
        assert!(build.current_dir(workspace_root()).status().unwrap().success(), "cargo build failed");
        programs.join("demo-backend")
    })
}

/// The other one of the two instances.
pub(crate) fn other(name: &str) -> Result<&'static str> {
    let others: Vec<_> = NAMES.into_iter().filter(|one| *one != name).collect();
    match others[..] {
        [other] => Ok(other),
        _ => Err(Error::new(format!("{name:?} is no instance"))),
    }
}
