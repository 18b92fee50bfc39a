//! Sends requests of one session after another on one connection of the crowd.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::Loss;
use crate::answer::Answer;
use crate::connection::{Broken, Connection};
use crate::jar::Jar;
use crate::ledger::{Ledger, Sent};
use crate::sessions::Sessions;

/// The number of connections that are opened at the same time. A thousand at the start would overflow the listener's queue.
const OPENED_AT_ONCE: usize = 64;

/// The state that all connections share.
pub(crate) struct Shared {
    pub(crate) sessions: Sessions,
    ledger: Mutex<Ledger>,
    listeners: Mutex<Vec<SocketAddr>>,
    /// Counts the opened connections, which use the listeners in turn.
    turn: AtomicUsize,
    opening: Semaphore,
    timeout: Duration,
    requests_per_connection: Option<u32>,
    path: String,
}

impl Shared {
    pub(crate) fn new(settings: &crate::CrowdSettings) -> Self {
        Self {
            sessions: Sessions::new(settings.sessions, settings.pause, settings.requests),
            ledger: Mutex::new(Ledger::new(settings.sessions, settings.connections)),
            listeners: Mutex::new(settings.listeners.clone()),
            turn: AtomicUsize::new(0),
            opening: Semaphore::new(OPENED_AT_ONCE),
            timeout: settings.timeout,
            requests_per_connection: settings.requests_per_connection,
            path: settings.path.clone(),
        }
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_listeners(&self, listeners: &[SocketAddr]) {
        assert!(!listeners.is_empty(), "a crowd needs a listener");
        *self.listeners.lock().unwrap_or_else(PoisonError::into_inner) = listeners.to_vec();
    }

    fn next_listener(&self) -> SocketAddr {
        let listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners[self.turn.fetch_add(1, Ordering::Relaxed) % listeners.len()]
    }
}

/// One connection of the crowd, and its replacements.
pub(crate) struct Sender {
    shared: Arc<Shared>,
    number: usize,
    connection: Option<Connection>,
}

impl Sender {
    pub(crate) fn new(shared: Arc<Shared>, number: usize) -> Self {
        Self { shared, number, connection: None }
    }

    /// Sends requests of one session after another until there are no more turns.
    pub(crate) async fn run(mut self) {
        // The connection is opened before there is a request, so that all connections are open together. If this fails, the first
        // request tries it again.
        self.connection = self.open().await.ok();
        while let Some(mut session) = self.shared.sessions.next().await {
            let sent = Sent { session: session.number, at: Instant::now() };
            self.shared.ledger().sent();
            let request = self.request(&session.jar);
            let timeout = self.shared.timeout;
            match tokio::time::timeout(timeout, self.ask(request.as_bytes())).await.unwrap_or(Err(Loss::Timeout)) {
                Ok(answer) => {
                    session.jar.keep(&answer.set_cookies);
                    self.shared.ledger().answered(sent, self.number, &answer);
                }
                Err(loss) => self.shared.ledger().lost(sent, loss),
            }
            self.shared.sessions.rest(session);
        }
    }

    fn request(&self, jar: &Jar) -> String {
        let cookie = if jar.header().is_empty() { "" } else { "\r\ncookie: " };
        format!("GET {} HTTP/1.1\r\nhost: localhost{cookie}{}\r\n\r\n", self.shared.path, jar.header())
    }

    /// Sends a request on the open connection. If that connection has just ended, sends it again on a new one.
    async fn ask(&mut self, request: &[u8]) -> Result<Answer, Loss> {
        loop {
            // The connection is put back only after an answer. After a loss, late bytes would belong to this request.
            let kept = self.connection.take().filter(|connection| !connection.has_ended());
            let may_repeat = kept.is_some();
            let mut connection = match kept {
                Some(connection) => connection,
                None => self.open().await?,
            };
            match connection.exchange(request).await {
                Ok(answer) => {
                    let enough = self.shared.requests_per_connection.is_some_and(|most| connection.answered >= most);
                    self.connection = Some(connection).filter(|_| !answer.closes && !enough);
                    return Ok(answer);
                }
                Err(Broken::BeforeTheAnswer) if may_repeat => self.shared.ledger().repeated(),
                Err(Broken::BeforeTheAnswer) => return Err(Loss::Reset),
                Err(Broken::InsideTheAnswer) => return Err(Loss::Truncated),
                Err(Broken::NotHttp(why)) => return Err(Loss::NotHttp(why)),
            }
        }
    }

    async fn open(&self) -> Result<Connection, Loss> {
        let _permit = self.shared.opening.acquire().await;
        let connection = Connection::open(self.shared.next_listener()).await.map_err(|error| match error.kind() {
            ErrorKind::TimedOut => Loss::Timeout,
            _ => Loss::Refused,
        })?;
        self.shared.ledger().opened();
        Ok(connection)
    }
}
