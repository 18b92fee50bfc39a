//! Seals and opens cookie values, with two caches of opened values.

use std::cell::RefCell;
use std::rc::Rc;

use crate::outcome::Outcome;
use crate::trust::binding::Binding;
use crate::trust::key_ring::{CookieKind, DrawNonce, KeyRing, OpenError};
use crate::trust::open_cache::OpenCache;
use crate::trust::value_encoding;

/// Seals and opens the values of cookies.
#[derive(Debug)]
pub(crate) struct Sealer {
    key_ring: KeyRing,
    contents: RefCell<OpenCache<Rc<[u8]>>>,
    bindings: RefCell<OpenCache<Binding>>,
}

impl Sealer {
    /// A sealer with these keys.
    pub(crate) fn new(key_ring: KeyRing) -> Self {
        Self { key_ring, contents: RefCell::default(), bindings: RefCell::default() }
    }

    /// The content of the value of a cookie of this kind; otherwise the outcome that the value alone leads to.
    pub(crate) fn open(&self, kind: CookieKind, value: &[u8]) -> Result<Rc<[u8]>, Outcome> {
        cached(&self.contents, kind, value, || Ok(self.decrypt(kind, value)?.into()))
    }

    /// The binding in the value of a cookie that holds one binding; otherwise as [`Sealer::open`].
    pub(crate) fn open_binding(&self, kind: CookieKind, value: &[u8]) -> Result<Binding, Outcome> {
        let open = || Binding::from_bytes(&self.decrypt(kind, value)?).ok_or(Outcome::Malformed);
        cached(&self.bindings, kind, value, open)
    }

    /// Returns true if the value, which opens as one of this kind, has to be sealed anew before its key can leave the ring.
    pub(crate) fn is_of_older_key(&self, kind: CookieKind, value: &[u8]) -> bool {
        value_encoding::is_of_older_key(&self.key_ring, kind, value)
    }

    fn decrypt(&self, kind: CookieKind, value: &[u8]) -> Result<Vec<u8>, Outcome> {
        value_encoding::open(&self.key_ring, kind, value).map_err(|error| match error {
            OpenError::Malformed => Outcome::Malformed,
            OpenError::UnknownKey => Outcome::UnknownKey,
        })
    }

    /// The value of a cookie with this content; `None` when it is too long for a cookie, or when there is no nonce.
    pub(crate) fn seal(&self, kind: CookieKind, content: &[u8], draw_nonce: DrawNonce<'_>) -> Option<String> {
        value_encoding::seal(&self.key_ring, kind, content, &draw_nonce()?)
    }

    /// The value of a cookie that holds this binding alone; `None` as for [`Sealer::seal`].
    pub(crate) fn seal_binding(
        &self,
        kind: CookieKind,
        binding: &Binding,
        draw_nonce: DrawNonce<'_>,
    ) -> Option<String> {
        self.seal(kind, &binding.to_bytes()?, draw_nonce)
    }
}

/// The content that the cache has for this value, or the one that `open` finds.
fn cached<T: Clone>(
    cache: &RefCell<OpenCache<T>>,
    kind: CookieKind,
    value: &[u8],
    open: impl FnOnce() -> Result<T, Outcome>,
) -> Result<T, Outcome> {
    if let Some(content) = cache.borrow().get(kind, value) {
        return Ok(content.clone());
    }
    let content = open()?;
    cache.borrow_mut().keep(kind, value, content.clone());
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::key_ring::{Key, SECRET_LENGTH};

    fn sealer() -> Sealer {
        Sealer::new(KeyRing::new(Key::new(&[1; SECRET_LENGTH]), Vec::new()))
    }

    #[test]
    fn a_value_is_decrypted_once() {
        let sealer = sealer();
        let value = sealer.seal(CookieKind::LbCookie, b"content", &mut || Some([7; 24])).unwrap();
        let open = || sealer.open(CookieKind::LbCookie, value.as_bytes()).unwrap();
        assert!(Rc::ptr_eq(&open(), &open()));
        assert_eq!(sealer.open(CookieKind::TargetGroup, value.as_bytes()), Err(Outcome::Malformed));
    }

    #[test]
    fn a_value_that_does_not_open_is_not_kept() {
        let sealer = sealer();
        let forged = [b'A'; 124];
        assert!(sealer.open(CookieKind::LbCookie, &forged).is_err());
        assert!(sealer.contents.borrow().get(CookieKind::LbCookie, &forged).is_none());
    }
}
