//! Properties of all sealed values: each opens as the content that was sealed, and as nothing else.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;
use crate::time::Timestamp;
use crate::trust::binding::Binding;
use crate::trust::key_ring::{Key, NONCE_LENGTH, SECRET_LENGTH};
use crate::trust::scope::Scope;

type Secret = [u8; SECRET_LENGTH];

const KINDS: [CookieKind; 5] = [
    CookieKind::LbCookie,
    CookieKind::AppCookie,
    CookieKind::TargetGroup,
    CookieKind::ClassicLbCookie,
    CookieKind::ClassicAppCookie,
];

prop_compose! {
    fn any_binding()(target_group in ".{0,60}", target in ".{0,108}", scope in ".{0,9}", at: u64) -> Binding {
        let (target_group, target) = (target_group.into(), target.into());
        Binding { target_group, target, scope: Scope::new(&scope), issued_at: Timestamp::from_millis(at) }
    }
}

prop_compose! {
    /// A kind, a secret, and the value of a cookie of that kind sealed with it.
    fn any_value()(kind in select(&KINDS), secret: Secret, nonce: Nonce, binding in any_binding())
        -> (CookieKind, Secret, String)
    {
        (kind, secret, sealed(kind, &secret, &nonce, &binding))
    }
}

fn ring(secret: &Secret) -> KeyRing {
    KeyRing::new(Key::new(secret), Vec::new())
}

fn sealed(kind: CookieKind, secret: &Secret, nonce: &Nonce, binding: &Binding) -> String {
    seal(&ring(secret), kind, &binding.to_bytes().unwrap(), nonce).unwrap()
}

proptest! {
    #[test]
    fn every_binding_opens_as_it_was_sealed(
        kind in select(&KINDS), secret: Secret, nonce: Nonce, binding in any_binding()
    ) {
        let value = sealed(kind, &secret, &nonce, &binding);
        prop_assert!(value.len() <= MAX_COOKIE_VALUE);
        let opened = open(&ring(&secret), kind, value.as_bytes()).unwrap();
        prop_assert_eq!(Binding::from_bytes(&opened), Some(binding));
    }

    #[test]
    fn with_another_key_nothing_opens((kind, secret, value) in any_value(), other: Secret) {
        prop_assume!(secret != other);
        prop_assert!(open(&ring(&other), kind, value.as_bytes()).is_err());
    }

    #[test]
    fn with_a_key_that_differs_in_one_bit_nothing_opens((kind, mut secret, value) in any_value(), at: Index, bit in 0..8_u8) {
        secret[at.index(SECRET_LENGTH)] ^= 1_u8 << bit;
        prop_assert!(open(&ring(&secret), kind, value.as_bytes()).is_err());
    }

    #[test]
    fn as_another_kind_nothing_opens((kind, secret, value) in any_value(), other in select(&KINDS)) {
        prop_assume!(kind != other);
        prop_assert_eq!(open(&ring(&secret), other, value.as_bytes()), Err(OpenError::Malformed));
    }

    #[test]
    fn in_another_target_group_no_binding_fits(binding in any_binding(), other in ".{0,60}") {
        prop_assume!(*binding.target_group != *other);
        prop_assert!(!binding.belongs_to(&other, &binding.scope));
    }

    #[test]
    fn in_another_scope_no_binding_fits(binding in any_binding(), other in ".{0,9}") {
        prop_assume!(binding.scope.name() != other);
        prop_assert!(!binding.belongs_to(&binding.target_group, &Scope::new(&other)));
    }

    #[test]
    fn with_any_byte_changed_nothing_opens((kind, secret, value) in any_value(), at: Index, byte: u8) {
        let mut changed = value.into_bytes();
        let position = at.index(changed.len());
        prop_assume!(changed[position] != byte);
        changed[position] = byte;
        prop_assert!(open(&ring(&secret), kind, &changed).is_err());
    }

    #[test]
    fn cut_anywhere_at_either_end_nothing_opens((kind, secret, value) in any_value(), at: Index) {
        let (start, end) = value.as_bytes().split_at(at.index(value.len() - 1) + 1);
        prop_assert!(end.is_empty() || open(&ring(&secret), kind, start).is_err());
        prop_assert!(open(&ring(&secret), kind, end).is_err());
    }

    #[test]
    fn with_anything_added_nothing_opens((kind, secret, value) in any_value(), added in "[0-9A-Za-z+/=]{1,64}") {
        for longer in [format!("{value}{added}"), format!("{added}{value}")] {
            prop_assert!(open(&ring(&secret), kind, longer.as_bytes()).is_err(), "{longer}");
        }
    }

    #[test]
    fn two_halves_of_two_values_do_not_open(
        (kind, secret, one) in any_value(), nonce: Nonce, binding in any_binding(), at: Index
    ) {
        let other = sealed(kind, &secret, &nonce, &binding);
        let position = at.index(one.len().min(other.len()));
        let joined = [&one.as_bytes()[..position], &other.as_bytes()[position..]].concat();
        prop_assume!(joined != one.as_bytes() && joined != other.as_bytes());
        prop_assert!(open(&ring(&secret), kind, &joined).is_err());
    }

    #[test]
    fn two_seals_of_one_binding_are_two_values(
        kind in select(&KINDS), secret: Secret, nonces: [Nonce; 2], binding in any_binding()
    ) {
        prop_assume!(nonces[0] != nonces[1]);
        let [one, other] = nonces.map(|nonce| sealed(kind, &secret, &nonce, &binding));
        // After the version and the name of the key, they have no more in common than two random texts.
        let tail = |value: &str| value.as_bytes()[value.len() - 2 * NONCE_LENGTH..].to_owned();
        prop_assert_ne!(tail(&one), tail(&other));
    }

    #[test]
    fn a_value_that_nobody_sealed_does_not_open(kind in select(&KINDS), secret: Secret, value: Vec<u8>) {
        prop_assert!(open(&ring(&secret), kind, &value).is_err());
    }
}
