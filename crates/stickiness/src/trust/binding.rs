//! The content of a sealed cookie: a target, its target group, the scope that it was given under, and the time of issue.

use std::rc::Rc;

use crate::time::Timestamp;
use crate::trust::scope::Scope;

/// The target that a client is bound to, and since when. Clones share the names.
///
/// ```
/// use stickiness::time::Timestamp;
/// use stickiness::trust::binding::Binding;
/// use stickiness::trust::scope::Scope;
///
/// let (scope, issued_at) = (Scope::new("cart"), Timestamp::from_millis(1_700_000_000_000));
/// let binding = Binding { target_group: "web".into(), target: "10.0.0.1:80".into(), scope, issued_at };
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
    /// The scope that the client was given the binding under. In another scope the binding pins nothing.
    pub scope: Scope,
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
        write_scopes(&mut bytes, std::slice::from_ref(self))?;
        Some(padded(bytes))
    }

    /// The binding in the content of a cookie.
    ///
    /// `None` when the bytes hold no binding. Opened bytes always hold one, unless another version of this program sealed them.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (mut binding, rest) = Self::read(bytes)?;
        read_scopes(rest, std::slice::from_mut(&mut binding))?;
        Some(binding)
    }

    /// Returns true if the binding belongs to this target group and to this scope.
    #[must_use]
    pub fn belongs_to(&self, target_group: &str, scope: &Scope) -> bool {
        *self.target_group == *target_group && self.scope == *scope
    }

    /// Returns true if the bindings differ in nothing but the time: both name the same target of the same target group, for the
    /// same scope.
    #[must_use]
    pub fn has_same_target(&self, other: &Self) -> bool {
        self.target == other.target && self.belongs_to(&other.target_group, &other.scope)
    }

    /// Appends the binding without its scope: `issued_at` (8 bytes, milliseconds, big endian), the target group and the target,
    /// each [`write_text`]. `None` when a name is too long; a part of the binding is then written.
    #[must_use]
    pub fn write(&self, bytes: &mut Vec<u8>) -> Option<()> {
        bytes.extend(self.issued_at.as_millis().to_be_bytes());
        write_text(bytes, &self.target_group)?;
        write_text(bytes, &self.target)
    }

    /// The binding at the start of `bytes`, without its scope, and the bytes after it.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (issued_at, rest) = bytes.split_first_chunk()?;
        let (target_group, rest) = read_text(rest)?;
        let (target, rest) = read_text(rest)?;
        let issued_at = Timestamp::from_millis(u64::from_be_bytes(*issued_at));
        let (target_group, target) = (target_group.into(), target.into());
        Some((Self { target_group, target, scope: Scope::default(), issued_at }, rest))
    }
}

/// Appends the scopes of these bindings, each [`write_text`], up to the last one that is not empty. `None` as for [`write_text`].
///
/// They are the end of a content. An empty one is two zeros, as is the padding. So a content whose scopes are all empty is what it
/// was before there were scopes, and it is no longer than it was.
#[must_use]
pub fn write_scopes(bytes: &mut Vec<u8>, bindings: &[Binding]) -> Option<()> {
    let count =
        bindings.iter().rposition(|binding| !binding.scope.name().is_empty()).map_or(0, |last| last.saturating_add(1));
    bindings.iter().take(count).try_for_each(|binding| write_text(bytes, binding.scope.name()))
}

/// Reads the scopes of these bindings from the end of a content. Where it ends before, the scopes are empty. `None` when there are
/// other bytes.
#[must_use]
pub fn read_scopes(mut rest: &[u8], bindings: &mut [Binding]) -> Option<()> {
    for binding in bindings {
        if let [] | [0] = rest {
            break;
        }
        let (scope, following) = read_text(rest)?;
        binding.scope = Scope::new(scope);
        rest = following;
    }
    Some(())
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
            scope: Scope::default(),
            issued_at: Timestamp::from_millis(1_700_000_000_123),
        }
    }

    fn in_scope(scope: &str, binding: Binding) -> Binding {
        Binding { scope: Scope::new(scope), ..binding }
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
    fn the_scope_stands_after_the_target() {
        let mut expected = b"\x00\x00\x01\x8b\xcf\xe5\x68\x7b\x00\x03web\x00\x0d10.0.0.1:8080\x00\x05admin".to_vec();
        expected.resize(48, 0);
        let binding = in_scope("admin", binding("web", "10.0.0.1:8080"));
        assert_eq!(binding.to_bytes(), Some(expected.clone()));
        assert_eq!(Binding::from_bytes(&expected), Some(binding));
    }

    #[test]
    fn a_content_that_leaves_no_room_for_a_scope_has_the_empty_one() {
        // 8 bytes of time, 2 of length, 3 of `web`, 2 of length: these targets leave 2, 1 and 0 bytes of the block.
        for length in 31..=33 {
            let binding = binding("web", &"x".repeat(length));
            let bytes = binding.to_bytes().unwrap();
            assert_eq!((bytes.len(), Binding::from_bytes(&bytes)), (48, Some(binding)), "{length}");
        }
    }

    #[test]
    fn bytes_after_a_binding_that_are_no_scope_are_no_binding() {
        let mut bytes = Vec::new();
        binding("web", "a").write(&mut bytes).unwrap();
        for rest in [&b"x"[..], b"\x00\x02x", b"\x00\x01\xff"] {
            assert_eq!(Binding::from_bytes(&[&bytes, rest].concat()), None, "{rest:?}");
        }
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
        let long = "x".repeat(65_536);
        assert_eq!(binding(&long, "t").to_bytes(), None);
        assert_eq!(in_scope(&long, binding("web", "t")).to_bytes(), None);
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
        fn every_binding_reads_back(group in ".{0,100}", target in ".{0,100}", scope in ".{0,100}", at: u64) {
            let binding = Binding { issued_at: Timestamp::from_millis(at), ..binding(&group, &target) };
            let binding = in_scope(&scope, binding);
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
