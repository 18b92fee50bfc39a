//! Opens and judges the cookies of one request.

use std::time::Duration;

use crate::cookies::names::{CookieNames, Pair};
use crate::cookies::renewal::in_time;
use crate::exchange::Request;
use crate::outcome::Outcome;
use crate::time::Timestamp;
use crate::trust::binding::Binding;
use crate::trust::key_ring::CookieKind;
use crate::trust::open_cache::are_equal;
use crate::trust::scope::Scope;
use crate::trust::sealer::Sealer;
use crate::trust::value_encoding::{MAX_COOKIE_VALUE, SHARDS};
use crate::wire::cookie_header::{CookieName, FoundCookies, RawValue};

/// The most cookies of one name, or of a name and its twin, that are opened for a request. To open one is the most expensive part of
/// reading a request.
///
/// A browser holds one for each path and domain, and two when a twin comes with it.
pub(crate) const MAX_OPENED: usize = 16;

/// The most bytes of those cookies: as many as the longest value has.
const MAX_OPENED_BYTES: usize = MAX_COOKIE_VALUE.saturating_mul(SHARDS);

/// The cookies of some names that are opened.
pub(crate) type Opened<'a> = std::iter::Take<std::array::IntoIter<RawValue<'a>, MAX_OPENED>>;

/// A request whose cookies are read for one target group and scope.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    /// Opens the values.
    pub(crate) sealer: &'a Sealer,
    /// The request.
    pub(crate) request: &'a Request<'a>,
    /// Its cookies that the configuration wants.
    pub(crate) found: &'a FoundCookies<'a>,
    /// The target group that the bindings must belong to.
    pub(crate) target_group: &'a str,
    /// The scope that the bindings must belong to.
    pub(crate) scope: &'a Scope,
}

impl<'a> Reading<'a> {
    /// Returns true if the request has the application's cookie that these names go with.
    pub(crate) fn has_application(&self, names: &CookieNames) -> bool {
        names.application.as_ref().is_some_and(|name| self.found.has(name))
    }

    /// The results of judging the first values of these names, the twin's first.
    pub(crate) fn judge_values<T>(
        &self,
        names: &Pair,
        judge: impl Fn(&[u8]) -> Result<T, Outcome>,
    ) -> impl Iterator<Item = Result<T, Outcome>> {
        self.first_values(&[&names.twin, &names.plain]).map(move |value| judge(&value.decoded()))
    }

    /// The first values of these names: [`MAX_OPENED`], if they do not have too many bytes. A value that is the same as the one before
    /// it is left out.
    // Compiled once for all types of stickiness.
    #[inline(never)]
    pub(crate) fn first_values(&self, names: &[&CookieName]) -> Opened<'a> {
        let mut first = [RawValue::default(); MAX_OPENED];
        let (mut count, mut bytes_left) = (0_usize, MAX_OPENED_BYTES);
        let mut before = RawValue::default();
        for value in names.iter().flat_map(|name| self.found.values(name)) {
            if count > 0 && are_equal(before.bytes(), value.bytes()) {
                continue;
            }
            // The first one is judged at any length, so that the outcome tells of it. One that is longer than a cookie opens nothing.
            let rest = bytes_left.checked_sub(value.bytes().len()).or((count == 0).then_some(0));
            let (Some(place), Some(rest)) = (first.get_mut(count), rest) else { continue };
            (*place, before, bytes_left) = (value, value, rest);
            count = count.saturating_add(1);
        }
        first.into_iter().take(count)
    }

    /// The binding in this value, if it may pin the request.
    pub(crate) fn binding(
        &self,
        kind: CookieKind,
        value: &[u8],
        duration: Option<Duration>,
    ) -> Result<Binding, Outcome> {
        self.judged(self.sealer.open_binding(kind, value)?, duration)
    }

    /// The binding, if it may pin the request: it belongs to the target group and the scope, and its duration, if it has one, is not
    /// over.
    pub(crate) fn judged(&self, binding: Binding, duration: Option<Duration>) -> Result<Binding, Outcome> {
        if !binding.belongs_to(self.target_group, self.scope) {
            return Err(Outcome::WrongGroup);
        }
        match duration {
            Some(duration) => in_time(binding, duration, self.request.now),
            None => Ok(binding),
        }
    }
}

/// The good result that was issued last, or the miss that came nearest to a pin. Of those that were issued at the same time the
/// first one counts.
///
/// A browser holds several cookies of a name when the path or the domain of the cookie has changed, or when a sub-domain has set
/// its own. A server cannot rely on their order (RFC 6265 §4.2.2), and an answer replaces only one of them. If an older one
/// counted, it would lead every request to a target that is long gone.
pub(crate) fn newest_good<T>(
    judged: impl IntoIterator<Item = Result<T, Outcome>>,
    issued_at: impl Fn(&T) -> Timestamp,
) -> Result<T, Outcome> {
    let mut newest: Option<T> = None;
    let mut nearest = Outcome::NoCookie;
    for result in judged {
        match result {
            Ok(good) if newest.as_ref().is_none_or(|held| issued_at(held) < issued_at(&good)) => newest = Some(good),
            Ok(_) => (),
            Err(miss) => nearest = nearest.max(miss),
        }
    }
    newest.ok_or(nearest)
}

/// The first good result, or the miss that came nearest to a pin. The results after the first good one are not computed.
pub(crate) fn first_good<T>(judged: impl IntoIterator<Item = Result<T, Outcome>>) -> Result<T, Outcome> {
    let mut nearest = Outcome::NoCookie;
    for result in judged {
        match result {
            Ok(good) => return Ok(good),
            Err(miss) => nearest = nearest.max(miss),
        }
    }
    Err(nearest)
}
