//! Thousands of sessions that send requests continuously.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use local_envoy::wait_until;
use tokio::task::JoinSet;

use crate::Tally;
use crate::sender::{Sender, Shared};

/// The time for each session to get its first answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// The settings of a crowd.
#[derive(Clone, Debug)]
pub struct CrowdSettings {
    /// The addresses for the requests. New connections use them in turn.
    pub listeners: Vec<SocketAddr>,
    /// The number of sessions. Each has its own cookie jar and at most one request in flight. Default: 1000.
    pub sessions: usize,
    /// The number of connections, which are kept alive. A session uses any free one. Default: 100.
    pub connections: usize,
    /// The pause between an answer to a session and its next request. There are at most `sessions / pause` requests in a second.
    /// Without a pause, every connection is always in use. Default: none.
    pub pause: Duration,
    /// The time from the request, or from opening a connection for it, to the last byte of the answer. Default: 10 s.
    pub timeout: Duration,
    /// The total number of requests, over which the sessions take turns. Default: no limit.
    pub requests: Option<u64>,
    /// The number of answers after which a connection is replaced with a new one. Default: never.
    pub requests_per_connection: Option<u32>,
    /// The path of the requests. Default: `/`.
    pub path: String,
}

impl CrowdSettings {
    /// The defaults, with these listeners.
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

/// Sessions that send requests on a background thread until the crowd is stopped or dropped.
pub struct Crowd {
    shared: Arc<Shared>,
    requests: Option<u64>,
    thread: Option<JoinHandle<()>>,
}

impl Crowd {
    /// Opens the connections and starts to send requests.
    #[track_caller]
    pub fn start(settings: &CrowdSettings) -> Self {
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
                // This panics if a sender has panicked.
                all.join_all().await;
            });
        });
        Self { shared, requests: settings.requests, thread: Some(thread) }
    }

    /// Waits until every session has an answer of a target.
    #[track_caller]
    pub fn wait_until_all_have_a_pin(&self) {
        self.wait(|| format!("{} sessions without a pin", self.unpinned()), PATIENCE, || self.unpinned() == 0);
    }

    /// Waits until the tally fulfils the condition.
    #[track_caller]
    pub fn wait_for(&self, what: &str, limit: Duration, condition: impl Fn(&Tally) -> bool) {
        self.wait(|| what.to_owned(), limit, || condition(self.shared.ledger().tally()));
    }

    /// Waits until the last of [`CrowdSettings::requests`] has ended and returns the tally. The connections stay open.
    #[track_caller]
    pub fn wait_until_done(&self, limit: Duration) -> Tally {
        let requests = self.requests.expect("without CrowdSettings::requests there is no last one");
        self.wait_for("the last request", limit, |all| all.sent == requests && all.in_flight == 0);
        self.so_far()
    }

    /// The tally so far.
    pub fn so_far(&self) -> Tally {
        self.shared.ledger().tally().clone()
    }

    /// The number of sessions of each target. A session belongs to the target that has answered it last.
    pub fn pins(&self) -> BTreeMap<String, usize> {
        self.shared.ledger().pins()
    }

    /// The lowest number of answers of any session.
    pub fn fewest_answers_of_a_session(&self) -> u32 {
        self.shared.ledger().fewest_of_a_session()
    }

    /// The lowest number of answers on any connection.
    pub fn fewest_answers_of_a_connection(&self) -> u32 {
        self.shared.ledger().fewest_of_a_connection()
    }

    /// Sets the listeners of all new connections. Open connections stay until the other side closes them, as after a change of DNS.
    #[track_caller]
    pub fn set_listeners(&self, listeners: &[SocketAddr]) {
        self.shared.set_listeners(listeners);
    }

    /// Stops sending, waits for the answers in flight and returns the tally.
    #[track_caller]
    pub fn stop(mut self) -> Tally {
        self.end()
    }

    #[track_caller]
    fn end(&mut self) -> Tally {
        self.shared.sessions.end();
        let ended = self.thread.take().is_none_or(|thread| thread.join().is_ok());
        // A second panic would abort the tests and hide the first one.
        assert!(ended || std::thread::panicking(), "a sender of the crowd has panicked");
        self.so_far()
    }

    #[track_caller]
    fn wait(&self, what: impl Fn() -> String, limit: Duration, condition: impl Fn() -> bool) {
        let start = Instant::now();
        let came = wait_until("", limit, &condition).is_ok();
        assert!(came, "waited {:?} for {}, without success; so far: {}", start.elapsed(), what(), self.so_far());
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
