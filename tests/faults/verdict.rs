//! The allowed effects of a fault, its real effects, and its row in the report.

use std::collections::BTreeMap;
use std::time::Instant;

use harness::Report;
use traffic::{Loss, Lost, Moved, Tally};

use crate::fixture::{Fixture, SESSIONS};

const REPORT: Report = Report::of(
    "faults",
    &[
        "fault",
        "sessions",
        "requests",
        "moved from living targets",
        "lost",
        "in flight on dead targets",
        "sessions of dead targets",
        "largest deviation from an even share",
        "beside",
    ],
);

/// The largest allowed distance of a target's share from an even share, in standard deviations of a fair draw. A fair draw among
/// three targets exceeds it once in half a million runs.
const BOUND: f64 = 5.0;

/// A fault and its allowed effects.
pub(crate) struct Verdict {
    fault: &'static str,
    sessions: usize,
    gone: Vec<Gone>,
    unserved: Vec<Excuse<Lost>>,
    ended: Vec<Excuse<Moved>>,
    beside: Vec<String>,
}

/// A target whose sessions must move.
pub(crate) struct Gone {
    target: String,
    sessions: usize,
    heirs: Vec<String>,
    died: Option<Died>,
}

struct Died {
    /// The time from which no request was sent to it.
    known: Instant,
    /// The loss of the requests that were sent before.
    loss: Loss,
}

/// An effect that is allowed for another reason. It is counted separately.
struct Excuse<T> {
    why: &'static str,
    is_it: Box<dyn Fn(&T) -> bool>,
}

impl<T> Excuse<T> {
    /// Removes the excused items and returns their number, as text.
    fn take(&self, all: &mut Vec<&T>) -> String {
        let before = all.len();
        all.retain(|one| !(self.is_it)(one));
        format!("{} {}", before - all.len(), self.why)
    }
}

/// The effects of a fault.
struct Findings {
    row: [String; 9],
    /// The effects that are not allowed.
    wrong: Vec<String>,
}

impl Verdict {
    pub(crate) fn on(fault: &'static str) -> Self {
        Self { fault, sessions: SESSIONS, gone: vec![], unserved: vec![], ended: vec![], beside: vec![] }
    }

    /// Sets the number of sessions, if it is not the usual one.
    pub(crate) fn sessions(self, sessions: usize) -> Self {
        Self { sessions, ..self }
    }

    /// The sessions of this target must move, each once.
    pub(crate) fn gone(mut self, gone: Gone) -> Self {
        self.gone.push(gone);
        self
    }

    /// Allows lost requests that no target could serve, or that a target broke off.
    pub(crate) fn unserved(mut self, why: &'static str, is_it: impl Fn(&Lost) -> bool + 'static) -> Self {
        self.unserved.push(Excuse { why, is_it: Box::new(is_it) });
        self
    }

    /// Allows sessions that had ended to start again at another target.
    pub(crate) fn ended(mut self, why: &'static str, is_it: impl Fn(&Moved) -> bool + 'static) -> Self {
        self.ended.push(Excuse { why, is_it: Box::new(is_it) });
        self
    }

    /// Adds a note to the row.
    pub(crate) fn beside(mut self, note: String) -> Self {
        self.beside.push(note);
        self
    }

    /// Adds the row to the report. Fails if an effect is not allowed. The tally must be that of a stopped crowd.
    #[track_caller]
    pub(crate) fn report(&self, tally: &Tally) {
        let findings = self.findings(tally);
        REPORT.row(&findings.row);
        assert!(findings.wrong.is_empty(), "{}: {}; {tally}", self.fault, findings.wrong.join("; "));
    }

