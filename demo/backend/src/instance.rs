//! What an instance knows besides its routes: its name, its health, its sessions, its counts and its peers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tower_sessions::{MemoryStore, Session, SessionStore, session};

use crate::listener::{Listener, Ports};
use crate::login::{LOGIN, Login};
use crate::options::Options;
use crate::peers::Peers;
use crate::requests::{Columns, Requests, now};
use crate::visitor::Visitor;

/// What an instance knows besides its routes.
pub(crate) struct Instance {
    /// One that a header can carry.
    pub(crate) name: String,
    /// Where a browser reaches Envoy.
    pub(crate) ports: Ports,
    /// The other instances.
    pub(crate) peers: Peers,
    /// The sessions, which die with the process.
    pub(crate) store: MemoryStore,
    healthy: AtomicBool,
    requests: Mutex<Requests>,
}

/// What an instance tells its peers about itself.
#[derive(Serialize, Deserialize)]
pub(crate) struct Report {
    /// What it calls itself.
    pub(crate) healthy: bool,
    /// What it served in the last minute.
    pub(crate) requests: Requests,
}

/// What one instance knows of one, itself or a peer.
#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    /// The name of the one that it is about.
    pub(crate) name: &'a str,
    /// Whether it serves.
    pub(crate) state: State,
    /// What it served.
    pub(crate) requests: Columns,
}

/// Whether an instance serves, as the page shows it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// It passes Envoy's health checks.
    Healthy,
    /// It fails them, by its own will.
    Unhealthy,
    /// It does not answer.
    Away,
}

impl Instance {
    /// An instance with an empty memory.
    pub(crate) fn new(options: Options) -> Self {
        Self {
            name: options.name,
            ports: options.ports,
            peers: Peers::new(options.peers),
            store: MemoryStore::default(),
            healthy: AtomicBool::new(true),
            requests: Mutex::default(),
        }
    }

    pub(crate) fn is_healthy(&self) -> bool {
        self.healthy.load(Ordering::Relaxed)
    }

    pub(crate) fn set_healthy(&self, healthy: bool) {
        self.healthy.store(healthy, Ordering::Relaxed);
    }

    /// Counts a request of a visitor.
    pub(crate) fn count(&self, listener: Listener) {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).count(listener, now());
    }

    /// What it tells of itself.
    pub(crate) fn report(&self) -> Report {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Report { healthy: self.is_healthy(), requests }
    }

    /// All instances that it knows, by their names.
    pub(crate) fn roster(&self) -> Vec<Entry<'_>> {
        let now = now();
        let own = self.report();
        let state = if own.healthy { State::Healthy } else { State::Unhealthy };
        let own = Entry { name: &self.name, state, requests: own.requests.columns(now) };
        let mut roster: Vec<_> = self.peers.roster(now).chain([own]).collect();
        roster.sort_by_key(|entry| entry.name);
        roster
    }

    /// Looks the session up without touching it.
    ///
    /// A `Session` that finds nothing in its store deletes the browser's cookie. Here the other instance may know it,
    /// and the login is to be seen again when that one answers.
    pub(crate) async fn visitor(&self, session: &Session) -> Result<Visitor, session::Error> {
        let Some(id) = session.id() else { return Ok(Visitor::New) };
        let Some(mut record) = self.store.load(&id).await? else { return Ok(Visitor::Unknown) };
        let login = record.data.remove(LOGIN).map(serde_json::from_value::<Option<Login>>).transpose()?;
        Ok(Visitor::Known(login.flatten()))
    }
}
