//! Sealed values that may be given to several clients, so that a busy target costs one seal a second, and the cookies that are
//! made of them, so that it costs one rendering.
//!
//! A binding names a target and a moment and no client: all clients that the target answers in one moment may share it.

use std::rc::Rc;
use std::time::Duration;

use crate::policy::CookieOptions;
use crate::time::Timestamp;
use crate::trust::key_ring::CookieKind;

/// In how many places values are kept, by their target.
const PLACES: usize = 512;

/// What leaves the number of a place of 64 bits.
const SHIFT: u32 = u64::BITS.saturating_sub(PLACES.trailing_zeros());

/// The most values in one place: at most 4,096 are kept altogether.
const DEPTH: usize = 8;

/// A value, or the lines of cookies that carry it.
pub(crate) type Texts = Rc<[Rc<str>]>;

/// What a value is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Purpose<'a> {
    /// The kind of the cookie.
    pub(crate) kind: CookieKind,
    /// What is made of the value.
    pub(crate) form: Form,
    /// The target group that it names.
    pub(crate) target_group: &'a str,
    /// The target that it names.
    pub(crate) target: &'a str,
}

/// What is made of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
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
    kind: CookieKind,
    form: Form,
    target_group: String,
    target: String,
    at: Timestamp,
    texts: Texts,
}

/// The values sealed in the current second.
#[derive(Debug, Default)]
pub(crate) struct SealedValues {
    second: u64,
    places: Vec<Vec<Sealed>>,
}

impl SealedValues {
    /// What was kept for this purpose earlier in this second, at most `max_age` ago.
    pub(crate) fn get(&mut self, purpose: Purpose<'_>, now: Timestamp, max_age: Duration) -> Option<Texts> {
        if now.second() != self.second {
            self.places.iter_mut().for_each(Vec::clear);
            self.second = now.second();
        }
        let sealed = self.places.get(place(purpose.target))?.iter().find(|sealed| sealed.is_for(purpose))?;
        (now.since(sealed.at) <= max_age).then(|| Rc::clone(&sealed.texts))
    }

    /// Keeps what was made for this purpose, instead of what was kept for it, until the second is over, or until there are too
    /// many.
    pub(crate) fn keep(&mut self, purpose: Purpose<'_>, now: Timestamp, texts: Texts) {
        if self.places.is_empty() {
            self.places.resize_with(PLACES, Vec::new);
        }
        let Some(place) = self.places.get_mut(place(purpose.target)) else { return };
        place.retain(|sealed| !sealed.is_for(purpose));
        if place.len() >= DEPTH {
            place.clear();
        }
        let Purpose { kind, form, target_group, target } = purpose;
        place.push(Sealed {
            kind,
            form,
            target_group: target_group.to_owned(),
            target: target.to_owned(),
            at: now,
            texts,
        });
    }
}

impl Sealed {
    fn is_for(&self, purpose: Purpose<'_>) -> bool {
        self.kind == purpose.kind
            && self.form == purpose.form
            && self.target == purpose.target
            && self.target_group == purpose.target_group
    }
}

/// Where the values for a target have their place. With thousands of targets an ordered map compares two dozen addresses at each
/// look, and a map of std that hashes draws a seed, and panics where the host gives no random bytes.
fn place(target: &str) -> usize {
    // FNV-1a. Nobody chooses targets to have them meet in one place: they are the operator's.
    let hash = target
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    usize::try_from(hash >> SHIFT).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn purpose<'a>(target_group: &'a str, target: &'a str) -> Purpose<'a> {
        Purpose { kind: CookieKind::LbCookie, form: Form::Value, target_group, target }
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
            Purpose { kind: CookieKind::AppCookie, ..purpose("web", "a") },
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

    fn kept(values: &SealedValues) -> usize {
        values.places.iter().map(Vec::len).sum()
    }

    #[test]
    fn no_more_values_are_kept_than_there_is_room_for() {
        let mut values = SealedValues::default();
        for number in 0..10 * PLACES * DEPTH {
            let (low, high) = (number % 256, number / 256);
            value(&mut values, purpose("web", &format!("10.0.{high}.{low}:8080")), 5_000, SECOND, "1");
        }
        assert_eq!(values.places.len(), PLACES);
        assert!(values.places.iter().all(|place| place.len() <= DEPTH));
        // Addresses that differ in a few digits are spread over the places.
        assert!(values.places.iter().filter(|place| place.is_empty()).count() < PLACES / 10);
    }

    #[test]
    fn a_thousand_targets_have_room() {
        let mut values = SealedValues::default();
        let target = |number: usize| format!("10.0.{}.{}:8080", number / 250, number % 250);
        for turn in ["1", "2"] {
            for number in 0..1000 {
                assert_eq!(value(&mut values, purpose("web", &target(number)), 5_000, SECOND, turn), "1", "{number}");
            }
        }
        assert_eq!(kept(&values), 1000);
    }

    #[test]
    fn nothing_is_kept_of_the_second_before() {
        let mut values = SealedValues::default();
        for target in ["a", "b"] {
            value(&mut values, purpose("web", target), 5_000, SECOND, "1");
        }
        value(&mut values, purpose("web", "a"), 6_000, SECOND, "2");
        assert_eq!(kept(&values), 1);
    }

    #[test]
    fn what_replaces_another_takes_no_room() {
        let mut values = SealedValues::default();
        for at in 5_000..5_010 {
            value(&mut values, purpose("web", "a"), at, Duration::ZERO, "1");
        }
        assert_eq!(kept(&values), 1);
    }
}
