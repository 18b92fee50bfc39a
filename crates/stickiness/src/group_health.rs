//! Which target groups have a healthy target?
//!
//! Envoy tells no filter about the health of a cluster, but it shows: in an answer of one of its targets, in an answer that
//! Envoy gives itself for want of one, and in whether Envoy takes a request of the filter's own for the cluster. The last
//! is no proof, because Envoy takes none either for a cluster that has as many as it may: so nobody is asked while
//! requests to the group are under way or have been answered a moment ago.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::time::Timestamp;

/// How long what was seen is relied on. Envoy's health checks are hardly more frequent.
pub(crate) const RELIED_ON_FOR: Duration = Duration::from_secs(1);

/// What was seen of target groups. Only those of rules come in, so they are few.
#[derive(Debug, Default)]
pub(crate) struct GroupHealth(BTreeMap<String, Known>);

#[derive(Debug, Default)]
struct Known {
    under_way: u32,
    seen: Option<Seen>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    is_alive: bool,
    at: Timestamp,
}

impl GroupHealth {
    /// A request is on its way there.
    pub(crate) fn request_started(&mut self, target_group: &str) {
        let known = self.known(target_group);
        known.under_way = known.under_way.saturating_add(1);
    }

    /// A request that was on its way there has been answered or given up.
    pub(crate) fn request_ended(&mut self, target_group: &str) {
        let known = self.known(target_group);
        known.under_way = known.under_way.saturating_sub(1);
    }

    /// An answer showed whether a target is healthy there.
    pub(crate) fn saw(&mut self, target_group: &str, is_alive: bool, at: Timestamp) {
        self.known(target_group).seen = Some(Seen { is_alive, at });
    }

    /// Whether a target is healthy there: as was seen a moment ago, otherwise as `ask` finds it now.
    pub(crate) fn is_alive(&mut self, target_group: &str, now: Timestamp, ask: impl FnOnce() -> bool) -> bool {
        let known = self.known(target_group);
        // A clock that was set back says nothing about how long ago something was.
        let seen = known.seen.filter(|seen| seen.at <= now);
        let was_alive = seen.is_none_or(|seen| seen.is_alive);
        let is_known = seen.is_some_and(|seen| now.since(seen.at) <= RELIED_ON_FOR);
        if is_known || (was_alive && known.under_way > 0) {
            return was_alive;
        }
        let is_alive = ask();
        known.seen = Some(Seen { is_alive, at: now });
        is_alive
    }

    fn known(&mut self, target_group: &str) -> &mut Known {
        self.0.entry(target_group.to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Timestamp {
        Timestamp::from_millis(100_000 + milliseconds)
    }

    /// A group that was seen so at 0.
    fn seen(is_alive: bool) -> GroupHealth {
        let mut health = GroupHealth::default();
        health.saw("blue", is_alive, at(0));
        health
    }

    #[test]
    fn what_nobody_saw_is_asked_for_and_then_known() {
        let mut health = GroupHealth::default();
        assert!(!health.is_alive("blue", at(0), || false));
        assert!(!health.is_alive("blue", at(1000), || true));
        assert!(health.is_alive("green", at(0), || true));
    }

    #[test]
    fn what_was_seen_is_asked_for_again_after_a_second() {
        for was_alive in [true, false] {
            assert_eq!(seen(was_alive).is_alive("blue", at(1_000), || !was_alive), was_alive);
            assert_eq!(seen(was_alive).is_alive("blue", at(1_001), || !was_alive), !was_alive);
        }
    }

    #[test]
    fn what_was_seen_last_counts() {
        let mut health = seen(true);
        health.saw("blue", false, at(1));
        assert!(!health.is_alive("blue", at(1), || true));
    }

    #[test]
    fn a_group_is_not_asked_while_requests_to_it_are_under_way() {
        let mut health = seen(true);
        health.request_started("blue");
        health.request_started("blue");
        health.request_ended("blue");
        assert!(health.is_alive("blue", at(60_000), || false));
        health.request_ended("blue");
        assert!(!health.is_alive("blue", at(60_000), || false));
        let mut new = GroupHealth::default();
        new.request_started("blue");
        assert!(new.is_alive("blue", at(0), || false));
    }

    #[test]
    fn a_group_that_is_empty_stays_so_although_requests_are_under_way() {
        let mut health = seen(false);
        health.request_started("blue");
        assert!(!health.is_alive("blue", at(1_000), || true));
        assert!(!health.is_alive("blue", at(1_001), || false));
    }

    #[test]
    fn what_was_seen_before_the_clock_was_set_back_is_asked_for() {
        assert!(seen(false).is_alive("blue", Timestamp::from_millis(0), || true));
        assert!(!seen(true).is_alive("blue", Timestamp::from_millis(0), || false));
    }
}
