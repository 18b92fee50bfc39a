//! Opens the value of one of our cookies: the kind as a digit, then the value as the client sends it.
//!
//! There are two checks. A value that opens is byte for byte the value that the key ring seals for this content. A sealed value
//! opens to its content, and does not open after any change.

#![no_main]

use std::sync::LazyLock;

use fuzzing::{KINDS, MAX_VALUE_OF_ALL_SHARDS, ring};
use libfuzzer_sys::fuzz_target;
use stickiness::trust::binding::Binding;
use stickiness::trust::key_ring::{CookieKind, KeyRing, NONCE_LENGTH, Nonce};
use stickiness::trust::value_encoding::{self, MAX_COOKIE_VALUE};

static RING: LazyLock<KeyRing> = LazyLock::new(|| ring(&[1, 2]));
static NEWEST: LazyLock<KeyRing> = LazyLock::new(|| ring(&[1]));
static OLDER: LazyLock<KeyRing> = LazyLock::new(|| ring(&[2]));
static OTHER: LazyLock<KeyRing> = LazyLock::new(|| ring(&[3]));

fuzz_target!(|input: &[u8]| {
    let [digit, value @ ..] = input else { return };
    let kind = KINDS[usize::from(digit.wrapping_sub(b'0')) % KINDS.len()];
    what_opens_was_sealed(kind, value);
    what_is_sealed_opens_until_it_is_changed(kind, value);
});

fn what_opens_was_sealed(kind: CookieKind, value: &[u8]) {
    let Ok(content) = value_encoding::open(&RING, kind, value) else { return };
    // The nonce comes after the version and the name of the key.
    let bytes = written(kind, value).expect("what opens is written as a cookie's value");
    let nonce: Nonce = bytes[5..5 + NONCE_LENGTH].try_into().expect("what opens has a nonce");
    let sealed_again = [&*NEWEST, &*OLDER].map(|ring| value_encoding::seal(ring, kind, &content, &nonce));
    assert!(sealed_again.iter().flatten().any(|again| again.as_bytes() == value), "opened, but was never sealed");
    let _ = Binding::from_bytes(&content);
}

fn what_is_sealed_opens_until_it_is_changed(kind: CookieKind, content: &[u8]) {
    let number = content.iter().fold(content.len(), |number, byte| number.wrapping_mul(31) ^ usize::from(*byte));
    let mut nonce = [0; NONCE_LENGTH];
    nonce[..8].copy_from_slice(&number.to_be_bytes());
    let Some(value) = value_encoding::seal(&RING, kind, content, &nonce) else {
        assert!(content.len() > MAX_COOKIE_VALUE / 3, "{} bytes are not too long for a cookie", content.len());
        return;
    };
    let longest = if kind == CookieKind::AppCookie { MAX_VALUE_OF_ALL_SHARDS } else { MAX_COOKIE_VALUE };
    assert!(value.is_ascii() && value.len() <= longest);
    assert_eq!(value_encoding::open(&RING, kind, value.as_bytes()).as_deref(), Ok(content));
    assert_eq!(value_encoding::open(&NEWEST, kind, value.as_bytes()).as_deref(), Ok(content));

    assert!(value_encoding::open(&OTHER, kind, value.as_bytes()).is_err(), "with another key");
    let other_kind = KINDS[(number % (KINDS.len() - 1) + 1 + position_of(kind)) % KINDS.len()];
    assert!(value_encoding::open(&RING, other_kind, value.as_bytes()).is_err(), "as {other_kind:?}");

    let mut changed = value.into_bytes();
    let at = number % changed.len();
    assert!(value_encoding::open(&RING, kind, &changed[..at]).is_err(), "cut to {at}");
    assert!(value_encoding::open(&RING, kind, &[&changed, &changed[..1]].concat()).is_err(), "longer");
    changed[at] ^= 1 << ((number >> 8) % 8);
    assert!(value_encoding::open(&RING, kind, &changed).is_err(), "a bit of {at} changed");
}

fn position_of(kind: CookieKind) -> usize {
    KINDS.iter().position(|one| *one == kind).expect("each kind is one of them")
}

/// Decodes a value step by step: six bits a character, or four for a Classic Load Balancer.
fn written(kind: CookieKind, value: &[u8]) -> Option<Vec<u8>> {
    let is_classic = matches!(kind, CookieKind::ClassicLbCookie | CookieKind::ClassicAppCookie);
    let (bits_each, alphabet): (u32, &[u8]) = if is_classic {
        (4, b"0123456789ABCDEF")
    } else {
        (6, b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    };
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_usize, 0);
    for character in value {
        let digit = alphabet.iter().position(|one| one == character)?;
        bits = (bits << bits_each | digit) & 0xffff;
        count += bits_each;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    Some(bytes)
}
