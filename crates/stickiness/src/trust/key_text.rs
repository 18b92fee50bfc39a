//! Reads keys as an operator writes them: an id for people, and a secret of 32 bytes in base64.
//!
//! The keys stand in the configuration or in an environment variable. [`given`] decides which of the two counts.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::trust::key_ring::{Key, KeyRing, SECRET_LENGTH};

/// The environment variable that holds the ring when the configuration has none.
pub const ENVIRONMENT_VARIABLE: &str = "STICKY_SESSIONS_KEYS";

/// The largest number of keys in a ring. A rotation needs two.
pub const MAX_KEYS: usize = 16;

/// An error in a secret. It never shows the secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Not base64.
    #[error(
        "the secret is not base64; it is {SECRET_LENGTH} bytes in base64, as `openssl rand -base64 {SECRET_LENGTH}` prints them"
    )]
    NotBase64,
    /// Base64 of too few or too many bytes.
    #[error(
        "the secret has {0} bytes; it must have {SECRET_LENGTH}, as `openssl rand -base64 {SECRET_LENGTH}` prints them"
    )]
    Length(usize),
}

/// An error in a ring. It names keys by their position, from 1, and never by their id: a secret may stand in the place of
/// the id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    /// No key at all.
    #[error("there is no key; leave it out for a random key")]
    Empty,
    /// More keys than [`MAX_KEYS`].
    #[error("{0} keys are too many; at most {MAX_KEYS} are allowed")]
    TooMany(usize),
    /// A key whose text is not `id:base64`.
    #[error("key {0} is not id:base64")]
    NotIdAndSecret(usize),
    /// A key without an id.
    #[error("key {0} has no id")]
    NoId(usize),
    /// A key with a wrong secret.
    #[error("key {0}: {1}")]
    Secret(usize, SecretError),
    /// Two keys with one id.
    #[error("keys {0} and {1} have the same id")]
    SameId(usize, usize),
}

/// Reads a key from its secret in base64, with or without padding.
///
/// # Errors
///
/// [`SecretError`] when it is not 32 bytes in base64.
pub fn parse_secret(base64: &str) -> Result<Key, SecretError> {
    let bytes = STANDARD_NO_PAD.decode(base64.trim().trim_end_matches('=')).map_err(|_| SecretError::NotBase64)?;
    let secret: &[u8; SECRET_LENGTH] = bytes.as_slice().try_into().map_err(|_| SecretError::Length(bytes.len()))?;
    Ok(Key::new(secret))
}

/// Makes a ring of keys with their ids, the newest first.
///
/// # Errors
///
/// [`RingError`] when there is none, there are too many, or two have one id.
pub fn ring(keys: Vec<(String, Key)>) -> Result<KeyRing, RingError> {
    if keys.len() > MAX_KEYS {
        return Err(RingError::TooMany(keys.len()));
    }
    for ((id, _), position) in keys.iter().zip(1_usize..) {
        if id.is_empty() {
            return Err(RingError::NoId(position));
        }
        let earlier = keys.iter().zip(1..position).find(|((other, _), _)| other == id);
        if let Some((_, earlier)) = earlier {
            return Err(RingError::SameId(earlier, position));
        }
    }
    let mut keys = keys.into_iter().map(|(_, key)| key);
    let newest = keys.next().ok_or(RingError::Empty)?;
    Ok(KeyRing::new(newest, keys.collect()))
}

/// The ring that the operator gave: the one of the configuration, or the one of the environment if the configuration has
/// none. An empty variable counts as one that is not set.
///
/// # Errors
///
/// [`RingError`] when the ring of the environment counts and is wrong.
pub fn given(configured: Option<KeyRing>, environment: Option<&str>) -> Result<Option<KeyRing>, RingError> {
    match (configured, environment) {
        (None, Some(ring)) if !ring.is_empty() => parse_ring(ring).map(Some),
        (configured, _) => Ok(configured),
    }
}

