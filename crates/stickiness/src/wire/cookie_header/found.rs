//! The wanted cookies of one request.

use std::borrow::Cow;

use memchr::memchr;
use percent_encoding::percent_decode;

use super::wanted::{Use, WantedCookies};
use super::{ABSENT, CookieName, trimmed};

/// The number of cookies that need no allocation.
const FEW: usize = 8;

/// The longest value that is decoded, in bytes: three for each character of a cookie as long as user agents keep one (RFC 6265 §6.1).
const MAX_ENCODED: usize = 3 * 4096;

/// The wanted cookies of one request, in the order in which they came: at most [`MAX_PLACES`](super::MAX_PLACES).
#[derive(Debug)]
pub struct FoundCookies<'a> {
    wanted: &'a WantedCookies,
    first: [Found<'a>; FEW],
    /// The number of cookies, at most [`FEW`] of which are in `first`.
    count: usize,
    others: Vec<Found<'a>>,
    /// A bit for each of the first 64 names of which there is a value that is not good.
    noted: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Found<'a> {
    name: usize,
    value: RawValue<'a>,
}

/// The value of a cookie as it was sent, without white space and quotes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RawValue<'a>(&'a [u8]);

impl<'a> FoundCookies<'a> {
    /// None yet.
    pub(super) const fn of(wanted: &'a WantedCookies) -> Self {
        let none = Found { name: 0, value: RawValue(b"") };
        Self { wanted, first: [none; FEW], count: 0, others: Vec::new(), noted: 0 }
    }

    /// Adds a cookie. Values that cannot be good are added once.
    #[inline(never)]
    pub(super) fn add(&mut self, name: usize, value: &'a [u8]) {
        let Some(purpose) = self.wanted.purpose(name) else { return };
        let value = RawValue::of(value);
        let mut bit = 0;
        if value.0.len() < purpose.shortest() {
            bit = u32::try_from(name).ok().and_then(|name| 1_u64.checked_shl(name)).unwrap_or_default();
            if self.noted & bit != 0 {
                return;
            }
        }
        self.keep(Found { name, value }, purpose, bit);
    }

    #[inline(never)]
    fn keep(&mut self, found: Found<'a>, purpose: Use, noted: u64) {
        if noted != 0 && purpose != Use::Presence && found.value.is_literally_absent() {
            return;
        }
        self.noted |= noted;
        match self.first.get_mut(self.count) {
            Some(free) => *free = found,
            None => self.others.push(found),
        }
        self.count = self.count.saturating_add(1);
    }

    /// The values of this cookie, without those that mean "no cookie" ([`ABSENT`]). Of the values that are too short to
    /// be good there is at most one.
    pub fn values(&self, name: &CookieName) -> impl Iterator<Item = RawValue<'a>> + use<'_, 'a> {
        self.of_name(name).filter(|value| !value.is_absent())
    }

    /// Returns true if there is a cookie of this name, with any value.
    #[must_use]
    pub fn has(&self, name: &CookieName) -> bool {
        self.of_name(name).next().is_some()
    }

    /// Returns true if there is no wanted cookie.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn of_name(&self, name: &CookieName) -> impl Iterator<Item = RawValue<'a>> + use<'_, 'a> {
        let name = if self.is_empty() { None } else { self.wanted.index_of(name) };
        let all = self.first.iter().take(self.count).chain(&self.others);
        all.filter(move |found| Some(found.name) == name).map(|found| found.value)
    }
}

impl<'a> RawValue<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        match bytes {
            [first, .., last] if *first > b'"' && *last > b'"' => Self(bytes),
            _ => Self::within(bytes),
        }
    }

    #[inline(never)]
    fn within(bytes: &'a [u8]) -> Self {
        let value = trimmed(bytes);
        match value {
            [b'"', unquoted @ .., b'"'] => Self(unquoted),
            _ => Self(value),
        }
    }

    /// The value as it was sent.
    #[must_use]
    pub const fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// The value as the client was given it. A value that is too long to be good stays as it is.
    #[must_use]
    pub fn decoded(self) -> Cow<'a, [u8]> {
        let is_encoded = self.0.len() <= MAX_ENCODED && memchr(b'%', self.0).is_some();
        if is_encoded { percent_decode(self.0).into() } else { self.0.into() }
    }

    fn is_literally_absent(self) -> bool {
        ABSENT.iter().any(|absent| self.0 == absent.as_bytes())
    }

    fn is_absent(self) -> bool {
        // Each character takes three bytes at most.
        let may_be_absent =
            self.0.len() <= ABSENT.iter().map(|absent| absent.len()).max().unwrap_or_default().saturating_mul(3);
        may_be_absent && ABSENT.iter().any(|absent| self.decoded() == absent.as_bytes())
    }
}
