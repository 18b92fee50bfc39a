//! The queue of the sessions that wait for their turn.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use crate::jar::Jar;

/// A session without a request in flight.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) number: usize,
    pub(crate) jar: Jar,
}

/// The queue. All sessions pause equally long, so the first one in the queue is the first one to be ready.
pub(crate) struct Sessions {
    waiting: Mutex<Waiting>,
    arrived: Notify,
    over: watch::Sender<bool>,
    pause: Duration,
}

struct Waiting {
    sessions: VecDeque<(Instant, Session)>,
    /// The number of remaining turns. `None` for no limit.
    turns: Option<u64>,
}

enum Taken {
    /// The first session of the queue, and the time of its turn.
    Session(Instant, Session),
    /// All sessions have a request in flight.
    NoneYet,
    /// There are no more turns.
    NoMore,
}

impl Sessions {
    /// A queue of so many sessions with so many turns. The first turns are spread over one pause.
    pub(crate) fn new(count: usize, pause: Duration, turns: Option<u64>) -> Self {
        let now = Instant::now();
        let step = pause.checked_div(u32::try_from(count).unwrap_or(u32::MAX)).unwrap_or_default();
        let sessions =
            (0..count).zip(0..).map(|(number, place)| (now + step * place, Session { number, jar: Jar::default() }));
        let waiting = Mutex::new(Waiting { sessions: sessions.collect(), turns });
        Self { waiting, arrived: Notify::new(), over: watch::Sender::new(false), pause }
    }

    /// The next session, at its turn. When there are no more turns, this waits for the end and returns `None`, so that the connection
    /// stays open until then.
    pub(crate) async fn next(&self) -> Option<Session> {
        let mut over = self.over.subscribe();
        tokio::select! {
            biased;
            _ = over.wait_for(|over| *over) => None,
            session = self.turn() => Some(session),
        }
    }

    /// Puts a session back after its request. Its pause begins.
    pub(crate) fn rest(&self, session: Session) {
        self.waiting().sessions.push_back((Instant::now() + self.pause, session));
        self.arrived.notify_one();
    }

    /// Ends the queue.
    pub(crate) fn end(&self) {
        self.over.send_replace(true);
    }

    async fn turn(&self) -> Session {
        loop {
            match self.take() {
                Taken::Session(ready, session) => {
                    if ready > Instant::now() {
                        sleep_until(ready).await;
                    }
                    return session;
                }
                Taken::NoneYet => self.arrived.notified().await,
                Taken::NoMore => {
                    // This wakes the next waiting connection, which then does the same.
                    self.arrived.notify_one();
                    return pending().await;
                }
            }
        }
    }

    fn take(&self) -> Taken {
        let mut waiting = self.waiting();
        if waiting.turns == Some(0) {
            return Taken::NoMore;
        }
        let Some((ready, session)) = waiting.sessions.pop_front() else {
            return Taken::NoneYet;
        };
        waiting.turns = waiting.turns.map(|turns| turns - 1);
        Taken::Session(ready, session)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
