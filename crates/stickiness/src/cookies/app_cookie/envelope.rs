//! Writes the bindings of an application-based cookie, one for each target group and scope, as bytes and reads them.

use crate::trust::binding::{Binding, padded, read_scopes, write_scopes};

/// The bindings in bytes: how many (2, big endian), each of them, their scopes, zeros up to a whole block.
///
/// `None` when there are more than 65,535 or a name is longer than 65,535 bytes.
pub(super) fn write(bindings: &[Binding]) -> Option<Vec<u8>> {
    let mut bytes = u16::try_from(bindings.len()).ok()?.to_be_bytes().to_vec();
    bindings.iter().try_for_each(|binding| binding.write(&mut bytes))?;
    write_scopes(&mut bytes, bindings)?;
    Some(padded(bytes))
}

/// The bindings in such bytes.
pub(super) fn read(bytes: &[u8]) -> Option<Vec<Binding>> {
    let (count, mut rest) = bytes.split_first_chunk()?;
    let read_next = |_| {
        let (binding, following) = Binding::read(rest)?;
        rest = following;
        Some(binding)
    };
    let mut bindings: Vec<Binding> = (0..u16::from_be_bytes(*count)).map(read_next).collect::<Option<_>>()?;
    read_scopes(rest, &mut bindings)?;
    Some(bindings)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::time::Timestamp;
    use crate::trust::scope::Scope;

    fn binding(target_group: &str, target: &str, at: u64) -> Binding {
        let (target_group, target) = (target_group.into(), target.into());
        Binding { target_group, target, scope: Scope::default(), issued_at: Timestamp::from_millis(at) }
    }

    fn in_scope(scope: &str, binding: Binding) -> Binding {
        Binding { scope: Scope::new(scope), ..binding }
    }

    #[test]
    fn the_bytes_do_not_change_from_version_to_version() {
        let bindings = [binding("web", "10.0.0.1:80", 1_700_000_000_123), binding("api", "[::1]:80", 0)];
        let mut expected = b"\x00\x02\x00\x00\x01\x8b\xcf\xe5\x68\x7b\x00\x03web\x00\x0b10.0.0.1:80".to_vec();
        expected.extend(b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03api\x00\x08[::1]:80");
        expected.resize(96, 0);
        assert_eq!(write(&bindings), Some(expected.clone()));
        assert_eq!(read(&expected), Some(bindings.to_vec()));
    }

    #[test]
    fn the_scopes_stand_after_all_bindings() {
        let bindings = [binding("web", "a", 0), in_scope("blog", binding("web", "b", 0)), binding("api", "c", 0)];
        let mut expected = b"\x00\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03web\x00\x01a".to_vec();
        expected.extend(b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03web\x00\x01b");
        expected.extend(b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03api\x00\x01c\x00\x00\x00\x04blog");
        expected.resize(96, 0);
        assert_eq!(write(&bindings), Some(expected.clone()));
        assert_eq!(read(&expected), Some(bindings.to_vec()));
    }

    #[test]
    fn bytes_cut_anywhere_are_no_envelope() {
        let bytes = write(&[binding("web", "a", 1), binding("api", "b", 2)]).unwrap();
        for length in 0..34 {
            assert_eq!(read(&bytes[..length]), None, "{length}");
        }
    }

    proptest! {
        #[test]
        fn every_envelope_reads_back(names in proptest::collection::vec((".{0,20}", ".{0,20}", ".{0,9}", any::<u64>()), 0..20)) {
            let bindings = names.iter();
            let bindings = bindings.map(|(group, target, scope, at)| in_scope(scope, binding(group, target, *at)));
            let bindings: Vec<Binding> = bindings.collect();
            prop_assert_eq!(read(&write(&bindings).unwrap()), Some(bindings));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }
    }
}