/// Reads a ring from a text like `2026-11:<base64>,2026-10:<base64>`, the newest key first.
///
/// The newest key seals, and every key opens what it sealed:
///
/// ```
/// use stickiness::trust::key_text::parse_ring;
/// use stickiness::trust::key_ring::CookieKind;
///
/// let old = "2026-10:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// let new = "2026-11:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
/// let sealed = parse_ring(old)?.seal(CookieKind::LbCookie, b"10.0.0.1:80", &[0; 24]);
/// let rotated = parse_ring(&format!("{new},{old}"))?;
/// assert_eq!(rotated.open(CookieKind::LbCookie, &sealed), Ok(b"10.0.0.1:80".to_vec()));
/// # Ok::<(), stickiness::trust::key_text::RingError>(())
/// ```
///
/// # Errors
///
/// [`RingError`] names the key that is wrong by its position.
///
/// ```
/// # use stickiness::trust::key_text::parse_ring;
/// assert_eq!(parse_ring("2026-11:c2hvcnQ=").unwrap_err().to_string(),
///     "key 1: the secret has 5 bytes; it must have 32, as `openssl rand -base64 32` prints them");
/// ```
pub fn parse_ring(text: &str) -> Result<KeyRing, RingError> {
    let keys = text
        .split(',')
        .map(str::trim)
        .filter(|key| !key.is_empty())
        .zip(1..)
        .map(|(key, position)| {
            let (id, secret) = key.split_once(':').ok_or(RingError::NotIdAndSecret(position))?;
            let key = parse_secret(secret).map_err(|error| RingError::Secret(position, error))?;
            Ok((id.to_owned(), key))
        })
        .collect::<Result<_, RingError>>()?;
    ring(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::key_ring::CookieKind;

    const NEW: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const OLD: &str = "//////////////////////////////////////////8=";

    fn many(count: usize) -> String {
        (0..count).map(|id| format!("{id}:{NEW}")).collect::<Vec<_>>().join(",")
    }

    fn message(text: &str) -> String {
        parse_ring(text).unwrap_err().to_string()
    }

    #[test]
    fn the_first_key_seals_and_all_open() {
        let both = parse_ring(&format!("new:{NEW},old:{OLD}")).unwrap();
        let new = parse_ring(&format!("new:{NEW}")).unwrap();
        let old = parse_ring(&format!("old:{OLD}")).unwrap();
        let sealed = both.seal(CookieKind::LbCookie, b"x", &[1; 24]);
        assert!(new.open(CookieKind::LbCookie, &sealed).is_ok());
        assert!(old.open(CookieKind::LbCookie, &sealed).is_err());
        assert!(both.open(CookieKind::LbCookie, &old.seal(CookieKind::LbCookie, b"x", &[2; 24])).is_ok());
    }

    #[test]
    fn the_same_secret_under_another_id_is_the_same_key() {
        let here = parse_ring(&format!("here:{NEW}")).unwrap();
        let there = parse_ring(&format!("there:{NEW}")).unwrap();
        assert!(there.open(CookieKind::LbCookie, &here.seal(CookieKind::LbCookie, b"x", &[1; 24])).is_ok());
    }

    #[test]
    fn white_space_and_missing_padding_do_no_harm() {
        assert!(parse_ring(&format!(" a:{NEW} ,\n b:{}\n", OLD.trim_end_matches('='))).is_ok());
    }

    #[test]
    fn every_error_says_which_key_and_what_is_allowed_and_never_the_secret() {
        assert_eq!(message(""), "there is no key; leave it out for a random key");
        assert_eq!(message(&format!("a:{NEW},{OLD}")), "key 2 is not id:base64");
        assert_eq!(message(&format!("a:{NEW},b:{OLD},a:{OLD}")), "keys 1 and 3 have the same id");
        assert_eq!(
            message("a:c2hvcnQ="),
            "key 1: the secret has 5 bytes; it must have 32, as `openssl rand -base64 32` prints them"
        );
        assert_eq!(
            message("a:s3cr3t!"),
            "key 1: the secret is not base64; it is 32 bytes in base64, as `openssl rand -base64 32` prints them"
        );
        assert_eq!(message(&format!("a:{NEW},:{OLD}")), "key 2 has no id");
        let swapped = message(&format!("a:{NEW},{OLD}:b"));
        assert!(swapped.starts_with("key 2: the secret is not base64") && !swapped.contains(OLD), "{swapped}");
        assert_eq!(message(&many(17)), "17 keys are too many; at most 16 are allowed");
    }

    #[test]
    fn a_ring_may_have_16_keys() {
        assert!(parse_ring(&many(16)).is_ok());
    }

    #[test]
    fn the_configuration_comes_before_the_environment_and_an_empty_variable_is_none() {
        let ring = || parse_ring(&format!("new:{NEW}")).unwrap();
        let sealed = parse_ring(&format!("old:{OLD}")).unwrap().seal(CookieKind::LbCookie, b"x", &[2; 24]);
        let old = format!("old:{OLD}");
        let opens = |ring: Option<KeyRing>| ring.map(|ring| ring.open(CookieKind::LbCookie, &sealed).is_ok());
        assert_eq!(opens(given(Some(ring()), Some(&old)).unwrap()), Some(false));
        assert_eq!(opens(given(None, Some(&old)).unwrap()), Some(true));
        assert_eq!(opens(given(None, Some("")).unwrap()), None);
        assert_eq!(opens(given(None, None).unwrap()), None);
        assert!(given(None, Some("wrong")).is_err());
    }
}