    fn findings(&self, tally: &Tally) -> Findings {
        let mut lost: Vec<&Lost> = tally.lost.iter().filter(|lost| !self.was_in_flight(lost)).collect();
        let mut moved: Vec<&Moved> = tally.moved.iter().filter(|moved| self.is_living(&moved.from)).collect();
        let in_flight = tally.lost.len() - lost.len();
        let unserved = self.unserved.iter().map(|excuse| excuse.take(&mut lost));
        let mut beside: Vec<String> = self.beside.iter().cloned().chain(unserved).collect();
        beside.extend(self.ended.iter().map(|excuse| excuse.take(&mut moved)));
        if tally.repeated > 0 {
            beside.push(format!("{} sent again when a kept connection had closed", tally.repeated));
        }
        let spreads: Vec<Spread> = self.gone.iter().map(|gone| gone.spread(tally)).collect();
        let widest = spreads.iter().max_by(|a, b| a.excess().total_cmp(&b.excess()));
        let of_gone = |count: usize| if self.gone.is_empty() { "-".to_owned() } else { count.to_string() };
        let row = [
            self.fault.to_owned(),
            self.sessions.to_string(),
            tally.sent.to_string(),
            moved.len().to_string(),
            lost.len().to_string(),
            of_gone(in_flight),
            of_gone(self.gone.iter().map(|gone| gone.sessions).sum()),
            widest.map_or_else(|| "-".to_owned(), ToString::to_string),
            beside.join(", "),
        ];

        let mut wrong = Vec::new();
        let refused: u64 = tally.refused.values().sum();
        if tally.in_flight > 0 || tally.sent != tally.answered + refused + u64::try_from(tally.lost.len()).unwrap() {
            wrong.push("some requests have not ended".to_owned());
        }
        if let Some(first) = moved.first() {
            wrong.push(format!("{} sessions of living targets moved, as {first:?}", moved.len()));
        }
        if let Some(first) = lost.first() {
            wrong.push(format!("{} requests were lost, as {first:?}", lost.len()));
        }
        wrong.extend(self.gone.iter().filter_map(|gone| gone.is_wrong(tally)));
        let uneven = self.gone.iter().zip(&spreads).filter(|(_, spread)| spread.excess() > 1.0);
        wrong.extend(uneven.map(|(gone, spread)| format!("from {} to {:?}: {spread}", gone.target, spread.shares)));
        Findings { row, wrong }
    }

    fn is_living(&self, target: &str) -> bool {
        self.gone.iter().all(|gone| gone.target != target)
    }

    fn was_in_flight(&self, lost: &Lost) -> bool {
        self.gone.iter().any(|gone| gone.held(lost))
    }
}

impl Gone {
    /// A target with its present sessions, and the targets to which they can move.
    pub(crate) fn of(fixture: &Fixture, target: &str, heirs: &[&str]) -> Self {
        let heirs = heirs.iter().map(|heir| (*heir).to_owned()).collect();
        Self { target: target.to_owned(), sessions: fixture.sessions_of(target), heirs, died: None }
    }

    /// The target is dead and gets no more requests. The requests in flight to it are lost in this way.
    pub(crate) fn known(self, loss: Loss) -> Self {
        Self { died: Some(Died { known: Instant::now(), loss }), ..self }
    }

    /// The number of its sessions.
    pub(crate) fn sessions(&self) -> usize {
        self.sessions
    }

    /// True if a lost request was in flight to this target.
    fn held(&self, lost: &Lost) -> bool {
        let of_its_end = |died: &Died| lost.sent <= died.known && lost.loss == died.loss;
        lost.pin.as_deref() == Some(&self.target) && self.died.as_ref().is_some_and(of_its_end)
    }

    fn is_wrong(&self, tally: &Tally) -> Option<String> {
        let moved = tally.moved.iter().filter(|moved| *moved.from == *self.target);
        let mut times: BTreeMap<usize, usize> = BTreeMap::new();
        moved.for_each(|moved| *times.entry(moved.session).or_default() += 1);
        let once = times.values().filter(|times| **times == 1).count();
        let all = self.sessions;
        (once != all || times.len() != all)
            .then(|| format!("of {all} sessions of {}, {once} moved once and {} in all", self.target, times.len()))
    }

    fn spread(&self, tally: &Tally) -> Spread {
        let mut shares: BTreeMap<String, usize> = self.heirs.iter().map(|heir| (heir.clone(), 0)).collect();
        for moved in tally.moved.iter().filter(|moved| *moved.from == *self.target) {
            *shares.entry(moved.to.to_string()).or_default() += 1;
        }
        Spread { shares, heirs: self.heirs.len() }
    }
}

/// The distribution of a target's sessions over the others.
struct Spread {
    shares: BTreeMap<String, usize>,
    heirs: usize,
}

impl Spread {
    fn even(&self) -> f64 {
        real(self.shares.values().sum()) / real(self.heirs)
    }

    /// The largest distance of a share from the even share.
    fn deviation(&self) -> f64 {
        self.shares.values().map(|share| (real(*share) - self.even()).abs()).fold(0.0, f64::max)
    }

    /// The largest allowed distance. The shares of a fair draw have a binomial distribution.
    fn bound(&self) -> f64 {
        BOUND * (self.even() * (1.0 - 1.0 / real(self.heirs))).sqrt()
    }

    fn excess(&self) -> f64 {
        if self.deviation() == 0.0 { 0.0 } else { self.deviation() / self.bound() }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.0} of {:.0} (bound {:.0})", self.deviation(), self.even(), self.bound())
    }
}

fn real(count: usize) -> f64 {
    u32::try_from(count).map(f64::from).unwrap()
}

#[cfg(test)]
mod tests;
