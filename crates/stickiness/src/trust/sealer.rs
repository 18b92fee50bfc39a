//! The keys at work: what a cookie's value says, and the value for what it is to say.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::cookies::line_cache::{Form, Purpose, SealedValues, Texts};
use crate::outcome::Outcome;
use crate::trust::binding::Binding;
use crate::trust::key_ring::{CookieKind, KeyRing, Nonce, OpenError};
use crate::trust::open_cache::OpenedValues;
use crate::trust::value_encoding;

/// A source of nonces. Without a nonce there is no cookie.
pub(crate) type DrawNonce<'a> = &'a mut dyn FnMut() -> Option<Nonce>;

/// Seals and opens the values of cookies.
#[derive(Debug)]
pub(crate) struct Sealer {
    key_ring: KeyRing,
    opened_values: RefCell<OpenedValues<Rc<[u8]>>>,
    opened_bindings: RefCell<OpenedValues<Binding>>,
    sealed_values: RefCell<SealedValues>,
}

impl Sealer {
    /// With these keys.
    pub(crate) fn new(key_ring: KeyRing) -> Self {
        Self {
            key_ring,
            opened_values: RefCell::default(),
            opened_bindings: RefCell::default(),
            sealed_values: RefCell::default(),
        }
    }

    /// What the value of a cookie of this kind says.
    ///
    /// # Errors
    ///
    /// The outcome of a request that brings nothing better.
    pub(crate) fn open(&self, kind: CookieKind, value: &[u8]) -> Result<Rc<[u8]>, Outcome> {
        remembered(&self.opened_values, kind, value, || Ok(self.decrypt(kind, value)?.into()))
    }

    /// The binding in the value of a cookie that holds one.
    ///
    /// # Errors
    ///
    /// Those of [`Sealer::open`].
    pub(crate) fn open_binding(&self, kind: CookieKind, value: &[u8]) -> Result<Binding, Outcome> {
        let open = || Binding::from_bytes(&self.decrypt(kind, value)?).ok_or(Outcome::Malformed);
        remembered(&self.opened_bindings, kind, value, open)
    }

    fn decrypt(&self, kind: CookieKind, value: &[u8]) -> Result<Vec<u8>, Outcome> {
        value_encoding::open(&self.key_ring, kind, value).map_err(|error| match error {
            OpenError::Malformed => Outcome::Malformed,
            OpenError::UnknownKey => Outcome::UnknownKey,
        })
    }

    /// The value of a cookie that says this; `None` when it is too long for one, or without a nonce.
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

    /// The value that was sealed a moment ago for a cookie of this kind that holds this binding alone, or a new one.
    pub(crate) fn share_value(
        &self,
        kind: CookieKind,
        binding: &Binding,
        duration: Duration,
        seal: impl FnOnce() -> Option<String>,
    ) -> Option<Rc<str>> {
        let value = self.share(kind, binding, Form::Value, duration, || Some(Rc::from([seal()?.into()])))?;
        value.first().cloned()
    }

    /// What was made of a sealed value a moment ago for a cookie of this kind that holds this binding alone, in this form, or
    /// what `make` makes of a new one.
    pub(crate) fn share(
        &self,
        kind: CookieKind,
        binding: &Binding,
        form: Form,
        duration: Duration,
        make: impl FnOnce() -> Option<Texts>,
    ) -> Option<Texts> {
        let purpose = Purpose { kind, form, target_group: &binding.target_group, target: &binding.target };
        // Sharing a value ends its stickiness a little early: at most a hundredth of the duration.
        let max_age = duration.checked_div(100).unwrap_or_default();
        let known = self.sealed_values.borrow_mut().get(purpose, binding.issued_at, max_age);
        known.or_else(|| {
            let texts = make()?;
            self.sealed_values.borrow_mut().keep(purpose, binding.issued_at, Rc::clone(&texts));
            Some(texts)
        })
    }
}

/// What was made of this value before, or what `open` makes of it.
fn remembered<T: Clone>(
    opened_values: &RefCell<OpenedValues<T>>,
    kind: CookieKind,
    value: &[u8],
    open: impl FnOnce() -> Result<T, Outcome>,
) -> Result<T, Outcome> {
    if let Some(said) = opened_values.borrow().get(kind, value) {
        return Ok(said.clone());
    }
    let said = open()?;
    opened_values.borrow_mut().keep(kind, value, said.clone());
    Ok(said)
}

/// What the first good one of several values says, otherwise the outcome that came nearest.
///
/// # Errors
///
/// The nearest outcome.
pub(crate) fn first_good<'a, T>(
    values: impl Iterator<Item = Cow<'a, [u8]>>,
    judge: impl Fn(&[u8]) -> Result<T, Outcome>,
) -> Result<T, Outcome> {
    let mut nearest = Outcome::NoCookie;
    for value in values {
        match judge(&value) {
            Ok(good) => return Ok(good),
            Err(miss) => nearest = nearest.max(miss),
        }
    }
    Err(nearest)
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
    fn a_value_that_does_not_open_is_not_remembered() {
        let sealer = sealer();
        let forged = [b'A'; 124];
        assert!(sealer.open(CookieKind::LbCookie, &forged).is_err());
        assert!(sealer.opened_values.borrow().get(CookieKind::LbCookie, &forged).is_none());
    }
}
