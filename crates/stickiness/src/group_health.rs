//! Remembers which target groups have a healthy target.
//!
//! The proxy does not report the health of a target group. These observations show it:
//!
//! - An answer of one of its targets: the group was alive when the request came. Targets that are unhealthy still answer the
//!   requests that they have.
//! - A probe request: the proxy refuses it at once where no target is healthy. It also refuses it when the group has as many
//!   requests as its limit allows. A group is therefore not probed while requests to it are under way or have just been answered.
//! - The proxy's own answer because it found no healthy target for a request. It proves nothing about the group: the route of the
//!   request may lead to a subset of the targets, and a strict pin may lead to one. It raises a doubt, and the next request to the
//!   group settles the doubt with a probe, although requests are under way.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::time::Timestamp;

/// The time for which an observation counts. Health checks are usually less frequent.
///
/// It is also the shortest time between two probes that settle a doubt, however many requests find no target.
pub(crate) const RELIED_ON_FOR: Duration = Duration::from_secs(1);

/// The observations of target groups. Only groups of rules are observed, so they are few.
#[derive(Debug, Default)]
pub(crate) struct GroupHealth(BTreeMap<String, Known>);

#[derive(Debug, Default)]
struct Known {
    under_way: u32,
    seen: Option<Seen>,
    /// The last time that a request found no target, unless the group has been seen since.
    doubted_at: Option<Timestamp>,
    /// The time of the last probe that settled a doubt.
    settled_at: Option<Timestamp>,
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

    /// Records that a target of this target group has answered a request that came at the time `since`. It tells nothing if the
    /// group was seen empty or doubted later.
    pub(crate) fn target_answered(&mut self, target_group: &str, since: Timestamp, at: Timestamp) {
        let known = self.known(target_group);
        let seen_empty_at = known.seen.filter(|seen| !seen.is_alive).map(|seen| seen.at);
        if [seen_empty_at, known.doubted_at].into_iter().flatten().all(|against| against < since) {
            known.saw(true, at);
        }
    }

    /// Records that the proxy has found no healthy target for a request to this target group.
    pub(crate) fn found_no_target(&mut self, target_group: &str, at: Timestamp) {
        self.known(target_group).doubted_at = Some(at);
    }

    /// Tells whether this target group has a healthy target: by a recent observation, otherwise by what `ask` finds now.
    pub(crate) fn is_alive(&mut self, target_group: &str, now: Timestamp, ask: impl FnOnce() -> bool) -> bool {
        let known = self.known(target_group);
        // If the clock was set back, the age of the observation is unknown.
        let seen = known.seen.filter(|seen| seen.at <= now);
        let was_alive = seen.is_none_or(|seen| seen.is_alive);
        let is_known = seen.is_some_and(|seen| is_recent(seen.at, now));
        if was_alive && known.doubted_at.is_some() && known.settled_at.is_none_or(|settled| !is_recent(settled, now)) {
            known.settled_at = Some(now);
        } else if is_known || (was_alive && known.under_way > 0) {
            return was_alive;
        }
        let is_alive = ask();
        known.saw(is_alive, now);
        is_alive
    }

    fn known(&mut self, target_group: &str) -> &mut Known {
        self.0.entry(target_group.to_owned()).or_default()
    }
}

impl Known {
    fn saw(&mut self, is_alive: bool, at: Timestamp) {
        self.seen = Some(Seen { is_alive, at });
        self.doubted_at = None;
    }
}

/// Returns true if no more than [`RELIED_ON_FOR`] has passed since `at`. A time ahead of `now` is not recent.
fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    at <= now && now.since(at) <= RELIED_ON_FOR
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
        health.is_alive("blue", at(0), || is_alive);
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
    fn a_target_that_answers_shows_that_its_group_is_alive() {
        let mut health = seen(false);
        health.target_answered("blue", at(1), at(2));
        assert!(health.is_alive("blue", at(2), || false));
    }

    #[test]
    fn an_answer_to_a_request_of_before_does_not_show_that_an_empty_group_is_alive() {
        let mut health = seen(false);
        health.target_answered("blue", at(0), at(500));
        assert!(!health.is_alive("blue", at(500), || true));
        let mut health = seen(true);
        health.found_no_target("blue", at(1));
        health.target_answered("blue", at(1), at(500));
        assert!(!health.is_alive("blue", at(500), || false));
    }

    #[test]
    fn a_request_that_finds_no_target_has_its_group_asked_although_others_are_under_way() {
        for is_alive in [true, false] {
            let mut health = seen(true);
            health.request_started("blue");
            health.found_no_target("blue", at(1));
            assert_eq!(health.is_alive("blue", at(1), || is_alive), is_alive);
            assert_eq!(health.is_alive("blue", at(2), || !is_alive), is_alive, "it is asked once");
        }
    }

    #[test]
    fn a_target_that_answers_settles_the_doubt_about_its_group() {
        let mut health = seen(true);
        health.found_no_target("blue", at(0));
        health.target_answered("blue", at(1), at(2));
        assert!(health.is_alive("blue", at(2), || false));
    }

    #[test]
    fn a_group_is_asked_once_a_second_however_many_requests_find_no_target() {
        let mut health = seen(true);
        let mut asked = Vec::new();
        for millisecond in 0..=3_000 {
            health.found_no_target("blue", at(millisecond));
            assert!(health.is_alive("blue", at(millisecond), || {
                asked.push(millisecond);
                true
            }));
        }
        assert_eq!(asked, [0, 1_001, 2_002]);
    }

    #[test]
    fn a_doubt_that_comes_too_early_for_a_question_is_not_forgotten() {
        let mut health = seen(true);
        health.request_started("blue");
        health.found_no_target("blue", at(1));
        assert!(health.is_alive("blue", at(1), || true));
        health.found_no_target("blue", at(2));
        assert!(health.is_alive("blue", at(2), || false));
        assert!(!health.is_alive("blue", at(1_002), || false));
    }

    #[test]
    fn a_doubt_about_an_empty_group_changes_nothing() {
        let mut health = seen(false);
        health.found_no_target("blue", at(1));
        assert!(!health.is_alive("blue", at(1_000), || true));
        assert!(health.is_alive("blue", at(1_001), || true));
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
        let mut doubted = seen(true);
        doubted.found_no_target("blue", at(1));
        assert!(doubted.is_alive("blue", at(1), || true));
        doubted.found_no_target("blue", at(1));
        assert!(!doubted.is_alive("blue", at(0), || false));
    }
}
