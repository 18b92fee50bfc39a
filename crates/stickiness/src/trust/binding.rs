//! What a sealed cookie says: this target, of this target group, since this moment.

use std::rc::Rc;

use crate::time::Timestamp;

/// A target, and since when a client has been bound to it. Copies share their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The target group that the target belongs to. A binding is of no use in another.
    pub target_group: Rc<str>,
    /// The target, as the load balancer names it: `ip:port`, `[ip]:port`, or a socket's path. Empty when the client is
    /// bound to the target group alone.
    pub target: Rc<str>,
    /// When the cookie was issued or last renewed.
    pub issued_at: Timestamp,
}

/// The content of a cookie comes in multiples of this, so that a cookie's length does not tell an address's.
///
/// With the seal around it, 48 bytes make the 93 bytes, 124 characters of base64, that AWS's cookies have,
/// and every multiple makes base64 without padding.
const BLOCK: usize = 48;

impl Binding {
    /// The content of a cookie that holds this binding alone; `None` when a name is longer than 65,535 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(BLOCK);
        self.write(&mut bytes)?;
        Some(padded(bytes))
    }

    /// The binding in such a content.
    ///
    /// `None` when there is none. Opened bytes always hold one, unless another version of this program sealed them.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::read(bytes).map(|(binding, _padding)| binding)
    }

    /// Appends the binding: `issued_at` (8 bytes, milliseconds, big endian), the target group and the target, each
    /// [`write_text`]. `None` when a name is too long, with a part of it written.
    #[must_use]
    pub fn write(&self, bytes: &mut Vec<u8>) -> Option<()> {
        bytes.extend(self.issued_at.as_millis().to_be_bytes());
        write_text(bytes, &self.target_group)?;
        write_text(bytes, &self.target)
    }

    /// The binding that `bytes` begin with, and what follows it.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (issued_at, rest) = bytes.split_first_chunk()?;
        let (target_group, rest) = read_text(rest)?;
        let (target, rest) = read_text(rest)?;
        let issued_at = Timestamp::from_millis(u64::from_be_bytes(*issued_at));
        Some((Self { target_group: target_group.into(), target: target.into(), issued_at }, rest))
    }
}

/// Appends a text after its length in bytes (2, big endian); `None` when it is longer than 65,535 bytes.
#[must_use]
pub fn write_text(bytes: &mut Vec<u8>, text: &str) -> Option<()> {
    bytes.extend(u16::try_from(text.len()).ok()?.to_be_bytes());
    bytes.extend(text.as_bytes());
    Some(())
}

/// The text that `bytes` begin with, and what follows it.
#[must_use]
pub fn read_text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (text, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    Some((str::from_utf8(text).ok()?, rest))
}

/// The bytes and zeros up to a whole block.
#[must_use]
pub fn padded(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn binding(target_group: &str, target: &str) -> Binding {
        Binding {
            target_group: target_group.into(),
            target: target.into(),
            issued_at: Timestamp::from_millis(1_700_000_000_123),
        }
    }

    #[test]
    fn the_bytes_do_not_change_from_version_to_version() {
        let mut expected = b"\x00\x00\x01\x8b\xcf\xe5\x68\x7b\x00\x03web\x00\x0d10.0.0.1:8080".to_vec();
        expected.resize(48, 0);
        let binding = binding("web", "10.0.0.1:8080");
        assert_eq!(binding.to_bytes(), Some(expected.clone()));
        assert_eq!(Binding::from_bytes(&expected), Some(binding));
    }

    #[test]
    fn addresses_of_different_length_make_bindings_of_the_same_length() {
        let short = binding("web", "1.2.3.4:1").to_bytes().unwrap();
        let long = binding("web", "100.200.100.200:10000").to_bytes().unwrap();
        assert_eq!(short.len(), long.len());
    }

    #[test]
    fn bytes_cut_anywhere_are_no_binding() {
        let bytes = binding("web", "10.0.0.1:8080").to_bytes().unwrap();
        for length in 0..28 {
            assert_eq!(Binding::from_bytes(&bytes[..length]), None, "{length}");
        }
    }

    #[test]
    fn a_name_that_no_length_can_tell_is_refused() {
        assert_eq!(binding(&"x".repeat(65_536), "t").to_bytes(), None);
    }

    #[test]
    fn a_binding_tells_what_follows_it() {
        let mut bytes = Vec::new();
        binding("web", "a").write(&mut bytes).unwrap();
        binding("api", "b").write(&mut bytes).unwrap();
        let (first, rest) = Binding::read(&bytes).unwrap();
        assert_eq!((first, Binding::read(rest)), (binding("web", "a"), Some((binding("api", "b"), &[][..]))));
    }

    proptest! {
        #[test]
        fn every_binding_reads_back(group in ".{0,100}", target in ".{0,100}", at: u64) {
            let binding = Binding { issued_at: Timestamp::from_millis(at), ..binding(&group, &target) };
            let bytes = binding.to_bytes().unwrap();
            prop_assert_eq!(bytes.len() % BLOCK, 0);
            prop_assert_eq!(Binding::from_bytes(&bytes), Some(binding));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = Binding::from_bytes(&bytes);
        }
    }
}
