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

#[derive(Clone, Copy)]
struct TargetGroupCounters {
    outcomes: [Option<u32>; Outcome::ALL.len()],
    issued: Option<u32>,
}

/// Counts what became of a request.
pub(crate) fn count(target_group: &str, outcome: Outcome) {
    let position = Outcome::ALL.iter().position(|one| *one == outcome);
    let counters = of(target_group).outcomes;
    if let Some(counter) = position.and_then(|position| counters.get(position).copied().flatten()) {
        host::increment(counter);
    }
}

/// Counts an answer that was given cookies.
pub(crate) fn count_issued(target_group: &str) {
    if let Some(counter) = of(target_group).issued {
        host::increment(counter);
    }
}

fn of(target_group: &str) -> TargetGroupCounters {
    COUNTERS.with_borrow_mut(|by_target_group| {
        if let Some(counters) = by_target_group.get(target_group) {
            return *counters;
        }
        let name = if by_target_group.len() < MAX_TARGET_GROUPS { target_group } else { ALL_OTHERS };
        *by_target_group.entry(name.to_owned()).or_insert_with(|| TargetGroupCounters::define(name))
    })
}

impl TargetGroupCounters {
    fn define(target_group: &str) -> Self {
        let define = |word| host::define_counter(&format!("sticky_sessions.target_group.{target_group}.{word}"));
        Self { outcomes: Outcome::ALL.map(|outcome| define(outcome.word())), issued: define("issued") }
    }
}
