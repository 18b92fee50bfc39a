//! Target stickiness of every type. Each type has its own cookies.

use crate::cookies::app_cookie::{self, ReadAppCookie};
use crate::cookies::classic::{self, ReadClassicCookie};
use crate::cookies::issuer::Issuer;
use crate::cookies::lb_cookie;
use crate::cookies::line_cache::Lines;
use crate::cookies::reading::Reading;
use crate::outcome::Outcome;
use crate::policy::{Policy, Stickiness};
use crate::time::Timestamp;
use crate::trust::binding::Binding;
use crate::trust::key_ring::DrawNonce;

/// The target cookie that a request brings, by the type of stickiness that it was read for.
#[expect(clippy::enum_variant_names, reason = "these are the names of the types of stickiness")]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ReadTargetCookie {
    LbCookie(Result<Binding, Outcome>),
    AppCookie(ReadAppCookie),
    ClassicLbCookie(Result<ReadClassicCookie, Outcome>),
    ClassicAppCookie(Result<ReadClassicCookie, Outcome>),
}

impl ReadTargetCookie {
    /// The binding that pins the request, or the nearest miss.
    pub(crate) fn pin(&self) -> Result<&Binding, Outcome> {
        match self {
            Self::LbCookie(pin) => pin.as_ref().map_err(|miss| *miss),
            Self::AppCookie(held) => held.pin.as_ref().map_err(|miss| *miss),
            Self::ClassicLbCookie(held) | Self::ClassicAppCookie(held) => {
                held.as_ref().map(|held| &held.binding).map_err(|miss| *miss)
            }
        }
    }
}

/// Reads the target cookie of a request under this policy.
pub(crate) fn read(reading: Reading<'_>, policy: &Policy) -> ReadTargetCookie {
    let names = policy.names();
    match &policy.stickiness {
        Stickiness::LbCookie { duration } => {
            ReadTargetCookie::LbCookie(lb_cookie::read(reading, &names.lb_cookie, *duration))
        }
        Stickiness::AppCookie { duration, .. } => {
            ReadTargetCookie::AppCookie(app_cookie::read(reading, names, *duration))
        }
        Stickiness::ClassicLbCookie { .. } => {
            ReadTargetCookie::ClassicLbCookie(classic::read_lb_cookie(reading, &names.classic))
        }
        Stickiness::ClassicAppCookie { .. } => {
            ReadTargetCookie::ClassicAppCookie(classic::read_app_cookie(reading, names))
        }
    }
}

/// Returns true if a client that holds this cookie is given no other when its pinned target answers at this time. Returns false
/// if the answer itself decides, because the policy follows the application's cookie.
pub(crate) fn stays_as_it_is(policy: &Policy, held: &ReadTargetCookie, now: Timestamp) -> bool {
    match (&policy.stickiness, held) {
        (Stickiness::LbCookie { duration }, ReadTargetCookie::LbCookie(Ok(pin))) => {
            !policy.cookie.renew.is_due_since(pin.issued_at, now, *duration)
        }
        (Stickiness::ClassicLbCookie { .. }, ReadTargetCookie::ClassicLbCookie(Ok(held))) => !held.is_of_older_key,
        _ => false,
    }
}

/// The `Set-Cookie` lines for a client that holds this cookie; `None` when it is given none. A cookie that was read for
/// another type of stickiness counts as no cookie.
pub(crate) fn lines(
    issuer: &Issuer<'_>,
    policy: &Policy,
    held: Option<&ReadTargetCookie>,
    draw_nonce: DrawNonce<'_>,
) -> Option<Lines> {
    let names = policy.names();
    match &policy.stickiness {
        Stickiness::LbCookie { duration } => {
            let held = if let Some(ReadTargetCookie::LbCookie(Ok(held))) = held { Some(held) } else { None };
            lb_cookie::lines(issuer, &names.lb_cookie, *duration, held, draw_nonce)
        }
        Stickiness::AppCookie { cookie_name, duration } => {
            let no_cookie = ReadAppCookie::NONE;
            let held = if let Some(ReadTargetCookie::AppCookie(held)) = held { held } else { &no_cookie };
            app_cookie::lines(issuer, &names.app_cookie, cookie_name, *duration, held, draw_nonce)
        }
        Stickiness::ClassicLbCookie { expiration_period } => {
            let held = if let Some(ReadTargetCookie::ClassicLbCookie(Ok(held))) = held { Some(held) } else { None };
            classic::lb_cookie_lines(issuer, &names.classic, *expiration_period, held, draw_nonce)
        }
        Stickiness::ClassicAppCookie { cookie_name } => {
            let held = if let Some(ReadTargetCookie::ClassicAppCookie(Ok(held))) = held { Some(held) } else { None };
            classic::app_cookie_lines(issuer, &names.classic, cookie_name, held, draw_nonce)
        }
    }
}
