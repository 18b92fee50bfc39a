//! Sealed values that may be given to several clients, so that a busy target costs one seal a second, and the cookies that are
//! made of them, so that it costs one rendering.
//!
//! A binding names a target and a moment and no client: all clients that the target answers in one moment may share it.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use crate::policy::CookieOptions;
use crate::seal::Kind;
use crate::time::Timestamp;

/// The most values that are kept.
const CAPACITY: usize = 4096;

/// A value, or the lines of cookies that carry it.
pub type Texts = Rc<[Rc<str>]>;

/// What a value is for.
#[derive(Clone, Copy, Debug)]
pub struct Purpose<'a> {
    /// The kind of the cookie.
    pub kind: Kind,
    /// What is made of the value.
    pub form: Form,
    /// The target group that it names.
    pub target_group: &'a str,
    /// The target that it names.
    pub target: &'a str,
}

/// What is made of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Nothing: it is the value alone.
    Value,
    /// The lines of a cookie and its twin.
    Lines {
        /// The options that they follow, by identity: those of a configuration stay where they are.
        options: *const CookieOptions,
        /// Whether they are for a client that came over HTTPS.
        over_https: bool,
    },
}

#[derive(Debug)]
struct Sealed {
    kind: Kind,
    form: Form,
    target_group: String,
    at: Timestamp,
    texts: Texts,
}

/// The values sealed in the current second.
#[derive(Debug, Default)]
pub struct SealedValues {
    second: u64,
    count: usize,
    /// Ordered, because a map of std that hashes draws a seed, and panics where the host gives no random bytes.
    by_target: BTreeMap<String, Vec<Sealed>>,
}

impl SealedValues {
    /// What was kept for this purpose earlier in this second, at most `max_age` ago.
    pub fn get(&mut self, purpose: Purpose<'_>, now: Timestamp, max_age: Duration) -> Option<Texts> {
        if now.second() != self.second {
            self.by_target.clear();
            self.count = 0;
            self.second = now.second();
        }
        let sealed = self.by_target.get(purpose.target)?.iter().find(|sealed| sealed.is_for(purpose))?;
        (now.since(sealed.at) <= max_age).then(|| Rc::clone(&sealed.texts))
    }

    /// Keeps what was made for this purpose, instead of what was kept for it, until the second is over.
    pub fn keep(&mut self, purpose: Purpose<'_>, now: Timestamp, texts: Texts) {
        if self.count >= CAPACITY {
            self.by_target.clear();
            self.count = 0;
        }
        let Purpose { kind, form, target_group, target } = purpose;
        let of_target = self.by_target.entry(target.to_owned()).or_default();
        let kept = of_target.len();
        of_target.retain(|sealed| !sealed.is_for(purpose));
        let replaced = kept.saturating_sub(of_target.len());
        of_target.push(Sealed { kind, form, target_group: target_group.to_owned(), at: now, texts });
        self.count = self.count.saturating_add(1).saturating_sub(replaced);
    }
}

impl Sealed {
    fn is_for(&self, purpose: Purpose<'_>) -> bool {
        self.kind == purpose.kind && self.form == purpose.form && self.target_group == purpose.target_group
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn purpose<'a>(target_group: &'a str, target: &'a str) -> Purpose<'a> {
        Purpose { kind: Kind::LbCookie, form: Form::Value, target_group, target }
    }

    /// The value at this millisecond, which is `sealed` when nothing is kept.
    fn value(values: &mut SealedValues, purpose: Purpose<'_>, at: u64, max_age: Duration, sealed: &str) -> String {
        let now = Timestamp::from_millis(at);
        let texts = values.get(purpose, now, max_age).unwrap_or_else(|| {
            let texts: Texts = Rc::from([Rc::from(sealed)]);
            values.keep(purpose, now, Rc::clone(&texts));
            texts
        });
        texts[0].to_string()
    }

    #[test]
    fn a_value_is_shared_within_its_second() {
        let mut values = SealedValues::default();
        assert_eq!(value(&mut values, purpose("web", "a"), 5_000, SECOND, "1"), "1");
        assert_eq!(value(&mut values, purpose("web", "a"), 5_999, SECOND, "2"), "1");
        assert_eq!(value(&mut values, purpose("web", "a"), 6_000, SECOND, "3"), "3");
    }

    #[test]
    fn each_kind_form_target_group_and_target_has_its_own_value() {
        let mut values = SealedValues::default();
        let (one, other) = (CookieOptions::default(), CookieOptions::default());
        let lines = |options, over_https| Purpose { form: Form::Lines { options, over_https }, ..purpose("web", "a") };
        let purposes = [
            purpose("web", "a"),
            purpose("web", "b"),
            purpose("api", "a"),
            Purpose { kind: Kind::AppCookie, ..purpose("web", "a") },
            lines(&raw const one, false),
            lines(&raw const one, true),
            lines(&raw const other, false),
        ];
        for _ in 0..2 {
            for (number, purpose) in purposes.into_iter().enumerate() {
                let number = number.to_string();
                assert_eq!(value(&mut values, purpose, 5_000, SECOND, &number), number);
            }
        }
    }

    #[test]
    fn a_value_is_shared_no_longer_than_its_age_allows() {
        let mut values = SealedValues::default();
        let mut at =
            |at, max_age, sealed| value(&mut values, purpose("web", "a"), at, Duration::from_millis(max_age), sealed);
        assert_eq!(at(5_000, 0, "1"), "1");
        assert_eq!(at(5_011, 11, "2"), "1");
        assert_eq!(at(5_011, 10, "3"), "3");
        assert_eq!(at(5_011, 0, "4"), "3");
    }

    #[test]
    fn no_more_values_are_kept_than_the_capacity() {
        let mut values = SealedValues::default();
        for target in 0..=CAPACITY {
            value(&mut values, purpose("web", &target.to_string()), 5_000, SECOND, "1");
        }
        assert_eq!((values.by_target.len(), values.count), (1, 1));
    }

    #[test]
    fn what_replaces_another_takes_no_room() {
        let mut values = SealedValues::default();
        for at in 5_000..5_010 {
            value(&mut values, purpose("web", "a"), at, Duration::ZERO, "1");
        }
        assert_eq!(values.count, 1);
    }
}
