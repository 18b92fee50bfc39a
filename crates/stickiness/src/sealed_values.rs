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
    /// The value sealed for this target earlier in this second, at most `max_age` ago.
    pub fn get(&mut self, target_group: &str, target: &str, now: Timestamp, max_age: Duration) -> Option<String> {
        if now.second() != self.second {
            self.clear();
            self.second = now.second();
        }
        let (issued_at, value) = self.by_target_group.get(target_group)?.get(target)?;
        (now.since(*issued_at) <= max_age).then(|| value.clone())
    }

    /// Keeps a value for the rest of the second.
    pub fn put(&mut self, target_group: &str, target: &str, issued_at: Timestamp, value: String) {
        if self.count >= CAPACITY {
            self.clear();
        }
        self.count = self.count.saturating_add(1);
        self.by_target_group.entry(target_group.to_owned()).or_default().insert(target.to_owned(), (issued_at, value));
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

    fn at(milliseconds: u64) -> Timestamp {
        Timestamp::from_millis(milliseconds)
    }

    #[test]
    fn a_value_is_shared_within_its_second() {
        let mut values = SealedValues::default();
        assert_eq!(values.get("web", "a", at(5_000), SECOND), None);
        values.put("web", "a", at(5_000), "v".into());
        assert_eq!(values.get("web", "a", at(5_999), SECOND), Some("v".into()));
        assert_eq!(values.get("web", "a", at(6_000), SECOND), None);
    }

    #[test]
    fn a_value_is_not_shared_between_targets_or_target_groups() {
        let mut values = SealedValues::default();
        values.get("web", "a", at(5_000), SECOND);
        values.put("web", "a", at(5_000), "v".into());
        assert_eq!(values.get("web", "b", at(5_000), SECOND), None);
        assert_eq!(values.get("api", "a", at(5_000), SECOND), None);
        values.put("web", "b", at(5_000), "w".into());
        assert_eq!(values.get("web", "a", at(5_000), SECOND), Some("v".into()));
        assert_eq!(values.get("web", "b", at(5_000), SECOND), Some("w".into()));
    }

    #[test]
    fn a_value_older_than_allowed_is_not_shared() {
        let mut values = SealedValues::default();
        values.get("web", "a", at(5_000), SECOND);
        values.put("web", "a", at(5_000), "v".into());
        assert_eq!(values.get("web", "a", at(5_011), Duration::from_millis(10)), None);
    }

    #[test]
    fn no_more_values_are_kept_than_the_capacity() {
        let mut values = SealedValues::default();
        values.get("web", "a", at(5_000), SECOND);
        for target in 0..=CAPACITY {
            values.put("web", &target.to_string(), at(5_000), "v".into());
        }
        assert_eq!(values.by_target_group["web"].len(), 1);
    }
}
