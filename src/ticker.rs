//! Tells the time. A busy worker reads Envoy's clock with a timer instead of twice for every request.

use std::cell::Cell;
use std::time::Duration;

use stickiness::time::Timestamp;

use crate::host;

/// The time of a busy worker lags behind by this at most.
const PERIOD: Duration = Duration::from_millis(50);

/// A worker is busy with more readings of the clock than this in a period: with 5,000 requests a second, since each has two.
/// Another worker would save little, and its counters are exact at any time.
const BUSY: u32 = 500;

/// The timer of one plugin in one worker. It runs while the worker is busy.
pub(crate) struct Ticker {
    state: Cell<State>,
    /// When the worker is ticking, the time of the last tick; otherwise the start of the period.
    since: Cell<Timestamp>,
    /// The number of readings of the clock since then.
    readings: Cell<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Off,
    /// Asked for. An operator may have forbidden the callback, so nothing relies on it before it has come once.
    Awaited,
    Ticking,
}

impl Ticker {
    pub(crate) const fn new() -> Self {
        Self { state: Cell::new(State::Off), since: Cell::new(Timestamp::from_millis(0)), readings: Cell::new(0) }
    }

    /// The time; in a busy worker, what it was at most [`PERIOD`] ago.
    pub(crate) fn now(&self) -> Timestamp {
        self.readings.set(self.readings.get().saturating_add(1));
        if self.is_ticking() {
            return self.since.get();
        }
        let now = host::now();
        if now.since(self.since.get()) >= PERIOD || now < self.since.get() {
            self.begin_period(now);
        } else if self.readings.get() > BUSY && self.state.get() == State::Off && host::start_ticking(PERIOD) {
            self.state.set(State::Awaited);
        }
        now
    }

    /// Tells whether [`Ticker::tick`] will be called again soon.
    pub(crate) fn is_ticking(&self) -> bool {
        self.state.get() == State::Ticking
    }

    /// [`PERIOD`] has passed.
    pub(crate) fn tick(&self) {
        if self.readings.get() > BUSY {
            self.state.set(State::Ticking);
        } else {
            host::stop_ticking();
            self.state.set(State::Off);
        }
        self.begin_period(host::now());
    }

    fn begin_period(&self, now: Timestamp) {
        self.since.set(now);
        self.readings.set(0);
    }
}
