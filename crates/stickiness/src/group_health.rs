//! Remembers which target groups have a healthy target.
//!
//! The proxy does not report the health of a target group, but three things show it: an answer of one of its targets, the
//! proxy's own answer because no target is healthy, and whether the proxy accepts a probe request to the group. The probe alone
//! proves little: the proxy also refuses it when the group has as many requests as its limit allows. A group is therefore not
//! probed while requests to it are under way or have just been answered.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::time::Timestamp;

/// The time for which an observation counts. Health checks are usually less frequent.
pub(crate) const RELIED_ON_FOR: Duration = Duration::from_secs(1);

/// The observations of target groups. Only groups of rules are observed, so they are few.
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
    /// Records that a request to this target group has started.
    pub(crate) fn request_started(&mut self, target_group: &str) {
        let known = self.known(target_group);
        known.under_way = known.under_way.saturating_add(1);
    }

    /// Records that a request to this target group has been answered or given up.
    pub(crate) fn request_ended(&mut self, target_group: &str) {
        let known = self.known(target_group);
        known.under_way = known.under_way.saturating_sub(1);
    }

    /// Records that an answer showed whether this target group has a healthy target.
    pub(crate) fn saw(&mut self, target_group: &str, is_alive: bool, at: Timestamp) {
        self.known(target_group).seen = Some(Seen { is_alive, at });
    }

    /// Whether this target group has a healthy target: by a recent observation, otherwise by what `ask` finds now.
    pub(crate) fn is_alive(&mut self, target_group: &str, now: Timestamp, ask: impl FnOnce() -> bool) -> bool {
        let known = self.known(target_group);
        // If the clock was set back, the age of the observation is unknown.
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

    /// A group that was seen healthy or empty at 0.
    fn seen(is_alive: bool) -> GroupHealth {
        let mut health = GroupHealth::default();
        health.saw("blue", is_alive, at(0));
        health
    }

    #[test]
    fn an_unknown_group_is_asked_once() {
        let mut health = GroupHealth::default();
        assert!(!health.is_alive("blue", at(0), || false));
        assert!(!health.is_alive("blue", at(1000), || true));
        assert!(health.is_alive("green", at(0), || true));
    }

    #[test]
    fn a_group_is_asked_again_after_a_second() {
        for was_alive in [true, false] {
            assert_eq!(seen(was_alive).is_alive("blue", at(1_000), || !was_alive), was_alive);
            assert_eq!(seen(was_alive).is_alive("blue", at(1_001), || !was_alive), !was_alive);
        }
    }

    #[test]
    fn the_last_observation_counts() {
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
    fn after_the_clock_was_set_back_a_group_is_asked_again() {
        assert!(seen(false).is_alive("blue", Timestamp::from_millis(0), || true));
        assert!(!seen(true).is_alive("blue", Timestamp::from_millis(0), || false));
    }
}
