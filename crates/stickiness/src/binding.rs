//! What a stickiness cookie says: this target, of this target group, since this moment.

use crate::time::Timestamp;

/// The content of a sealed cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The target group that the target belongs to. A binding is of no use in another.
    pub target_group: String,
    /// The target, as the load balancer names it: `ip:port`, `[ip]:port`, or a socket's path.
    pub target: String,
    /// When the cookie was issued or last renewed.
    pub issued_at: Timestamp,
}

/// The bytes of a binding come in multiples of this, so that a cookie's length does not tell an address's.
///
/// With the seal around it, 48 bytes make the 93 bytes, 124 characters of base64, that AWS's cookies have,
/// and every multiple makes base64 without padding.
const BLOCK: usize = 48;

impl Binding {
    /// The binding in bytes: `issued_at` (8, milliseconds, big endian), the target group and the target (each after
    /// its length in 2 bytes, big endian), zeros up to a whole block.
    ///
    /// `None` when a name is longer than 65,535 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(BLOCK);
        bytes.extend(self.issued_at.as_millis().to_be_bytes());
        for name in [&self.target_group, &self.target] {
            bytes.extend(u16::try_from(name.len()).ok()?.to_be_bytes());
            bytes.extend(name.as_bytes());
        }
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        Some(bytes)
    }

    /// Reads a binding from the front of `bytes`.
    ///
    /// `None` when they are no binding. Opened bytes always are, unless another version of this program sealed them.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (issued_at, rest) = bytes.split_first_chunk()?;
        let (target_group, rest) = name(rest)?;
        let (target, _padding) = name(rest)?;
        Some(Self { target_group, target, issued_at: Timestamp::from_millis(u64::from_be_bytes(*issued_at)) })
    }
}

fn name(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (name, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    Some((String::from_utf8(name.to_vec()).ok()?, rest))
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

    proptest! {
        #[test]
        fn every_binding_reads_back(group in ".{0,100}", target in ".{0,100}", at: u64) {
            let binding = Binding { target_group: group, target, issued_at: Timestamp::from_millis(at) };
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
