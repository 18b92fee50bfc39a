//! Target stickiness, whatever its type: each has its own cookies.

use crate::cookies::app_cookie;
use crate::cookies::classic;
use crate::cookies::issuer::Issuer;
use crate::cookies::lb_cookie;
use crate::cookies::line_cache::Texts;
use crate::exchange::Request;
use crate::outcome::Outcome;
use crate::policy::{Policy, Stickiness};
use crate::time::Timestamp;
use crate::trust::binding::Binding;
use crate::trust::sealer::{DrawNonce, Sealer};

pub(crate) use classic::CACHE_CONTROL;

/// What a request brings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// For [`Stickiness::LbCookie`].
    LbCookie(Result<Binding, Outcome>),
    /// For [`Stickiness::AppCookie`].
    AppCookie(app_cookie::Held),
    /// For [`Stickiness::ClassicLbCookie`].
    ClassicLbCookie(Result<Binding, Outcome>),
    /// For [`Stickiness::ClassicAppCookie`].
    ClassicAppCookie(Result<classic::Followed, Outcome>),
}

impl Held {
    /// The binding that the request is to follow.
    ///
    /// # Errors
    ///
    /// What comes nearest to a binding.
    pub(crate) fn pin(&self) -> Result<&Binding, Outcome> {
        match self {
            Self::LbCookie(pin) | Self::ClassicLbCookie(pin) => pin.as_ref().map_err(|miss| *miss),
            Self::AppCookie(held) => held.pin.as_ref().map_err(|miss| *miss),
            Self::ClassicAppCookie(followed) => match followed {
                Ok(followed) => Ok(&followed.binding),
                Err(miss) => Err(*miss),
            },
        }
    }
}

/// What a request to this target group brings.
pub(crate) fn read(sealer: &Sealer, policy: &Policy, target_group: &str, request: &Request<'_>) -> Held {
    let options = &policy.cookie;
    match &policy.stickiness {
        Stickiness::LbCookie { duration } => {
            Held::LbCookie(lb_cookie::read(sealer, options, *duration, target_group, request))
        }
        Stickiness::AppCookie { cookie_name, duration } => {
            Held::AppCookie(app_cookie::read(sealer, options, cookie_name, *duration, target_group, request))
        }
        Stickiness::ClassicLbCookie { .. } => {
            Held::ClassicLbCookie(classic::read_lb_cookie(sealer, options, target_group, request))
        }
        Stickiness::ClassicAppCookie { cookie_name } => {
            Held::ClassicAppCookie(classic::read_app_cookie(sealer, options, cookie_name, target_group, request))
        }
    }
}

/// Whether a client that holds this is given nothing when its pinned target answers at this time, whatever that says.
pub(crate) fn is_kept(policy: &Policy, held: &Held, now: Timestamp) -> bool {
    match (&policy.stickiness, held) {
        (Stickiness::LbCookie { duration }, Held::LbCookie(Ok(pin))) => {
            !policy.cookie.renew.is_due_since(pin.issued_at, now, *duration)
        }
        (Stickiness::ClassicLbCookie { .. }, Held::ClassicLbCookie(pin)) => pin.is_ok(),
        _ => false,
    }
}

/// The `Set-Cookie` lines for a client that holds this, if it is given any. What it holds for another type is nothing.
pub(crate) fn lines(
    issuer: &Issuer<'_>,
    policy: &Policy,
    held: Option<&Held>,
    draw_nonce: DrawNonce<'_>,
) -> Option<Texts> {
    match &policy.stickiness {
        Stickiness::LbCookie { duration } => {
            let held = if let Some(Held::LbCookie(Ok(held))) = held { Some(held) } else { None };
            lb_cookie::lines(issuer, *duration, held, draw_nonce)
        }
        Stickiness::AppCookie { cookie_name, duration } => {
            let nothing = app_cookie::Held::nothing();
            let held = if let Some(Held::AppCookie(held)) = held { held } else { &nothing };
            app_cookie::lines(issuer, cookie_name, *duration, held, draw_nonce)
        }
        Stickiness::ClassicLbCookie { expiration_period } => {
            let held = if let Some(Held::ClassicLbCookie(Ok(held))) = held { Some(held) } else { None };
            classic::lb_cookie_lines(issuer, *expiration_period, held, draw_nonce)
        }
        Stickiness::ClassicAppCookie { cookie_name } => {
            let held = if let Some(Held::ClassicAppCookie(Ok(held))) = held { Some(held) } else { None };
            classic::app_cookie_lines(issuer, cookie_name, held, draw_nonce)
        }
    }
}
