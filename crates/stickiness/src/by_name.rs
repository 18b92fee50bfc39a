//! Values by name, and the order of names.
//!
//! A configuration may have thousands of names that begin alike, as those of a service mesh do. They are sorted once, by one
//! function that is in the module once: a `BTreeMap` for each type of values costs 19 KB of it, and its comparisons go byte by
//! byte. A hash map would have to be seeded, which needs random bytes of the host.

use std::cmp::Ordering;

/// Values by name, in the order of their names. No name stands there twice.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ByName<T>(Vec<(String, T)>);

impl<T> Default for ByName<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> ByName<T> {
    /// Adds a value. Its name comes after all that are there.
    pub(crate) fn push(&mut self, name: String, value: T) {
        self.0.push((name, value));
    }

    /// The value of a name that is the last one, or comes after all that are there.
    pub(crate) fn last_or_default(&mut self, name: &str) -> Option<&mut T>
    where
        T: Default,
    {
        if self.0.last().is_none_or(|(last, _)| last != name) {
            self.push(name.to_owned(), T::default());
        }
        self.0.last_mut().map(|(_, value)| value)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.0.get(self.place(name)?).map(|(_, value)| value)
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<T> {
        let place = self.place(name)?;
        Some(self.0.remove(place).1)
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.0.binary_search_by(|(present, _)| compare(present, name)).ok()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

/// The positions of these names, in the order of the names. Equal names stay in their order.
pub(crate) fn in_order(names: &[&str]) -> Vec<usize> {
    let mut sorted: Vec<(&str, usize)> = names.iter().copied().zip(0..).collect();
    sorted.sort_unstable_by(|(name, position), (other, other_position)| {
        compare(name, other).then(position.cmp(other_position))
    });
    sorted.into_iter().map(|(_, position)| position).collect()
}

/// The position of the first name that stands there before.
pub(crate) fn first_repeated(names: &[&str]) -> Option<usize> {
    /// As many names are compared one by one: most objects have two or three keys.
    const FEW: usize = 16;
    if names.len() <= FEW {
        return names
            .iter()
            .zip(0..)
            .position(|(name, position)| names.iter().take(position).any(|other| other == name));
    }
    let order = in_order(names);
    let pairs = order.iter().zip(order.iter().skip(1));
    pairs.filter(|(earlier, later)| names.get(**earlier) == names.get(**later)).map(|(_, later)| *later).min()
}

/// Compares two names by their bytes. Of the beginning that they share it compares eight bytes at a time: the `memcmp` of
/// wasi-libc goes byte by byte.
pub(crate) fn compare(name: &str, other: &str) -> Ordering {
    let (name, other) = (name.as_bytes(), other.as_bytes());
    let words = name.as_chunks::<8>().0.iter().zip(other.as_chunks::<8>().0);
    let shared = words.take_while(|(word, other)| u64::from_ne_bytes(**word) == u64::from_ne_bytes(**other)).count();
    let shared = shared.saturating_mul(8);
    name.get(shared..).cmp(&other.get(shared..))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    /// Names that begin alike, and some that stand there twice.
    fn names() -> impl Strategy<Value = Vec<String>> {
        proptest::collection::vec("(outbound)?(\\|80\\|\\|)?[a-c\u{e9}]{0,12}", 0..60)
    }

    proptest! {
        #[test]
        fn names_are_ordered_by_their_bytes_and_equal_ones_stay_in_their_order(names in names()) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let mut expected: Vec<usize> = (0..names.len()).collect();
            expected.sort_by_key(|position| names[*position]);
            prop_assert_eq!(in_order(&names), expected);
        }

        #[test]
        fn the_first_repeated_name_is_found(names in names()) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let mut seen = BTreeSet::new();
            prop_assert_eq!(first_repeated(&names), names.iter().position(|name| !seen.insert(*name)));
        }

        #[test]
        fn values_are_found_by_name_as_in_a_map(names in names(), others in names()) {
            let expected: BTreeMap<String, usize> = names.iter().cloned().zip(0..).collect();
            let mut by_name = ByName::default();
            for (name, value) in &expected {
                by_name.push(name.clone(), *value);
            }
            for name in names.iter().chain(&others) {
                prop_assert_eq!(by_name.get(name), expected.get(name));
            }
        }
    }
}
