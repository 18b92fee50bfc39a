//! Duration-based stickiness: the load balancer's own cookie, `AWSALB` and its twin.

use std::time::Duration;

use crate::cookies::issuer::Issuer;
use crate::cookies::line_cache::Lines;
use crate::cookies::names::Pair;
use crate::cookies::reading::{Reading, newest_good};
use crate::outcome::Outcome;
use crate::trust::binding::Binding;
use crate::trust::key_ring::{CookieKind, DrawNonce};

/// The newest binding of those values that open and fit, or the nearest miss. Of bindings of the same time, that of the twin
/// counts.
///
/// "If the ALB receives both an AWSALBCORS and an AWSALB duration-based stickiness cookie, the value in AWSALBCORS will take
/// precedence." (AWS, "Edit target group attributes for your Application Load Balancer", section "Sticky sessions")
pub(crate) fn read(reading: Reading<'_>, names: &Pair, duration: Duration) -> Result<Binding, Outcome> {
    let judged = reading.judge_values(names, |value| reading.binding(CookieKind::LbCookie, value, Some(duration)));
    newest_good(judged, |binding| binding.issued_at)
}

/// The `Set-Cookie` lines for a client that holds `held`; `None` when it is given none.
pub(crate) fn lines(
    issuer: &Issuer<'_>,
    names: &Pair,
    duration: Duration,
    held: Option<&Binding>,
    draw_nonce: DrawNonce<'_>,
) -> Option<Lines> {
    let next = issuer.binding(held);
    if !issuer.options.renew.is_due(held, &next, duration) {
        return None;
    }
    issuer.pair(CookieKind::LbCookie, names, &next, duration, draw_nonce)
}
