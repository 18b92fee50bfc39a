//! The state of an instance: its name, health, sessions, request counts and peers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tower_sessions::{MemoryStore, Session, SessionStore, session};

use crate::listener::{Listener, Ports};
use crate::login::{LOGIN, Login};
use crate::options::Options;
use crate::peers::Peers;
use crate::report::{Entry, Report, State};
use crate::requests::{Requests, now};
use crate::visitor::Visitor;

/// The state of an instance.
pub(crate) struct Instance {
    /// The name of the instance. It is valid in a header.
    pub(crate) name: String,
    /// The ports under which a browser reaches Envoy.
    pub(crate) ports: Ports,
    /// The other instances.
    pub(crate) peers: Peers,
    /// The sessions. They end with the process.
    pub(crate) store: MemoryStore,
    healthy: AtomicBool,
    requests: Mutex<Requests>,
}

impl Instance {
    /// A healthy instance without sessions.
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

    /// The report for the peers.
    pub(crate) fn report(&self) -> Report {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Report { healthy: self.is_healthy(), requests }
    }

    /// This instance and its peers, sorted by name.
    pub(crate) fn roster(&self) -> Vec<Entry<'_>> {
        let now = now();
        let own = self.report();
        let state = if own.healthy { State::Healthy } else { State::Unhealthy };
        let own = Entry { name: &self.name, state, requests: own.requests.columns(now) };
        let mut roster: Vec<_> = self.peers.roster(now).chain([own]).collect();
        roster.sort_by_key(|entry| entry.name);
        roster
    }

    /// Looks up the session without changing it.
    ///
    /// A `Session` that finds nothing in its store deletes the cookie in the browser. The other instance may have this session, and
    /// the login must be there again when that instance answers.
    pub(crate) async fn visitor(&self, session: &Session) -> Result<Visitor, session::Error> {
        let Some(id) = session.id() else { return Ok(Visitor::New) };
        let Some(mut record) = self.store.load(&id).await? else { return Ok(Visitor::Unknown) };
        let login = record.data.remove(LOGIN).map(serde_json::from_value::<Option<Login>>).transpose()?;
        Ok(Visitor::Known(login.flatten()))
    }
}
