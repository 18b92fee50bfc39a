//! May a cookie's content be believed? Authenticated encryption with the keys of a ring.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};

/// The length of a key's secret in bytes.
pub const SECRET_LENGTH: usize = 32;

/// The length of a nonce in bytes. 192 bits are safe to draw at random for any number of cookies.
pub const NONCE_LENGTH: usize = 24;

/// The number of the format below.
const VERSION: u8 = 1;

/// The length of the name that a sealed value carries of its key, in bytes.
const KEY_TAG_LENGTH: usize = 4;

/// Random bytes, never used twice.
pub type Nonce = [u8; NONCE_LENGTH];

/// What a sealed value is for. It is bound in: a value of one kind does not open as another.
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

/// Why a value does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// No key of the ring ever sealed this value for this kind: broken, cut, forged, or of another kind.
    Malformed,
    /// The value names a key that is not in the ring.
    UnknownKey,
}

/// One key: it seals, and opens what it sealed.
pub struct Key {
    tag: [u8; KEY_TAG_LENGTH],
    cipher: XChaCha20Poly1305,
}

impl Key {
    /// The key with this secret.
    ///
    /// Its name in sealed values comes from the secret alone, so that load balancers agree on it whatever they call
    /// the key in their configurations.
    #[must_use]
    pub fn new(secret: &[u8; SECRET_LENGTH]) -> Self {
        let cipher = XChaCha20Poly1305::new(secret.into());
        let tag = key_tag(&cipher);
        Self { tag, cipher }
    }
}

/// The start of the authentication tag of nothing, under a nonce of its own: it tells keys apart and tells nothing of
/// the secret.
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

/// The keys in use: the newest seals, all open.
#[derive(Debug)]
pub struct KeyRing {
    newest: Key,
    older: Vec<Key>,
}

impl KeyRing {
    /// A ring of the key that seals and those that only open.
    #[must_use]
    pub fn new(newest: Key, older: Vec<Key>) -> Self {
        Self { newest, older }
    }

    /// Seals `content` as a value of `kind`.
    ///
    /// Version (1 byte), name of the key (4), nonce (24), encrypted content, authentication tag (16). What stands
    /// before the nonce and the kind are authenticated with it.
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
    /// What tells a forged value from a good one is the comparison of authentication tags inside `decrypt`, which takes the same
    /// time wherever they differ: `chacha20poly1305` compares through `universal_hash` with `subtle::ConstantTimeEq`, before it
    /// decrypts anything. What is compared before it stands in the value for everybody to read: its length, the version, and
    /// the name of the key.
    ///
    /// # Errors
    ///
    /// [`OpenError`] says why not.
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

    fn key(&self, tag: [u8; KEY_TAG_LENGTH]) -> Option<&Key> {
        std::iter::once(&self.newest).chain(&self.older).find(|key| key.tag == tag)
    }
}

/// What a sealed value begins with: the version and the name of the key.
type Header = [u8; 1 + KEY_TAG_LENGTH];

fn header([a, b, c, d]: [u8; KEY_TAG_LENGTH]) -> Header {
    [VERSION, a, b, c, d]
}

fn authenticated(header: Header, kind: CookieKind) -> Vec<u8> {
    [&header, kind.label()].concat()
}

#[cfg(test)]
mod tests;
