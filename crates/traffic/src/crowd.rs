//! Thousands of sessions that send requests all the time.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use local_envoy::wait_until;
use tokio::task::JoinSet;

use crate::sender::{Sender, Shared};
use crate::{Mark, Tally};

/// For every session to be answered once.
const PATIENCE: Duration = Duration::from_mins(1);

/// Who sends what.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where requests are sent to: connections take them in turn.
    pub listeners: Vec<SocketAddr>,
    /// Sessions, each with a jar of its own and at most one request under way. Default: 1000.
    pub sessions: usize,
    /// Connections that are kept alive. A session takes whichever is free. Default: 100.
    pub connections: usize,
    /// Between an answer to a session and its next request; so `sessions / pause` bounds the requests per second. With none, every
    /// connection is always in use. Default: none.
    pub pause: Duration,
    /// From a request, or the connection opened for it, to the last byte of its answer. Default: 10 s.
    pub timeout: Duration,
    /// How many requests are sent in all; the sessions take turns. Default: no end.
    pub requests: Option<u64>,
    /// After how many answers a connection is closed and another is opened, as clients come and go. Default: never.
    pub requests_per_connection: Option<u32>,
    /// What is asked for. Default: `/`.
    pub path: String,
}

impl Settings {
    /// Through these listeners, and otherwise the defaults.
    pub fn through(listeners: &[SocketAddr]) -> Self {
        Self {
            listeners: listeners.to_vec(),
            sessions: 1000,
            connections: 100,
            pause: Duration::ZERO,
            timeout: Duration::from_secs(10),
            requests: None,
            requests_per_connection: None,
            path: "/".to_owned(),
        }
    }
}

/// Sessions that send requests in the background, on a thread of their own, until this is stopped or dropped.
pub struct Crowd {
    shared: Arc<Shared>,
    requests: Option<u64>,
    thread: Option<JoinHandle<()>>,
}

impl Crowd {
    /// Opens the connections and begins to send.
    #[track_caller]
    pub fn start(settings: &Settings) -> Self {
        assert!(!settings.listeners.is_empty(), "a crowd needs a listener");
        let shared = Arc::new(Shared::new(settings));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (senders, connections) = (Arc::clone(&shared), settings.connections);
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                let mut all = JoinSet::new();
                for number in 0..connections {
                    all.spawn(Sender::new(Arc::clone(&senders), number).run());
                }
                // Panics as the sender did that panicked.
                all.join_all().await;
            });
        });
        Self { shared, requests: settings.requests, thread: Some(thread) }
    }

    /// Waits until a target has answered every session.
    #[track_caller]
    pub fn wait_until_all_have_a_pin(&self) {
        self.wait(|| format!("{} sessions without a pin", self.unpinned()), PATIENCE, || self.unpinned() == 0);
    }

    /// Waits until the whole tally is as it should be.
    #[track_caller]
    pub fn wait_for(&self, what: &str, limit: Duration, condition: impl Fn(&Tally) -> bool) {
        self.wait(|| what.to_owned(), limit, || condition(self.shared.ledger().tally()));
    }

    /// Waits until the last of [`Settings::requests`] has ended, and returns the whole tally. The connections stay open.
    #[track_caller]
    pub fn wait_until_done(&self, limit: Duration) -> Tally {
        let requests = self.requests.expect("without Settings::requests there is no last one");
        self.wait_for("the last request", limit, |all| all.sent == requests && all.in_flight == 0);
        self.so_far()
    }

    /// This moment.
    pub fn mark(&self) -> Mark {
        let ledger = self.shared.ledger();
        Mark { at: Instant::now(), tally: ledger.tally().clone() }
    }

    /// What has happened since then. A request that was under way at that moment counts where it ended.
    pub fn since(&self, mark: &Mark) -> Tally {
        self.shared.ledger().tally().since(&mark.tally)
    }

    /// What has happened so far.
    pub fn so_far(&self) -> Tally {
        self.shared.ledger().tally().clone()
    }

    /// How many sessions each target has: those that it has answered last.
    pub fn pins(&self) -> BTreeMap<String, usize> {
        self.shared.ledger().pins()
    }

    /// The target that has answered this session last.
    pub fn pin_of(&self, session: usize) -> Option<Arc<str>> {
        self.shared.ledger().pin(session)
    }

    /// How many answers the session has had that was answered least.
    pub fn fewest_answers_of_a_session(&self) -> u32 {
        self.shared.ledger().fewest_of_a_session()
    }

    /// How many answers the connection has had that was used least.
    pub fn fewest_answers_of_a_connection(&self) -> u32 {
        self.shared.ledger().fewest_of_a_connection()
    }

    /// Opens connections to these listeners from now on. Those that are open stay until the other side closes them, as after a
    /// change of DNS.
    #[track_caller]
    pub fn set_listeners(&self, listeners: &[SocketAddr]) {
        self.shared.set_listeners(listeners);
    }

    /// Waits for the answers under way, and sends no more. The whole tally, in which nothing is in flight.
    #[track_caller]
    pub fn stop(mut self) -> Tally {
        self.end()
    }

    #[track_caller]
    fn end(&mut self) -> Tally {
        self.shared.sessions.end();
        let ended = self.thread.take().is_none_or(|thread| thread.join().is_ok());
        // A second panic would end the tests without a word about the first.
        assert!(ended || std::thread::panicking(), "a sender of the crowd has panicked");
        self.so_far()
    }

    #[track_caller]
    fn wait(&self, what: impl Fn() -> String, limit: Duration, condition: impl Fn() -> bool) {
        let start = Instant::now();
        let came = wait_until("", limit, &condition).is_ok();
        assert!(came, "waited {:?} in vain for {}; so far: {}", start.elapsed(), what(), self.so_far());
    }

    fn unpinned(&self) -> usize {
        self.shared.ledger().unpinned()
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests;
