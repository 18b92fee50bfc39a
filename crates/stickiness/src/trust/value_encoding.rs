//! Writes sealed values as cookie values: in base64 without padding or, for a Classic Load Balancer, in upper-case
//! hexadecimal digits.

use base16ct::upper as hexadecimal;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::trust::key_ring::{CookieKind, KeyRing, Nonce, OpenError};

/// The longest value of a cookie that is given and read, in bytes.
///
/// RFC 6265 §6.1: user agents keep at least 4,096 bytes of a cookie, and browsers keep no more of its name and value.
/// This leaves 96 for the name.
pub const MAX_COOKIE_VALUE: usize = 4000;

/// The shortest value that is given, in bytes: a content of one block ([`padded`](crate::trust::binding::padded)) in base64.
pub const MIN_COOKIE_VALUE: usize = 124;

/// The number of cookies that an application-based value may be split into: `AWSALBAPP-0` to `-3`.
pub const SHARDS: usize = 4;

impl CookieKind {
    const fn is_classic(self) -> bool {
        matches!(self, Self::ClassicLbCookie | Self::ClassicAppCookie)
    }

    /// The longest value in bytes. The value of an application-based cookie is split into several cookies.
    const fn max_value(self) -> usize {
        match self {
            Self::AppCookie => MAX_COOKIE_VALUE.saturating_mul(SHARDS),
            _ => MAX_COOKIE_VALUE,
        }
    }
}

/// The value of a cookie of this kind; `None` when it is too long for one.
#[must_use]
pub fn seal(key_ring: &KeyRing, kind: CookieKind, content: &[u8], nonce: &Nonce) -> Option<String> {
    let sealed = key_ring.seal(kind, content, nonce);
    let value = if kind.is_classic() { hexadecimal::encode_string(&sealed) } else { STANDARD_NO_PAD.encode(&sealed) };
    (value.len() <= kind.max_value()).then_some(value)
}

/// The content of the value of a cookie of this kind.
///
/// # Errors
///
/// [`OpenError`] says why the value does not open. A value that is too long or not in this encoding is malformed.
pub fn open(key_ring: &KeyRing, kind: CookieKind, value: &[u8]) -> Result<Vec<u8>, OpenError> {
    if value.len() > kind.max_value() {
        return Err(OpenError::Malformed);
    }
    key_ring.open(kind, &decode(kind, value).ok_or(OpenError::Malformed)?)
}

/// Returns true if an older key of the ring has sealed this value of a cookie of this kind. The value is one that opens.
#[must_use]
pub fn is_of_older_key(key_ring: &KeyRing, kind: CookieKind, value: &[u8]) -> bool {
    // They hold the version and the name of the key, and can be decoded by themselves.
    let start = value.get(..if kind.is_classic() { 10 } else { 8 });
    key_ring.has_older_keys()
        && start.and_then(|start| decode(kind, start)).is_some_and(|start| key_ring.is_of_older_key(&start))
}

fn decode(kind: CookieKind, value: &[u8]) -> Option<Vec<u8>> {
    if kind.is_classic() { hexadecimal::decode_vec(value).ok() } else { STANDARD_NO_PAD.decode(value).ok() }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests {
    use data_encoding::{BASE64_NOPAD, HEXUPPER};

    use super::*;
    use crate::trust::key_ring::{Key, SECRET_LENGTH};

    const NONCE: Nonce = [7; 24];

    fn ring() -> KeyRing {
        KeyRing::new(Key::new(&[1; SECRET_LENGTH]), Vec::new())
    }

    #[test]
    fn a_value_has_the_124_characters_of_an_aws_cookie() {
        let value = seal(&ring(), CookieKind::LbCookie, &[0; 48], &NONCE).unwrap();
        assert_eq!(value.len(), 124);
        assert_eq!(open(&ring(), CookieKind::LbCookie, value.as_bytes()), Ok(vec![0; 48]));
    }

    #[test]
    fn a_classic_value_is_upper_case_hexadecimal() {
        let value = seal(&ring(), CookieKind::ClassicLbCookie, &[0; 48], &NONCE).unwrap();
        assert!(value.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte)), "{value}");
        assert_eq!(open(&ring(), CookieKind::ClassicLbCookie, value.as_bytes()), Ok(vec![0; 48]));
    }

    const KINDS: [CookieKind; 5] = [
        CookieKind::LbCookie,
        CookieKind::AppCookie,
        CookieKind::TargetGroup,
        CookieKind::ClassicLbCookie,
        CookieKind::ClassicAppCookie,
    ];

    #[test]
    fn a_value_of_any_kind_that_is_cut_anywhere_does_not_open() {
        for kind in KINDS {
            let value = seal(&ring(), kind, &[0; 48], &NONCE).unwrap();
            for length in 0..value.len() {
                assert_eq!(open(&ring(), kind, &value.as_bytes()[..length]), Err(OpenError::Malformed), "{length}");
            }
        }
    }

    #[test]
    fn a_value_of_any_kind_with_any_bit_of_its_characters_flipped_does_not_open() {
        for kind in KINDS {
            let value = seal(&ring(), kind, &[0; 48], &NONCE).unwrap();
            for bit in 0..value.len() * 8 {
                let mut flipped = value.clone().into_bytes();
                flipped[bit / 8] ^= 1 << (bit % 8);
                assert!(open(&ring(), kind, &flipped).is_err(), "{kind:?}, {bit}");
            }
        }
    }

    #[test]
    fn a_value_of_any_kind_does_not_open_as_another() {
        for of in KINDS {
            let sealed = ring().seal(of, &[0; 48], &NONCE);
            for used_as in KINDS {
                let value = if used_as.is_classic() { HEXUPPER.encode(&sealed) } else { BASE64_NOPAD.encode(&sealed) };
                assert_eq!(open(&ring(), used_as, value.as_bytes()).is_ok(), of == used_as, "{of:?} as {used_as:?}");
            }
        }
    }

    #[test]
    fn a_value_longer_than_a_cookie_is_neither_given_nor_opened() {
        let long = vec![0; 48 * 64];
        assert_eq!(seal(&ring(), CookieKind::LbCookie, &long, &NONCE), None);
        let value = BASE64_NOPAD.encode(&ring().seal(CookieKind::LbCookie, &long, &NONCE));
        assert_eq!(open(&ring(), CookieKind::LbCookie, value.as_bytes()), Err(OpenError::Malformed));
    }

    #[test]
    fn an_application_based_value_may_be_as_long_as_four_cookies() {
        let (fits, too_long) = (vec![0; 48 * 249], vec![0; 48 * 250]);
        let value = seal(&ring(), CookieKind::AppCookie, &fits, &NONCE).unwrap();
        assert_eq!(open(&ring(), CookieKind::AppCookie, value.as_bytes()), Ok(fits));
        assert_eq!(seal(&ring(), CookieKind::AppCookie, &too_long, &NONCE), None);
    }

    #[test]
    fn a_value_with_another_spelling_of_its_last_bits_is_malformed() {
        let value = seal(&ring(), CookieKind::LbCookie, &[0; 47], &NONCE).unwrap();
        let mut respelled = value.clone().into_bytes();
        let last = respelled.last_mut().unwrap();
        *last += 1;
        assert_eq!(open(&ring(), CookieKind::LbCookie, &respelled), Err(OpenError::Malformed), "{value}");
    }
}
