//! A cache of sealed values and of the `Set-Cookie` lines made of them.
//!
//! A binding names a target and a moment and no client, so all clients that a target answers in one moment may share its
//! cookie. A busy target then costs one seal and one rendering a second.

use std::rc::Rc;
use std::time::Duration;

use crate::policy::CookieOptions;
use crate::slots::{self, Slots};
use crate::trust::binding::Binding;
use crate::trust::key_ring::CookieKind;

/// The number of slots. The target and the scope select the slot.
const SLOTS: usize = 512;

/// The most entries in one slot, so at most 4,096 are kept altogether.
const DEPTH: usize = 8;

/// The lines of a cookie and of its twin.
pub(crate) type Lines = Rc<[Rc<str>]>;

/// Names one entry of the cache. Clients whose cookies have equal keys may share them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineKey<'a> {
    /// The kind of the cookie.
    pub(crate) kind: CookieKind,
    /// The binding in it. Its time is not part of the key.
    pub(crate) binding: &'a Binding,
    /// The form in which the cookie is kept.
    pub(crate) form: Form<'a>,
}

/// The form in which a cookie is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form<'a> {
    /// Its value alone.
    Value,
    /// The lines of the cookie and of its twin.
    Lines {
        /// The options that the lines follow. The cache compares the `Rc`, not the options.
        options: &'a Rc<CookieOptions>,
        /// The duration that the lines show.
        duration: Duration,
        /// True if they are for a client that came over HTTPS.
        over_https: bool,
    },
}

#[derive(Debug)]
struct Entry {
    kind: CookieKind,
    binding: Binding,
    /// `None` for [`Form::Value`]. The entry keeps its `Rc`, so no other options can have the same address.
    rendering: Option<(Rc<CookieOptions>, Duration, bool)>,
    lines: Lines,
}

/// The values and lines made in the current second.
#[derive(Debug, Default)]
pub(crate) struct LineCache {
    second: u64,
    slots: Slots<Vec<Entry>, SLOTS>,
}

impl LineCache {
    /// The lines kept for this key in the current second, at most `max_age` before the time of the key's binding. For
    /// [`Form::Value`] the value is the only line.
    pub(crate) fn get(&mut self, key: LineKey<'_>, max_age: Duration) -> Option<Lines> {
        let now = key.binding.issued_at;
        if now.second() != self.second {
            self.slots.iter_mut().for_each(Vec::clear);
            self.second = now.second();
        }
        let entry = self.slots.get(hash(key.binding))?.iter().find(|entry| entry.has(key))?;
        (now.since(entry.binding.issued_at) <= max_age).then(|| Rc::clone(&entry.lines))
    }

    /// Keeps lines for this key, in place of those kept for it before, until the second is over or the slot is full.
    pub(crate) fn keep(&mut self, key: LineKey<'_>, lines: Lines) {
        let Some(entries) = self.slots.get_mut(hash(key.binding)) else { return };
        entries.retain(|entry| !entry.has(key));
        if entries.len() >= DEPTH {
            entries.clear();
        }
        let rendering = match key.form {
            Form::Value => None,
            Form::Lines { options, duration, over_https } => Some((Rc::clone(options), duration, over_https)),
        };
        entries.push(Entry { kind: key.kind, binding: key.binding.clone(), rendering, lines });
    }
}

impl Entry {
    fn has(&self, key: LineKey<'_>) -> bool {
        let has_form = match (key.form, &self.rendering) {
            (Form::Value, None) => true,
            (Form::Lines { options, duration, over_https }, Some((kept_options, kept_duration, kept_over_https))) => {
                Rc::ptr_eq(options, kept_options) && duration == *kept_duration && over_https == *kept_over_https
            }
            _ => false,
        };
        has_form && self.kind == key.kind && self.binding.has_same_target(key.binding)
    }
}

