//! Opens and judges the cookies of one request.

use std::time::Duration;

use crate::cookies::renewal::in_time;
use crate::exchange::Request;
use crate::outcome::Outcome;
use crate::time::Timestamp;
use crate::trust::binding::Binding;
use crate::trust::key_ring::CookieKind;
use crate::trust::scope::Scope;
use crate::trust::sealer::Sealer;

/// A request whose cookies are read for one target group and scope.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    /// Opens the values.
    pub(crate) sealer: &'a Sealer,
    /// The request.
    pub(crate) request: &'a Request<'a>,
    /// The target group that the bindings must belong to.
    pub(crate) target_group: &'a str,
    /// The scope that the bindings must belong to.
    pub(crate) scope: &'a Scope,
}

impl Reading<'_> {
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
