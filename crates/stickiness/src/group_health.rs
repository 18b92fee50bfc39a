//! Which target groups have a healthy target?
//!
//! Envoy tells no filter about the health of a cluster, but it shows: in an answer of one of its targets, in an answer that
//! Envoy gives itself for want of one, and in whether it takes a request of the filter's own for the cluster.

use std::time::Duration;

use crate::time::Timestamp;

/// How long what was seen is relied on. Envoy's health checks are hardly more frequent.
pub const RELIED_ON_FOR: Duration = Duration::from_secs(1);

/// What was seen of target groups. Only those of rules come in, so they are few.
#[derive(Debug, Default)]
pub struct GroupHealth(Vec<Known>);

#[derive(Debug)]
struct Known {
    target_group: String,
    is_alive: bool,
    seen_at: Timestamp,
}

impl GroupHealth {
    /// A request showed whether a target is healthy there.
    pub fn saw(&mut self, target_group: &str, is_alive: bool, now: Timestamp) {
        match self.0.iter_mut().find(|known| known.target_group == target_group) {
            Some(known) => {
                known.is_alive = is_alive;
                known.seen_at = now;
            }
            None => self.0.push(Known { target_group: target_group.to_owned(), is_alive, seen_at: now }),
        }
    }

    /// Whether a target is healthy there: what was seen at most [`RELIED_ON_FOR`] ago, otherwise what `ask` answers now.
    pub fn is_alive(&mut self, target_group: &str, now: Timestamp, ask: impl FnOnce() -> bool) -> bool {
        let known = self.0.iter().find(|known| known.target_group == target_group);
        if let Some(known) = known.filter(|known| now.since(known.seen_at) <= RELIED_ON_FOR) {
            return known.is_alive;
        }
        let is_alive = ask();
        self.saw(target_group, is_alive, now);
        is_alive
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Timestamp {
        Timestamp::from_millis(100_000 + milliseconds)
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
        let mut health = GroupHealth::default();
        health.saw("blue", true, at(0));
        assert!(health.is_alive("blue", at(1000), || false));
        assert!(!health.is_alive("blue", at(1001), || false));
        assert!(!health.is_alive("blue", at(2001), || true));
        assert!(health.is_alive("blue", at(2002), || true));
    }

    #[test]
    fn what_was_seen_last_counts() {
        let mut health = GroupHealth::default();
        health.saw("blue", true, at(0));
        health.saw("blue", false, at(1));
        assert!(!health.is_alive("blue", at(1), || true));
    }
}
