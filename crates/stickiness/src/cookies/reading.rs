//! Opens and judges the cookies of one request.

use crate::exchange::Request;
use crate::outcome::Outcome;
use crate::trust::binding::Binding;
use crate::trust::key_ring::CookieKind;
use crate::trust::sealer::Sealer;

/// A request whose cookies are read for one target group.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    /// Opens the values.
    pub(crate) sealer: &'a Sealer,
    /// The request.
    pub(crate) request: &'a Request<'a>,
    /// The target group that the bindings must belong to.
    pub(crate) target_group: &'a str,
}

impl Reading<'_> {
    /// The binding in this value, if it belongs to the target group.
    pub(crate) fn binding(&self, kind: CookieKind, value: &[u8]) -> Result<Binding, Outcome> {
        self.sealer.open_binding(kind, value)?.in_group(self.target_group)
    }
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
