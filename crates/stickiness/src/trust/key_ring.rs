//! Authenticates and encrypts the content of cookies with the keys of a ring.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};

/// The length of a key's secret in bytes.
pub const SECRET_LENGTH: usize = 32;

/// The length of a nonce in bytes. 192 bits are safe to draw at random for any number of cookies.
pub const NONCE_LENGTH: usize = 24;

/// The version of the format that [`KeyRing::seal`] describes.
const VERSION: u8 = 1;

/// The length of the name of a key in a sealed value, in bytes.
pub const KEY_TAG_LENGTH: usize = 4;

/// Random bytes. No two values are sealed with the same nonce.
pub type Nonce = [u8; NONCE_LENGTH];

/// A source of nonces. Without a nonce there is no cookie.
pub type DrawNonce<'a> = &'a mut dyn FnMut() -> Option<Nonce>;

/// The cookie that a value is sealed for. The seal covers the kind: a value of one kind does not open as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CookieKind {
    /// The duration-based cookie, `AWSALB` and its twin.
    LbCookie,
    /// The application-based cookie, `AWSALBAPP-0` to `-3`.
    AppCookie,
    /// The target group of a rule, `AWSALBTG` and its twin.
    TargetGroup,
    /// The duration-based cookie of a Classic Load Balancer, `AWSELB` and its twin.
    ClassicLbCookie,
    /// The application-controlled cookie of a Classic Load Balancer, of the same names.
    ClassicAppCookie,
}

impl CookieKind {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::LbCookie => b"lb_cookie",
            Self::AppCookie => b"app_cookie",
            Self::TargetGroup => b"target_group",
            Self::ClassicLbCookie => b"classic_lb_cookie",
            Self::ClassicAppCookie => b"classic_app_cookie",
        }
    }
}

/// The reason why a value does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// No key of the ring sealed this value for this kind: it is damaged, cut, forged, or of another kind.
    Malformed,
    /// The value names a key that is not in the ring.
    UnknownKey,
}

/// A key, which seals values and opens the values that it sealed.
pub struct Key {
    tag: [u8; KEY_TAG_LENGTH],
    cipher: XChaCha20Poly1305,
}

impl Key {
    /// The key with this secret.
    ///
    /// The name of the key in sealed values is derived from the secret alone. Load balancers therefore agree on it even if their
    /// configurations give the key different ids.
    #[must_use]
    pub fn new(secret: &[u8; SECRET_LENGTH]) -> Self {
        let cipher = XChaCha20Poly1305::new(secret.into());
        let tag = key_tag(&cipher);
        Self { tag, cipher }
    }

    /// Its name in the values that it seals, which everybody can read there. It reveals nothing about the secret.
    #[must_use]
    pub fn tag(&self) -> [u8; KEY_TAG_LENGTH] {
        self.tag
    }
}

/// The first bytes of the authentication tag of an empty message, under a nonce that seals nothing else. They tell keys apart
/// and reveal nothing about the secret.
fn key_tag(cipher: &XChaCha20Poly1305) -> [u8; KEY_TAG_LENGTH] {
    let nothing = Payload { msg: b"", aad: b"sticky-sessions key" };
    cipher
        .encrypt(&XNonce::from([0xff; NONCE_LENGTH]), nothing)
        .ok()
        .and_then(|tag| tag.first_chunk().copied())
        .unwrap_or_default()
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

/// The keys in use. The newest one seals, and all of them open.
///
/// ```
/// use stickiness::trust::key_ring::{CookieKind, Key, KeyRing, OpenError};
///
/// let before = KeyRing::new(Key::new(&[1; 32]), Vec::new());
/// let sealed = before.seal(CookieKind::LbCookie, b"content", &[7; 24]);
///
/// let rotated = KeyRing::new(Key::new(&[2; 32]), vec![Key::new(&[1; 32])]);
/// assert_eq!(rotated.open(CookieKind::LbCookie, &sealed), Ok(b"content".to_vec()));
/// assert_eq!(rotated.open(CookieKind::AppCookie, &sealed), Err(OpenError::Malformed));
/// ```
#[derive(Debug)]
pub struct KeyRing {
    newest: Key,
    older: Vec<Key>,
}

impl KeyRing {
    /// A ring with the key that seals and the keys that only open.
    #[must_use]
    pub fn new(newest: Key, older: Vec<Key>) -> Self {
        Self { newest, older }
    }

    /// Seals `content` as a value of `kind`.
    ///
    /// The value consists of the version (1 byte), the name of the key (4), the nonce (24), the encrypted content and the
    /// authentication tag (16). The version, the name of the key and the kind are authenticated too.
    #[must_use]
    pub fn seal(&self, kind: CookieKind, content: &[u8], nonce: &Nonce) -> Vec<u8> {
        let header = header(self.newest.tag);
        let payload = Payload { msg: content, aad: &authenticated(header, kind) };
        // Fails only for a content of more than 256 GiB.
        let sealed = self.newest.cipher.encrypt(&XNonce::from(*nonce), payload).unwrap_or_default();
        [&header[..], nonce, &sealed].concat()
    }

    /// Opens a value of `kind` that one of the ring's keys sealed.
    ///
    /// Only the comparison of authentication tags inside `decrypt` tells a forged value from a good one. It takes the same time
    /// wherever the tags differ: `chacha20poly1305` compares them through `universal_hash` with `ctutils::CtEq`, before it decrypts
    /// anything. The comparisons before it concern parts of the value that everybody can read: its length, the
    /// version, and the name of the key.
    ///
    /// # Errors
    ///
    /// [`OpenError`] says why the value does not open.
    pub fn open(&self, kind: CookieKind, value: &[u8]) -> Result<Vec<u8>, OpenError> {
        let (header, rest) = value.split_first_chunk().ok_or(OpenError::Malformed)?;
        let [version, key_tag @ ..]: Header = *header;
        if version != VERSION {
            return Err(OpenError::Malformed);
        }
        let (nonce, sealed) = rest
            .split_first_chunk::<NONCE_LENGTH>()
            .filter(|(_, sealed)| sealed.len() >= size_of::<Tag>())
            .ok_or(OpenError::Malformed)?;
        let payload = Payload { msg: sealed, aad: &authenticated(*header, kind) };
        self.key(key_tag)
            .ok_or(OpenError::UnknownKey)?
            .cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| OpenError::Malformed)
    }

    /// Returns true if the ring has keys that only open.
    #[must_use]
    pub fn has_older_keys(&self) -> bool {
        !self.older.is_empty()
    }

    /// Returns true if an older key of the ring has sealed the value that begins so. The value is one that opens: anybody can write the
    /// name of a key into a value.
    #[must_use]
    pub fn is_of_older_key(&self, start: &[u8]) -> bool {
        self.has_older_keys() && !start.starts_with(&header(self.newest.tag))
    }

    fn key(&self, tag: [u8; KEY_TAG_LENGTH]) -> Option<&Key> {
        std::iter::once(&self.newest).chain(&self.older).find(|key| key.tag == tag)
    }
}

/// The start of a sealed value: the version and the name of the key.
type Header = [u8; 1 + KEY_TAG_LENGTH];

fn header([a, b, c, d]: [u8; KEY_TAG_LENGTH]) -> Header {
    [VERSION, a, b, c, d]
}

fn authenticated(header: Header, kind: CookieKind) -> Vec<u8> {
    [&header, kind.label()].concat()
}

#[cfg(test)]
mod tests;
