//! A cache of opened values: a client that comes back with the same cookie costs no decryption.
//!
//! A value always has the same content. The callers judge anew whether the content is still good.

use crate::slots::Slots;
use crate::trust::key_ring::CookieKind;

/// The number of slots. Each keeps one value.
const SLOTS: usize = 4096;

/// The longest value that is kept, in bytes. The value of a binding has 124; longer ones are rare and are opened each time.
const MAX_KEPT_VALUE: usize = 512;

/// The values opened last: at most some 4 MB, and usually a few hundred kilobytes.
#[derive(Debug)]
pub(crate) struct OpenCache<T> {
    slots: Slots<Option<Opened<T>>, SLOTS>,
}

#[derive(Debug)]
struct Opened<T> {
    kind: CookieKind,
    value: Box<[u8]>,
    content: T,
}

impl<T> Default for OpenCache<T> {
    fn default() -> Self {
        Self { slots: Slots::default() }
    }
}

impl<T> OpenCache<T> {
    /// The content of this value, if the cache has it.
    pub(crate) fn get(&self, kind: CookieKind, value: &[u8]) -> Option<&T> {
        let opened = self.slots.get(hash(value)?)?.as_ref()?;
        (opened.kind == kind && are_equal(&opened.value, value)).then_some(&opened.content)
    }

    /// Keeps the content of a value, in place of the value that had its slot.
    ///
    /// Callers keep only values that opened. A client therefore cannot evict the values of others with values that it makes up.
    pub(crate) fn keep(&mut self, kind: CookieKind, value: &[u8], content: T) {
        let Some(hash) = hash(value).filter(|_| value.len() <= MAX_KEPT_VALUE) else { return };
        if let Some(slot) = self.slots.get_mut(hash) {
            *slot = Some(Opened { kind, value: value.into(), content });
        }
    }
}

/// A hash of eight characters of the value's nonce, which are random; `None` for a value too short to be a sealed one.
///
/// The nonce comes after the version and the name of the key, which take 7 characters of base64 or 10 hexadecimal digits.
/// To hash 8 bytes and not 124 saves about a hundred multiplications for each look.
fn hash(value: &[u8]) -> Option<u64> {
    let random: &[u8; 8] = value.get(10..)?.first_chunk()?;
    // The characters of base64 use 64 of 256 byte values. Multiplication by the golden ratio spreads them (Knuth, "The Art of
    // Computer Programming", volume 3, section 6.4).
    Some(u64::from_le_bytes(*random).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Returns true if the bytes are equal. It compares eight at a time: the `memcmp` of wasi-libc takes twenty instructions for each
/// byte.
pub(crate) fn are_equal(one: &[u8], other: &[u8]) -> bool {
    let ((words, rest), (other_words, other_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    let mut pairs = words.iter().zip(other_words);
    one.len() == other.len()
        && pairs.all(|(word, other)| u64::from_ne_bytes(*word) == u64::from_ne_bytes(*other))
        && rest == other_rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value as long as the value of a binding. Its nonce is drawn from this number.
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
    fn an_opened_value_is_known_for_its_kind_only() {
        let mut opened = OpenCache::<u8>::default();
        assert_eq!(opened.get(CookieKind::LbCookie, &value(1)), None);
        opened.keep(CookieKind::LbCookie, &value(1), 7);
        assert_eq!(opened.get(CookieKind::LbCookie, &value(1)), Some(&7));
        assert_eq!(opened.get(CookieKind::AppCookie, &value(1)), None);
    }

    #[test]
    fn a_value_that_differs_in_any_character_is_another() {
        let mut opened = OpenCache::<u8>::default();
        opened.keep(CookieKind::LbCookie, &value(1), 7);
        for position in 0..value(1).len() {
            let mut other = value(1);
            other[position] ^= 1;
            assert_eq!(opened.get(CookieKind::LbCookie, &other), None, "{position}");
        }
        assert_eq!(opened.get(CookieKind::LbCookie, &value(1)[..123]), None);
    }

    #[test]
    fn no_more_values_are_kept_than_there_are_slots() {
        let mut opened = OpenCache::<u8>::default();
        for number in 0..10 * SLOTS {
            opened.keep(CookieKind::LbCookie, &value(number), 7);
        }
        assert_eq!(opened.slots.iter().count(), SLOTS);
        assert_eq!(opened.get(CookieKind::LbCookie, &value(10 * SLOTS - 1)), Some(&7));
        // Evenly spread: few slots are left empty.
        assert!(opened.slots.iter().flatten().count() > SLOTS * 9 / 10);
    }

    #[test]
    fn a_value_too_short_or_too_long_is_not_kept() {
        let mut opened = OpenCache::<u8>::default();
        for length in [0, 17, MAX_KEPT_VALUE + 1] {
            let value = vec![b'x'; length];
            opened.keep(CookieKind::LbCookie, &value, 7);
            assert_eq!(opened.get(CookieKind::LbCookie, &value), None, "{length}");
        }
    }
}
