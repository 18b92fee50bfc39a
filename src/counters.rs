//! The statistics: `sticky_sessions.target_group.<name>.<outcome>` and `….issued`, to which Envoy adds `wasmcustom.`.

use std::cell::RefCell;
use std::collections::BTreeMap;

use stickiness::outcome::Outcome;

use crate::host;

/// The most target groups with counters of their own: clusters come and go, and Envoy never forgets a counter.
const MAX_TARGET_GROUPS: usize = 1000;

/// The name under which the target groups beyond [`MAX_TARGET_GROUPS`] are counted together.
const ALL_OTHERS: &str = "_others";

thread_local! {
    // One VM is one worker. Counters outlive a configuration: Envoy gives a new one each time a name is defined. Ordered, because a
    // map of std that hashes draws a seed, and panics where the host gives no random bytes.
    static COUNTERS: RefCell<BTreeMap<String, TargetGroupCounters>> = RefCell::default();
}

struct TargetGroupCounters {
    outcomes: [Counter; Outcome::ALL.len()],
    issued: Counter,
}

/// Envoy's counter, if it gave one, and what it has not been told yet.
struct Counter {
    id: Option<u32>,
    untold: u32,
}

/// Counts what became of a request; Envoy is told at once or with the next [`flush`].
pub(crate) fn count(target_group: &str, outcome: Outcome, at_once: bool) {
    let position = Outcome::ALL.iter().position(|one| *one == outcome);
    with(target_group, |counters| {
        if let Some(counter) = position.and_then(|position| counters.outcomes.get_mut(position)) {
            counter.count(at_once);
        }
    });
}

/// Counts an answer that was given cookies; Envoy is told at once or with the next [`flush`].
pub(crate) fn count_issued(target_group: &str, at_once: bool) {
    with(target_group, |counters| counters.issued.count(at_once));
}

/// Tells Envoy what it has not been told yet.
pub(crate) fn flush() {
    COUNTERS.with_borrow_mut(|by_target_group| {
        by_target_group.values_mut().flat_map(TargetGroupCounters::all).for_each(Counter::flush);
    });
}

fn with(target_group: &str, visit: impl FnOnce(&mut TargetGroupCounters)) {
    COUNTERS.with_borrow_mut(|by_target_group| {
        if let Some(counters) = by_target_group.get_mut(target_group) {
            return visit(counters);
        }
        let name = if by_target_group.len() < MAX_TARGET_GROUPS { target_group } else { ALL_OTHERS };
        visit(by_target_group.entry(name.to_owned()).or_insert_with(|| TargetGroupCounters::define(name)));
    });
}

impl TargetGroupCounters {
    fn define(target_group: &str) -> Self {
        let define = |word| Counter {
            id: host::define_counter(&format!("sticky_sessions.target_group.{target_group}.{word}")),
            untold: 0,
        };
        Self { outcomes: Outcome::ALL.map(|outcome| define(outcome.word())), issued: define("issued") }
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Counter> {
        self.outcomes.iter_mut().chain([&mut self.issued])
    }
}

impl Counter {
    fn count(&mut self, at_once: bool) {
        self.untold = self.untold.saturating_add(1);
        if at_once {
            self.flush();
        }
    }

    fn flush(&mut self) {
        // Envoy refuses a count of nothing.
        if let Some(id) = self.id.filter(|_| self.untold > 0) {
            host::increment(id, self.untold);
        }
        self.untold = 0;
    }
}
