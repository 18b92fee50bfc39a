//! What sealed values say that have been opened before: a client that comes back with the same cookie costs no decryption.
//!
//! A value says the same for ever; whether it is still good is judged anew by everybody who asks.

use crate::trust::key_ring::CookieKind;

/// The most values that are kept, one in each place.
const PLACES: usize = 4096;

/// What leaves the number of a place of 64 bits.
const SHIFT: u32 = u64::BITS.saturating_sub(PLACES.trailing_zeros());

/// The longest value that is kept, in bytes. Those of bindings have 124; longer ones are rare, and are opened each time.
const MAX_VALUE: usize = 512;

/// The values opened last, at most some 4 MB of them, and a few hundred kilobytes as a rule.
#[derive(Debug)]
pub(crate) struct OpenedValues<T> {
    places: Vec<Option<Opened<T>>>,
}

#[derive(Debug)]
struct Opened<T> {
    kind: CookieKind,
    value: Box<[u8]>,
    said: T,
}

impl<T> Default for OpenedValues<T> {
    /// None.
    fn default() -> Self {
        Self { places: Vec::new() }
    }
}

impl<T> OpenedValues<T> {
    /// What this value says, if it is known.
    pub(crate) fn get(&self, kind: CookieKind, value: &[u8]) -> Option<&T> {
        let opened = self.places.get(place(value)?)?.as_ref()?;
        (opened.kind == kind && are_equal(&opened.value, value)).then_some(&opened.said)
    }

    /// Keeps what a value says, instead of what had its place.
    ///
    /// For values that opened only: what a client makes up finds no room, so nobody drives out the others with it.
    pub(crate) fn keep(&mut self, kind: CookieKind, value: &[u8], said: T) {
        let Some(place) = place(value).filter(|_| value.len() <= MAX_VALUE) else { return };
        if self.places.is_empty() {
            self.places.resize_with(PLACES, || None);
        }
        if let Some(slot) = self.places.get_mut(place) {
            *slot = Some(Opened { kind, value: value.into(), said });
        }
    }
}

/// Where a value has its place: by eight characters of its nonce, which are random. They stand behind the version and the name
/// of the key, which take 7 characters of base64 and 10 hexadecimal digits. `None` for what is too short for a sealed value.
fn place(value: &[u8]) -> Option<usize> {
    let random: &[u8; 8] = value.get(10..)?.first_chunk()?;
    // Characters are not evenly spread over a byte's values: their bits are mixed (Knuth, TAOCP 6.4, by the golden ratio).
    let mixed = u64::from_le_bytes(*random).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> SHIFT).ok()
}

/// Eight bytes at a time: the `memcmp` of wasi-libc takes twenty instructions for each byte.
fn are_equal(one: &[u8], other: &[u8]) -> bool {
    let ((words, rest), (other_words, other_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    let mut pairs = words.iter().zip(other_words);
    one.len() == other.len()
        && pairs.all(|(word, other)| u64::from_ne_bytes(*word) == u64::from_ne_bytes(*other))
        && rest == other_rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As long as that of a binding, with the nonce of this number.
    fn value(number: usize) -> Vec<u8> {
        let mut state = u64::try_from(number).unwrap();
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            u8::try_from(state >> 56).unwrap()
        };
        let sealed: Vec<u8> = [1; 5].into_iter().chain(std::iter::repeat_with(&mut random).skip(8).take(88)).collect();
        data_encoding::BASE64_NOPAD.encode(&sealed).into_bytes()
    }

    #[test]
    fn what_was_opened_is_known_for_its_kind_alone() {
        let mut opened = OpenedValues::<u8>::default();
        assert_eq!(opened.get(CookieKind::LbCookie, &value(1)), None);
        opened.keep(CookieKind::LbCookie, &value(1), 7);
        assert_eq!(opened.get(CookieKind::LbCookie, &value(1)), Some(&7));
        assert_eq!(opened.get(CookieKind::AppCookie, &value(1)), None);
    }

    #[test]
    fn a_value_that_differs_in_any_character_is_another() {
        let mut opened = OpenedValues::<u8>::default();
        opened.keep(CookieKind::LbCookie, &value(1), 7);
        for position in 0..value(1).len() {
            let mut other = value(1);
            other[position] ^= 1;
            assert_eq!(opened.get(CookieKind::LbCookie, &other), None, "{position}");
        }
        assert_eq!(opened.get(CookieKind::LbCookie, &value(1)[..123]), None);
    }

    #[test]
    fn no_more_is_kept_than_there_are_places() {
        let mut opened = OpenedValues::<u8>::default();
        for number in 0..10 * PLACES {
            opened.keep(CookieKind::LbCookie, &value(number), 7);
        }
        assert_eq!(opened.places.len(), PLACES);
        assert_eq!(opened.get(CookieKind::LbCookie, &value(10 * PLACES - 1)), Some(&7));
        // Evenly spread: hardly a place is left empty.
        assert!(opened.places.iter().flatten().count() > PLACES * 9 / 10);
    }

    #[test]
    fn what_is_too_short_or_too_long_is_not_kept() {
        let mut opened = OpenedValues::<u8>::default();
        for length in [0, 17, MAX_VALUE + 1] {
            let value = vec![b'x'; length];
            opened.keep(CookieKind::LbCookie, &value, 7);
            assert_eq!(opened.get(CookieKind::LbCookie, &value), None, "{length}");
        }
    }
}
