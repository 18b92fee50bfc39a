//! The content of a sealed cookie: a target, its target group, and the time of issue.

use std::rc::Rc;

use crate::outcome::Outcome;
use crate::time::Timestamp;

/// The target that a client is bound to, and since when. Clones share the names.
///
/// ```
/// use stickiness::time::Timestamp;
/// use stickiness::trust::binding::Binding;
///
/// let issued_at = Timestamp::from_millis(1_700_000_000_000);
/// let binding = Binding { target_group: "web".into(), target: "10.0.0.1:80".into(), issued_at };
/// let bytes = binding.to_bytes().unwrap();
/// assert_eq!(bytes.len(), 48);
/// assert_eq!(Binding::from_bytes(&bytes), Some(binding));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The target group that the target belongs to. In another target group the binding pins nothing.
    pub target_group: Rc<str>,
    /// The target, as the load balancer names it: `ip:port`, `[ip]:port`, or a socket's path. Empty when the client is
    /// bound to the target group alone.
    pub target: Rc<str>,
    /// When the cookie was issued or last renewed.
    pub issued_at: Timestamp,
}

/// The content of a cookie is padded to a multiple of this many bytes, so that the length of a cookie does not reveal the
/// length of an address.
///
/// A content of 48 bytes is 93 bytes when it is sealed, and 124 characters in base64: the length of AWS's cookies. Every
/// multiple of 48 gives base64 without padding.
const BLOCK: usize = 48;

impl Binding {
    /// The content of a cookie that holds this binding alone; `None` when a name is longer than 65,535 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(BLOCK);
        self.write(&mut bytes)?;
        Some(padded(bytes))
    }

    /// The binding in the content of a cookie.
    ///
    /// `None` when the bytes hold no binding. Opened bytes always hold one, unless another version of this program sealed them.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::read(bytes).map(|(binding, _padding)| binding)
    }

    /// This binding, if it belongs to this target group.
    ///
    /// # Errors
    ///
    /// [`Outcome::WrongGroup`] if it does not.
    pub fn in_group(self, target_group: &str) -> Result<Self, Outcome> {
        if *self.target_group == *target_group { Ok(self) } else { Err(Outcome::WrongGroup) }
    }

    /// Whether both bindings name the same target of the same target group.
    #[must_use]
    pub fn has_same_target(&self, other: &Self) -> bool {
        self.target == other.target && self.target_group == other.target_group
    }

    /// Appends the binding: `issued_at` (8 bytes, milliseconds, big endian), the target group and the target, each
    /// [`write_text`]. `None` when a name is too long; a part of the binding is then written.
    #[must_use]
    pub fn write(&self, bytes: &mut Vec<u8>) -> Option<()> {
        bytes.extend(self.issued_at.as_millis().to_be_bytes());
        write_text(bytes, &self.target_group)?;
        write_text(bytes, &self.target)
    }

    /// The binding at the start of `bytes`, and the bytes after it.
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

/// The text at the start of `bytes`, and the bytes after it.
#[must_use]
pub fn read_text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (text, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    Some((str::from_utf8(text).ok()?, rest))
}

/// The bytes, with zeros appended up to a whole block.
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
    fn a_name_longer_than_65535_bytes_is_refused() {
        assert_eq!(binding(&"x".repeat(65_536), "t").to_bytes(), None);
    }

    #[test]
    fn the_bytes_after_a_binding_are_returned() {
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
