//! The statistics: `sticky_sessions.target_group.<name>.<outcome>` and `….issued`, to which Envoy adds `wasmcustom.`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use stickiness::outcome::Outcome;

use crate::counted_groups::CountedGroups;
use crate::host;

/// The name under which the target groups without counters of their own are counted together.
const ALL_OTHERS: &str = "_others";

thread_local! {
    // One VM is one worker. Its counters outlive a plugin: Envoy makes another entry each time that a name is defined.
    static COUNTERS: Rc<Counters> = Rc::default();
}

/// An event that is counted.
#[derive(Clone, Copy)]
pub(crate) enum Event {
    /// A request ended so.
    Outcome(Outcome),
    /// An answer was given cookies.
    Issued,
}

/// The counters of a worker, by target group.
#[derive(Default)]
pub(crate) struct Counters {
    // Ordered, because a map of std that hashes draws a seed, and panics where the host gives no random bytes.
    by_target_group: RefCell<BTreeMap<String, TargetGroupCounters>>,
    all_others: RefCell<Option<TargetGroupCounters>>,
    counted: CountedGroups,
}

struct TargetGroupCounters {
    outcomes: [Counter; Outcome::ALL.len()],
    issued: Counter,
}

/// Envoy's counter, if it gave one, and what it has not been told yet.
pub(crate) struct Counter {
    id: Option<u32>,
    untold: u32,
}

impl Counters {
    /// Those of the worker that runs this.
    pub(crate) fn of_this_worker() -> Rc<Self> {
        COUNTERS.with(Rc::clone)
    }

    /// Visits the counter of an event.
    pub(crate) fn with(&self, target_group: &str, event: Event, visit: impl FnOnce(&mut Counter)) {
        let mut by_target_group = self.by_target_group.borrow_mut();
        if let Some(counters) = by_target_group.get_mut(target_group) {
            return visit(counters.of(event));
        }
        if self.counted.contains(target_group, by_target_group.len()) {
            let counters = by_target_group.entry(target_group.to_owned());
            visit(counters.or_insert_with(|| TargetGroupCounters::define(target_group)).of(event));
        } else {
            let mut all_others = self.all_others.borrow_mut();
            visit(all_others.get_or_insert_with(|| TargetGroupCounters::define(ALL_OTHERS)).of(event));
        }
    }

    /// Tells Envoy what it has not been told yet.
    pub(crate) fn tell(&self) {
        let (mut own, mut all_others) = (self.by_target_group.borrow_mut(), self.all_others.borrow_mut());
        own.values_mut().chain(all_others.as_mut()).flat_map(TargetGroupCounters::all).for_each(Counter::tell);
    }
}

impl TargetGroupCounters {
    fn define(target_group: &str) -> Self {
        let undefined = || Counter { id: None, untold: 0 };
        let mut counters = Self { outcomes: Outcome::ALL.map(|_| undefined()), issued: undefined() };
        let words = Outcome::ALL.iter().map(|outcome| outcome.word()).chain(["issued"]);
        for (counter, word) in counters.all().zip(words) {
            counter.id = host::define_counter(&format!("sticky_sessions.target_group.{target_group}.{word}"));
        }
        counters
    }

    fn of(&mut self, event: Event) -> &mut Counter {
        let outcomes = Outcome::ALL.into_iter().zip(&mut self.outcomes);
        let of_outcome =
            outcomes.filter(|(outcome, _)| matches!(event, Event::Outcome(counted) if counted == *outcome));
        // An event that is no outcome is the other one.
        of_outcome.map(|(_, counter)| counter).next().unwrap_or(&mut self.issued)
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Counter> {
        self.outcomes.iter_mut().chain([&mut self.issued])
    }
}

impl Counter {
    /// One more, of which Envoy learns with the next [`Counter::tell`].
    pub(crate) fn add(&mut self) {
        self.untold = self.untold.saturating_add(1);
    }

    /// Tells Envoy what it has not been told yet.
    pub(crate) fn tell(&mut self) {
        // Envoy refuses a count of nothing.
        if let Some(id) = self.id.filter(|_| self.untold > 0) {
            host::increment(id, self.untold);
        }
        self.untold = 0;
    }
}
