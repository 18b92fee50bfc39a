//! Sealed values that may be given to several clients, so that a busy target costs one seal a second.
//!
//! A binding names a target and a moment and no client: all clients that the target answers in one moment may share it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::seal::Kind;
use crate::time::Timestamp;

/// The most values that are kept.
const CAPACITY: usize = 4096;

/// What a value is for.
#[derive(Clone, Copy, Debug)]
pub struct Purpose<'a> {
    /// The kind of the cookie.
    pub kind: Kind,
    /// The target group that it names.
    pub target_group: &'a str,
    /// The target that it names.
    pub target: &'a str,
}

#[derive(Debug)]
struct SealedValue {
    kind: Kind,
    target_group: String,
    sealed_at: Timestamp,
    value: String,
}

/// The values sealed in the current second.
#[derive(Debug, Default)]
pub struct SealedValues {
    second: u64,
    count: usize,
    /// Ordered, because a map of std that hashes draws a seed, and panics where the host gives no random bytes.
    by_target: BTreeMap<String, Vec<SealedValue>>,
}

impl SealedValues {
    /// The value sealed for this purpose earlier in this second, at most `max_age` ago; otherwise a new one. `None`
    /// when `seal` gives none.
    pub fn get_or_seal(
        &mut self,
        purpose: Purpose<'_>,
        now: Timestamp,
        max_age: Duration,
        seal: impl FnOnce() -> Option<String>,
    ) -> Option<String> {
        let Purpose { kind, target_group, target } = purpose;
        if now.second() != self.second || self.count >= CAPACITY {
            self.by_target.clear();
            self.count = 0;
            self.second = now.second();
        }
        let is_it = |sealed: &&mut SealedValue| sealed.kind == kind && sealed.target_group == target_group;
        let known = self.by_target.get_mut(target).and_then(|sealed| sealed.iter_mut().find(is_it));
        match known {
            Some(sealed) if now.since(sealed.sealed_at) <= max_age => Some(sealed.value.clone()),
            Some(sealed) => {
                sealed.value = seal()?;
                sealed.sealed_at = now;
                Some(sealed.value.clone())
            }
            None => {
                let value = seal()?;
                let target_group = target_group.to_owned();
                let sealed = SealedValue { kind, target_group, sealed_at: now, value: value.clone() };
                self.by_target.entry(target.to_owned()).or_default().push(sealed);
                self.count = self.count.saturating_add(1);
                Some(value)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn purpose<'a>(target_group: &'a str, target: &'a str) -> Purpose<'a> {
        Purpose { kind: Kind::LbCookie, target_group, target }
    }

    /// The value at this millisecond, which is `sealed` when it had to be sealed.
    fn value(values: &mut SealedValues, purpose: Purpose<'_>, at: u64, sealed: &str) -> String {
        let now = Timestamp::from_millis(at);
        values.get_or_seal(purpose, now, SECOND, || Some(sealed.to_owned())).unwrap()
    }

    #[test]
    fn a_value_is_shared_within_its_second() {
        let mut values = SealedValues::default();
        assert_eq!(value(&mut values, purpose("web", "a"), 5_000, "1"), "1");
        assert_eq!(value(&mut values, purpose("web", "a"), 5_999, "2"), "1");
        assert_eq!(value(&mut values, purpose("web", "a"), 6_000, "3"), "3");
    }

    #[test]
    fn each_kind_target_group_and_target_has_its_own_value() {
        let mut values = SealedValues::default();
        assert_eq!(value(&mut values, purpose("web", "a"), 5_000, "1"), "1");
        assert_eq!(value(&mut values, purpose("web", "b"), 5_000, "2"), "2");
        assert_eq!(value(&mut values, purpose("api", "a"), 5_000, "3"), "3");
        let other_kind = Purpose { kind: Kind::AppCookie, ..purpose("web", "a") };
        assert_eq!(value(&mut values, other_kind, 5_000, "4"), "4");
        assert_eq!(value(&mut values, purpose("web", "a"), 5_000, "5"), "1");
    }

    #[test]
    fn a_value_is_shared_no_longer_than_its_age_allows() {
        let mut values = SealedValues::default();
        value(&mut values, purpose("web", "a"), 5_000, "1");
        let now = Timestamp::from_millis(5_011);
        let mut again = |max_age, sealed: &str| {
            values.get_or_seal(purpose("web", "a"), now, Duration::from_millis(max_age), || Some(sealed.into()))
        };
        assert_eq!(again(11, "2"), Some("1".into()));
        assert_eq!(again(10, "3"), Some("3".into()));
        assert_eq!(again(0, "4"), Some("3".into()));
    }

    #[test]
    fn what_cannot_be_sealed_is_not_kept() {
        let mut values = SealedValues::default();
        let now = Timestamp::from_millis(5_000);
        assert_eq!(values.get_or_seal(purpose("web", "a"), now, SECOND, || None), None);
        assert_eq!(value(&mut values, purpose("web", "a"), 5_000, "1"), "1");
    }

    #[test]
    fn no_more_values_are_kept_than_the_capacity() {
        let mut values = SealedValues::default();
        for target in 0..=CAPACITY {
            value(&mut values, purpose("web", &target.to_string()), 5_000, "1");
        }
        assert_eq!(values.by_target.len(), 1);
    }
}
