//! The name of a cookie, in a form that is compared quickly.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;

/// The name of a cookie. Names are case-sensitive (RFC 6265 §5.4).
#[derive(Clone, Debug)]
pub struct CookieName {
    text: Cow<'static, str>,
    key: NameKey,
}

/// The first eight bytes of a name and its last eight, as numbers. Most names differ in them.
///
/// To compare two numbers takes a few instructions. The `memcmp` of wasi-libc takes twenty for each byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NameKey {
    first: u64,
    last: u64,
}

/// The length up to which a key and a length are the whole name.
const SHORT: usize = size_of::<NameKey>();

impl NameKey {
    /// The key of the name that is the first `length` of these bytes.
    pub(super) fn of(bytes: &[u8], length: usize) -> Self {
        let word = |at: usize| bytes.get(at..).and_then(<[u8]>::first_chunk).map(|word| u64::from_le_bytes(*word));
        let bits = u32::try_from(length).unwrap_or(u32::MAX).saturating_mul(8);
        // All ones from eight bytes on.
        let mask = 1_u64.checked_shl(bits).unwrap_or_default().wrapping_sub(1);
        let first = word(0).unwrap_or_else(|| word_of_tail(bytes));
        Self { first: first & mask, last: length.checked_sub(size_of::<u64>()).and_then(word).unwrap_or_default() }
    }
}

/// The number that these bytes begin, of which there are fewer than eight.
#[inline(never)]
fn word_of_tail(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte))
}

impl CookieName {
    /// The key of the name.
    pub(super) const fn key(&self) -> NameKey {
        self.key
    }

    /// Returns true if this is the name in these bytes, which has the same key.
    pub(super) fn is(&self, name: &[u8]) -> bool {
        self.text.len() == name.len() && (name.len() <= SHORT || self.text.as_bytes() == name)
    }
}

impl PartialEq for CookieName {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.is(other.as_bytes())
    }
}

impl Eq for CookieName {}

impl Ord for CookieName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key).then_with(|| self.text.cmp(&other.text))
    }
}

impl PartialOrd for CookieName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Into<Cow<'static, str>>> From<T> for CookieName {
    fn from(text: T) -> Self {
        let text = text.into();
        let key = NameKey::of(text.as_bytes(), text.len());
        Self { text, key }
    }
}

impl Deref for CookieName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for CookieName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_equal_to_itself_only() {
        let names = [
            "",
            "s",
            "sid",
            "AWSALB",
            "AWSALBTG",
            "AWSALBTGCORS",
            "exactly-16-bytes",
            "exactly-16-bytes-",
            "exactly-16-bytes+",
        ];
        for (position, name) in names.into_iter().enumerate() {
            for (other_position, other) in names.into_iter().enumerate() {
                let name = CookieName::from(name);
                // The bytes after the name do not matter.
                let key = NameKey::of(format!("{other}=value").as_bytes(), other.len());
                let is_equal = name.key() == key && name.is(other.as_bytes());
                assert_eq!(is_equal, position == other_position, "{name} {other}");
                assert_eq!(key, NameKey::of(other.as_bytes(), other.len()), "{other}");
            }
        }
    }

    #[test]
    fn a_zero_byte_at_the_end_makes_another_name() {
        assert!(!CookieName::from("sid").is(b"sid\0"));
    }
}
