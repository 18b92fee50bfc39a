//! Target groups that were found without a healthy target.
//!
//! Envoy tells no filter about the health of a cluster. That none of its targets is healthy shows in an answer that
//! Envoy gives itself, and that one is again in an answer of a target.

use std::time::Duration;

use crate::time::Timestamp;

/// How long a target group is left alone before a request tries it again.
pub const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Target groups that were found without a healthy target. Only those of rules come in, so they are few.
#[derive(Debug, Default)]
pub struct EmptyGroups(Vec<EmptyGroup>);

#[derive(Debug)]
struct EmptyGroup {
    target_group: String,
    tried_at: Timestamp,
}

impl EmptyGroups {
    /// A request found no healthy target there.
    pub fn found_empty(&mut self, target_group: &str, now: Timestamp) {
        match self.0.iter_mut().find(|group| group.target_group == target_group) {
            Some(group) => group.tried_at = now,
            None => self.0.push(EmptyGroup { target_group: target_group.to_owned(), tried_at: now }),
        }
    }

    /// A target answered there.
    pub fn found_alive(&mut self, target_group: &str) {
        self.0.retain(|group| group.target_group != target_group);
    }

    /// Whether a request should go elsewhere. One request in every [`RETRY_AFTER`] should not, and tells how it is.
    pub fn avoid(&mut self, target_group: &str, now: Timestamp) -> bool {
        let Some(group) = self.0.iter_mut().find(|group| group.target_group == target_group) else {
            return false;
        };
        let tries_again = now.since(group.tried_at) >= RETRY_AFTER;
        if tries_again {
            group.tried_at = now;
        }
        !tries_again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn a_group_is_avoided_from_the_request_that_found_it_empty() {
        let mut groups = EmptyGroups::default();
        assert!(!groups.avoid("blue", at(100)));
        groups.found_empty("blue", at(100));
        assert!(groups.avoid("blue", at(100)));
        assert!(!groups.avoid("green", at(100)));
    }

    #[test]
    fn one_request_in_five_seconds_tries_it_again() {
        let mut groups = EmptyGroups::default();
        groups.found_empty("blue", at(100));
        assert!(groups.avoid("blue", at(104)));
        assert_eq!([0; 2].map(|_| groups.avoid("blue", at(105))), [false, true]);
        groups.found_empty("blue", at(106));
        assert!(groups.avoid("blue", at(110)));
        assert!(!groups.avoid("blue", at(111)));
    }

    #[test]
    fn a_group_that_answers_is_not_avoided() {
        let mut groups = EmptyGroups::default();
        groups.found_empty("blue", at(100));
        groups.found_alive("blue");
        assert!(!groups.avoid("blue", at(100)));
    }
}
