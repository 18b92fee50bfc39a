//! Whose turn is it?

use std::collections::VecDeque;
use std::future::pending;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};

use crate::jar::Jar;

/// A session that is not under way.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) number: usize,
    pub(crate) jar: Jar,
}

/// The sessions that wait for their turn. All pause equally long, so the one that came first is the first to go.
pub(crate) struct Sessions {
    waiting: Mutex<Waiting>,
    arrived: Notify,
    over: watch::Sender<bool>,
    pause: Duration,
}

struct Waiting {
    sessions: VecDeque<(Instant, Session)>,
    /// How many turns are still to be given; `None` for no end.
    turns: Option<u64>,
}

enum Taken {
    /// The session that has waited longest, and when its turn is.
    Session(Instant, Session),
    /// All are under way.
    NoneYet,
    /// All turns have been given.
    NoMore,
}

impl Sessions {
    /// So many sessions whose first turns are spread over one pause. After so many turns there are no more.
    pub(crate) fn new(count: usize, pause: Duration, turns: Option<u64>) -> Self {
        let now = Instant::now();
        let step = pause.checked_div(u32::try_from(count).unwrap_or(u32::MAX)).unwrap_or_default();
        let sessions =
            (0..count).zip(0..).map(|(number, place)| (now + step * place, Session { number, jar: Jar::default() }));
        let waiting = Mutex::new(Waiting { sessions: sessions.collect(), turns });
        Self { waiting, arrived: Notify::new(), over: watch::Sender::new(false), pause }
    }

    /// The next session, when its turn has come. `None` at the end, for which one waits when there are no more turns: the
    /// connection stays open until then.
    pub(crate) async fn next(&self) -> Option<Session> {
        let mut over = self.over.subscribe();
        tokio::select! {
            biased;
            _ = over.wait_for(|over| *over) => None,
            session = self.turn() => Some(session),
        }
    }

    /// Gives a session back after its request: it pauses.
    pub(crate) fn rest(&self, session: Session) {
        self.waiting().sessions.push_back((Instant::now() + self.pause, session));
        self.arrived.notify_one();
    }

    /// Gives no more turns.
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
                    // Whoever else waits for an arrival hears of it too, one by one.
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