/// The hash of a binding's target and scope. With thousands of targets it is cheaper than an ordered map, which compares two dozen
/// addresses at each look.
fn hash(binding: &Binding) -> u64 {
    slots::hash(binding.target.bytes().chain(binding.scope.name().bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;
    use crate::trust::scope::Scope;

    const SECOND: Duration = Duration::from_secs(1);

    fn binding(target_group: &str, target: &str) -> Binding {
        let (target_group, target) = (target_group.into(), target.into());
        Binding { target_group, target, scope: Scope::default(), issued_at: Timestamp::from_millis(5_000) }
    }

    fn web_a() -> Binding {
        binding("web", "a")
    }

    fn value_of(binding: &Binding) -> LineKey<'_> {
        LineKey { kind: CookieKind::LbCookie, binding, form: Form::Value }
    }

    /// The line that is kept for this key, or `sealed`, which is then kept.
    fn line_for(cache: &mut LineCache, key: LineKey<'_>, max_age: Duration, sealed: &str) -> String {
        let lines = cache.get(key, max_age).unwrap_or_else(|| {
            let lines: Lines = Rc::from([Rc::from(sealed)]);
            cache.keep(key, Rc::clone(&lines));
            lines
        });
        lines[0].to_string()
    }

    /// The value for this binding at this millisecond.
    fn value(cache: &mut LineCache, binding: &Binding, at: u64, max_age: Duration, sealed: &str) -> String {
        let binding = Binding { issued_at: Timestamp::from_millis(at), ..binding.clone() };
        line_for(cache, value_of(&binding), max_age, sealed)
    }

    #[test]
    fn a_value_is_shared_within_its_second() {
        let mut cache = LineCache::default();
        assert_eq!(value(&mut cache, &web_a(), 5_000, SECOND, "1"), "1");
        assert_eq!(value(&mut cache, &web_a(), 5_999, SECOND, "2"), "1");
        assert_eq!(value(&mut cache, &web_a(), 6_000, SECOND, "3"), "3");
    }

    #[test]
    fn each_kind_form_target_group_target_and_scope_has_its_own_value() {
        let mut cache = LineCache::default();
        let [one, other] = [(); 2].map(|()| Rc::new(CookieOptions::default()));
        let [web_a, web_b, api_a] =
            [("web", "a"), ("web", "b"), ("api", "a")].map(|(group, target)| binding(group, target));
        let of_admin = Binding { scope: Scope::new("admin"), ..web_a.clone() };
        let lines = |options, duration, over_https| LineKey {
            form: Form::Lines { options, duration, over_https },
            ..value_of(&web_a)
        };
        let keys = [
            value_of(&web_a),
            value_of(&web_b),
            value_of(&api_a),
            value_of(&of_admin),
            LineKey { kind: CookieKind::AppCookie, ..value_of(&web_a) },
            lines(&one, SECOND, false),
            lines(&one, SECOND, true),
            lines(&one, 2 * SECOND, false),
            lines(&other, SECOND, false),
        ];
        for _ in 0..2 {
            for (number, key) in keys.into_iter().enumerate() {
                let number = number.to_string();
                assert_eq!(line_for(&mut cache, key, SECOND, &number), number);
            }
        }
    }

    #[test]
    fn a_value_is_shared_no_longer_than_its_age_allows() {
        let mut cache = LineCache::default();
        let mut at = |at, max_age, sealed| value(&mut cache, &web_a(), at, Duration::from_millis(max_age), sealed);
        assert_eq!(at(5_000, 0, "1"), "1");
        assert_eq!(at(5_011, 11, "2"), "1");
        assert_eq!(at(5_011, 10, "3"), "3");
        assert_eq!(at(5_011, 0, "4"), "3");
    }

    fn kept(cache: &LineCache) -> usize {
        cache.slots.iter().map(Vec::len).sum()
    }

    #[test]
    fn no_more_values_are_kept_than_there_is_room_for() {
        let mut cache = LineCache::default();
        for number in 0..10 * SLOTS * DEPTH {
            let (low, high) = (number % 256, number / 256);
            value(&mut cache, &binding("web", &format!("10.0.{high}.{low}:8080")), 5_000, SECOND, "1");
        }
        assert_eq!(cache.slots.iter().count(), SLOTS);
        assert!(cache.slots.iter().all(|entries| entries.len() <= DEPTH));
        // Addresses that differ in a few digits are spread over the slots.
        assert!(cache.slots.iter().filter(|entries| entries.is_empty()).count() < SLOTS / 10);
    }

    #[test]
    fn a_thousand_targets_have_room() {
        let mut cache = LineCache::default();
        let target = |number: usize| format!("10.0.{}.{}:8080", number / 250, number % 250);
        for turn in ["1", "2"] {
            for number in 0..1000 {
                assert_eq!(value(&mut cache, &binding("web", &target(number)), 5_000, SECOND, turn), "1", "{number}");
            }
        }
        assert_eq!(kept(&cache), 1000);
    }

    #[test]
    fn nothing_is_kept_of_the_second_before() {
        let mut cache = LineCache::default();
        for target in ["a", "b"] {
            value(&mut cache, &binding("web", target), 5_000, SECOND, "1");
        }
        value(&mut cache, &web_a(), 6_000, SECOND, "2");
        assert_eq!(kept(&cache), 1);
    }

    #[test]
    fn an_entry_that_replaces_another_takes_no_room() {
        let mut cache = LineCache::default();
        for at in 5_000..5_010 {
            value(&mut cache, &web_a(), at, Duration::ZERO, "1");
        }
        assert_eq!(kept(&cache), 1);
    }
}
