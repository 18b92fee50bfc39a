//! Sealed values that may be given to several clients, so that a busy target costs one seal a second.
//!
//! A binding names a target and a moment and no client: all clients that the target answers in one moment may share it.

use std::collections::HashMap;
use std::time::Duration;

use crate::time::Timestamp;

/// The most values that are kept.
const CAPACITY: usize = 4096;

/// The values sealed in the current second, by target group and target.
#[derive(Debug, Default)]
pub struct SealedValues {
    second: u64,
    count: usize,
    by_target_group: HashMap<String, HashMap<String, (Timestamp, String)>>,
}

impl SealedValues {
    /// The value sealed for this target earlier in this second, at most `max_age` ago; otherwise a new one.
    /// `None` when `seal` gives none.
    pub fn get_or_seal(
        &mut self,
        target_group: &str,
        target: &str,
        now: Timestamp,
        max_age: Duration,
        seal: impl FnOnce() -> Option<String>,
    ) -> Option<String> {
        if now.second() != self.second || self.count >= CAPACITY {
            self.clear();
            self.second = now.second();
        }
        let of_group = self.by_target_group.get(target_group);
        if let Some((issued_at, value)) = of_group.and_then(|by_target| by_target.get(target))
            && now.since(*issued_at) <= max_age
        {
            return Some(value.clone());
        }
        let value = seal()?;
        let of_group = self.by_target_group.entry(target_group.to_owned()).or_default();
        of_group.insert(target.to_owned(), (now, value.clone()));
        self.count = self.count.saturating_add(1);
        Some(value)
    }

    fn clear(&mut self) {
        self.by_target_group.clear();
        self.count = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// The value for a target at this millisecond, which is `sealed` when it had to be sealed.
    fn value(values: &mut SealedValues, of: (&str, &str), at: u64, sealed: &str) -> String {
        let now = Timestamp::from_millis(at);
        values.get_or_seal(of.0, of.1, now, SECOND, || Some(sealed.to_owned())).unwrap()
    }

    #[test]
    fn a_value_is_shared_within_its_second() {
        let mut values = SealedValues::default();
        assert_eq!(value(&mut values, ("web", "a"), 5_000, "1"), "1");
        assert_eq!(value(&mut values, ("web", "a"), 5_999, "2"), "1");
        assert_eq!(value(&mut values, ("web", "a"), 6_000, "3"), "3");
    }

    #[test]
    fn a_value_is_not_shared_between_targets_or_target_groups() {
        let mut values = SealedValues::default();
        for (of, sealed) in [(("web", "a"), "1"), (("web", "b"), "2"), (("api", "a"), "3")] {
            assert_eq!(value(&mut values, of, 5_000, sealed), sealed);
        }
        assert_eq!(value(&mut values, ("web", "a"), 5_001, "4"), "1");
    }

    #[test]
    fn a_value_older_than_allowed_is_not_shared() {
        let mut values = SealedValues::default();
        value(&mut values, ("web", "a"), 5_000, "1");
        let now = Timestamp::from_millis(5_011);
        let value = values.get_or_seal("web", "a", now, Duration::from_millis(10), || Some("2".into()));
        assert_eq!(value, Some("2".into()));
    }

    #[test]
    fn what_cannot_be_sealed_is_not_kept() {
        let mut values = SealedValues::default();
        let now = Timestamp::from_millis(5_000);
        assert_eq!(values.get_or_seal("web", "a", now, SECOND, || None), None);
        assert_eq!(value(&mut values, ("web", "a"), 5_000, "1"), "1");
    }

    #[test]
    fn no_more_values_are_kept_than_the_capacity() {
        let mut values = SealedValues::default();
        for target in 0..=CAPACITY {
            value(&mut values, ("web", &target.to_string()), 5_000, "1");
        }
        assert_eq!(values.by_target_group["web"].len(), 1);
    }
}
