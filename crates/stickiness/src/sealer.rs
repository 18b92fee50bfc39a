//! The keys at work: what a cookie's value says, and the value for what it is to say.

use std::borrow::Cow;
use std::cell::RefCell;
use std::time::Duration;

use crate::binding::Binding;
use crate::outcome::Outcome;
use crate::seal::{KeyRing, Kind, Nonce, OpenError};
use crate::sealed_cookie;
use crate::sealed_values::{Purpose, SealedValues};

/// A source of nonces. Without a nonce there is no cookie.
pub type DrawNonce<'a> = &'a mut dyn FnMut() -> Option<Nonce>;

/// Seals and opens the values of cookies.
#[derive(Debug)]
pub struct Sealer {
    key_ring: KeyRing,
    sealed_values: RefCell<SealedValues>,
}

impl Sealer {
    /// With these keys.
    #[must_use]
    pub fn new(key_ring: KeyRing) -> Self {
        Self { key_ring, sealed_values: RefCell::default() }
    }

    /// What the value of a cookie of this kind says.
    ///
    /// # Errors
    ///
    /// The outcome of a request that brings nothing better.
    pub fn open(&self, kind: Kind, value: &[u8]) -> Result<Vec<u8>, Outcome> {
        sealed_cookie::open(&self.key_ring, kind, value).map_err(|error| match error {
            OpenError::Malformed => Outcome::Malformed,
            OpenError::UnknownKey => Outcome::UnknownKey,
        })
    }

    /// The binding in the value of a cookie that holds one.
    ///
    /// # Errors
    ///
    /// Those of [`Sealer::open`].
    pub fn open_binding(&self, kind: Kind, value: &[u8]) -> Result<Binding, Outcome> {
        Binding::from_bytes(&self.open(kind, value)?).ok_or(Outcome::Malformed)
    }

    /// The value of a cookie that says this; `None` when it is too long for one, or without a nonce.
    pub fn seal(&self, kind: Kind, content: &[u8], draw_nonce: DrawNonce<'_>) -> Option<String> {
        sealed_cookie::seal(&self.key_ring, kind, content, &draw_nonce()?)
    }

    /// The value of a cookie that holds this binding alone, which may be one that was sealed for it a moment ago.
    pub fn seal_binding(
        &self,
        kind: Kind,
        binding: &Binding,
        duration: Duration,
        draw_nonce: DrawNonce<'_>,
    ) -> Option<String> {
        self.seal_shared(kind, binding, duration, || self.seal(kind, &binding.to_bytes()?, draw_nonce))
    }

    /// The value that was sealed a moment ago for a cookie of this kind that holds this binding alone, or a new one.
    pub fn seal_shared(
        &self,
        kind: Kind,
        binding: &Binding,
        duration: Duration,
        seal: impl FnOnce() -> Option<String>,
    ) -> Option<String> {
        let purpose = Purpose { kind, target_group: &binding.target_group, target: &binding.target };
        // Sharing a value ends its stickiness a little early: at most a hundredth of the duration.
        let max_age = duration.checked_div(100).unwrap_or_default();
        self.sealed_values.borrow_mut().get_or_seal(purpose, binding.issued_at, max_age, seal)
    }
}

/// What the first good one of several values says, otherwise the outcome that came nearest.
///
/// # Errors
///
/// The nearest outcome.
pub fn first_good<'a, T>(
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
