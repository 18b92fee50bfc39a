//! How a sealed value is written in a cookie: base64, no longer than a cookie may be.

use data_encoding::BASE64_NOPAD;

use crate::names::AWSALBCORS;
use crate::seal::{KeyRing, Kind, Nonce, OpenError};

/// The longest value that is given and looked at, in bytes.
///
/// RFC 6265 §6.1: user agents keep at least 4,096 bytes of a cookie, and browsers keep no more of its name and value.
pub const MAX_VALUE: usize = 4096 - "=".len() - AWSALBCORS.len();

/// The value of a cookie of this kind, in the standard alphabet and without padding, as AWS's; `None` when it is longer
/// than [`MAX_VALUE`].
#[must_use]
pub fn seal(key_ring: &KeyRing, kind: Kind, content: &[u8], nonce: &Nonce) -> Option<String> {
    let value = BASE64_NOPAD.encode(&key_ring.seal(kind, content, nonce));
    (value.len() <= MAX_VALUE).then_some(value)
}

/// The content of a cookie's value.
///
/// # Errors
///
/// [`OpenError`] says why it does not open; what is longer than [`MAX_VALUE`] or no base64 is malformed.
pub fn open(key_ring: &KeyRing, kind: Kind, value: &[u8]) -> Result<Vec<u8>, OpenError> {
    if value.len() > MAX_VALUE {
        return Err(OpenError::Malformed);
    }
    let sealed = BASE64_NOPAD.decode(value).map_err(|_| OpenError::Malformed)?;
    key_ring.open(kind, &sealed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::{Key, SECRET_LENGTH};

    fn ring() -> KeyRing {
        KeyRing::new(Key::new(&[1; SECRET_LENGTH]), Vec::new())
    }

    #[test]
    fn a_value_has_the_124_characters_of_an_aws_cookie() {
        let value = seal(&ring(), Kind::LbCookie, &[0; 48], &[7; 24]).unwrap();
        assert_eq!(value.len(), 124);
        assert_eq!(open(&ring(), Kind::LbCookie, value.as_bytes()), Ok(vec![0; 48]));
    }

    #[test]
    fn a_value_longer_than_a_cookie_is_neither_given_nor_opened() {
        let long = vec![0; 48 * 64];
        assert_eq!(seal(&ring(), Kind::LbCookie, &long, &[7; 24]), None);
        let value = BASE64_NOPAD.encode(&ring().seal(Kind::LbCookie, &long, &[7; 24]));
        assert_eq!(open(&ring(), Kind::LbCookie, value.as_bytes()), Err(OpenError::Malformed));
    }

    #[test]
    fn a_value_with_another_spelling_of_its_last_bits_is_malformed() {
        let value = seal(&ring(), Kind::LbCookie, &[0; 47], &[7; 24]).unwrap();
        let mut respelled = value.clone().into_bytes();
        let last = respelled.last_mut().unwrap();
        *last += 1;
        assert_eq!(open(&ring(), Kind::LbCookie, &respelled), Err(OpenError::Malformed), "{value}");
    }
}
