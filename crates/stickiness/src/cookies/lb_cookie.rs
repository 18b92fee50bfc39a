//! Duration-based stickiness: the load balancer's own cookie, `AWSALB` and its twin.

use std::time::Duration;

use crate::cookies::issuer::Issuer;
use crate::cookies::line_cache::Texts;
use crate::cookies::names::Pair;
use crate::cookies::renewal::{in_time, of_group};
use crate::exchange::Request;
use crate::outcome::Outcome;
use crate::policy::CookieOptions;
use crate::trust::binding::Binding;
use crate::trust::key_ring::CookieKind;
use crate::trust::sealer::{DrawNonce, Sealer, first_good};

/// The binding that a request brings: the first that opens and fits, the twin's first.
///
/// "If the ALB receives both an AWSALBCORS and an AWSALB duration-based stickiness cookie, the value in AWSALBCORS will
/// take precedence."
///
/// # Errors
///
/// What comes nearest to a binding.
pub(crate) fn read(
    sealer: &Sealer,
    options: &CookieOptions,
    duration: Duration,
    target_group: &str,
    request: &Request<'_>,
) -> Result<Binding, Outcome> {
    let names = Pair::of_lb_cookie(options.name.as_deref());
    first_good(request.cookies.of_pair(&names), |value| {
        let binding = sealer.open_binding(CookieKind::LbCookie, value)?;
        of_group(binding, target_group).and_then(|binding| in_time(binding, duration, request.now))
    })
}

/// The `Set-Cookie` lines for a client that holds `held`, if it is given any.
pub(crate) fn lines(
    issuer: &Issuer<'_>,
    duration: Duration,
    held: Option<&Binding>,
    draw_nonce: DrawNonce<'_>,
) -> Option<Texts> {
    let next = issuer.binding(held);
    if !issuer.options.renew.is_due(held, &next, duration) {
        return None;
    }
    let names = || Pair::of_lb_cookie(issuer.options.name.as_deref());
    issuer.pair(CookieKind::LbCookie, names, &next, duration, draw_nonce)
}
