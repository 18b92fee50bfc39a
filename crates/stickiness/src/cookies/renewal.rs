//! Decides when a session has expired, and when a client whose session continues is given a new cookie.

use std::time::Duration;

use crate::outcome::Outcome;
use crate::policy::Renew;
use crate::time::Timestamp;
use crate::trust::binding::Binding;

/// The longest time that the time of issue may lie ahead of our clock. The clocks of several load balancers differ, but not by a day. A time
/// that lies farther ahead would extend the stickiness.
const MAX_AHEAD: Duration = Duration::from_hours(24);

/// Returns true if the duration that is configured now has passed since the binding was issued.
pub(crate) fn has_expired(binding: &Binding, duration: Duration, now: Timestamp) -> bool {
    now.since(binding.issued_at) >= duration || binding.issued_at.since(now) > MAX_AHEAD
}

/// The binding, if it has not expired; otherwise [`Outcome::Expired`].
pub(crate) fn in_time(binding: Binding, duration: Duration, now: Timestamp) -> Result<Binding, Outcome> {
    if has_expired(&binding, duration, now) { Err(Outcome::Expired) } else { Ok(binding) }
}

impl Renew {
    /// Returns true if a client that holds `held` is given `next`.
    pub(crate) fn is_due(self, held: Option<&Binding>, next: &Binding, duration: Duration) -> bool {
        let needs_next =
            |held: &Binding| self.is_due_since(held.issued_at, next.issued_at, duration) || !held.has_same_target(next);
        held.is_none_or(needs_next)
    }

    /// Returns true if a client whose target has not changed is given a new cookie now.
    pub(crate) fn is_due_since(self, issued_at: Timestamp, now: Timestamp, duration: Duration) -> bool {
        match self {
            Self::Always => true,
            Self::OnChange => false,
            Self::Sliding { after_percent } => {
                let share = duration.saturating_mul(after_percent.into()).checked_div(100).unwrap_or(duration);
                now.since(issued_at) >= share
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::scope::Scope;

    const MINUTE: Duration = Duration::from_mins(1);

    fn binding(target_group: &str, target: &str, second: u64) -> Binding {
        Binding {
            target_group: target_group.into(),
            target: target.into(),
            scope: Scope::default(),
            issued_at: Timestamp::from_millis(1_700_000_000_000 + second * 1000),
        }
    }

    #[test]
    fn a_client_without_a_cookie_of_the_target_is_always_given_one() {
        let next = binding("web", "a", 1);
        for renew in [Renew::Always, Renew::Sliding { after_percent: 50 }, Renew::OnChange] {
            assert!(renew.is_due(None, &next, MINUTE));
            assert!(renew.is_due(Some(&binding("web", "b", 1)), &next, MINUTE));
            assert!(renew.is_due(Some(&binding("api", "a", 1)), &next, MINUTE));
        }
    }

    #[test]
    fn always_renews_with_every_answer_and_on_change_with_none() {
        let next = binding("web", "a", 59);
        assert!(Renew::Always.is_due(Some(&binding("web", "a", 59)), &next, MINUTE));
        assert!(!Renew::OnChange.is_due(Some(&binding("web", "a", 0)), &next, MINUTE));
    }

    #[test]
    fn sliding_renews_after_its_share_of_the_duration() {
        let is_due = |percent, second| {
            let renew = Renew::Sliding { after_percent: percent };
            renew.is_due(Some(&binding("web", "a", 0)), &binding("web", "a", second), MINUTE)
        };
        assert_eq!([29, 30, 59].map(|second| is_due(50, second)), [false, true, true]);
        assert_eq!([5, 6].map(|second| is_due(10, second)), [false, true]);
    }
}
