//! The stickiness of a Classic Load Balancer: `AWSELB` and its twin.
//!
//! "The load balancer does not refresh the expiry time of the cookie and does not check whether the cookie is expired before
//! using it": a client is given one cookie, and keeps it while its target serves.

mod copied;

use std::rc::Rc;
use std::time::Duration;

use crate::cookies::issuer::Issuer;
use crate::cookies::line_cache::Texts;
use crate::cookies::names::Pair;
use crate::cookies::renewal::of_group;
use crate::exchange::Request;
use crate::outcome::Outcome;
use crate::policy::CookieOptions;
use crate::trust::binding::{Binding, padded, read_text, write_text};
use crate::trust::key_ring::CookieKind;
use crate::trust::sealer::{DrawNonce, Sealer, first_good};
use crate::wire::application_set_cookie::{Change, change};

/// The `Cache-Control` of every answer that carries such a cookie: who keeps the answer is to leave the cookie out.
pub(crate) const CACHE_CONTROL: &str = "no-cache=\"set-cookie\"";

/// What a request under the application-controlled policy brings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Followed {
    /// The binding.
    pub(crate) binding: Binding,
    /// The attributes that our cookie took over from the application's.
    attributes: String,
}

/// The binding that a request under the duration-based policy brings: the first that opens and fits, the twin's first.
///
/// # Errors
///
/// What comes nearest to a binding.
pub(crate) fn read_lb_cookie(
    sealer: &Sealer,
    options: &CookieOptions,
    target_group: &str,
    request: &Request<'_>,
) -> Result<Binding, Outcome> {
    first_good(request.cookies.of_pair(&Pair::of_classic(options.name.as_deref())), |value| {
        of_group(sealer.open_binding(CookieKind::ClassicLbCookie, value)?, target_group)
    })
}

/// The `Set-Cookie` lines of the duration-based policy for a client that holds `held`.
pub(crate) fn lb_cookie_lines(
    issuer: &Issuer<'_>,
    expiration_period: Option<Duration>,
    held: Option<&Binding>,
    draw_nonce: DrawNonce<'_>,
) -> Option<Texts> {
    let next = issuer.binding(held);
    if held.is_some_and(|held| is_kept(held, &next)) {
        return None;
    }
    let names = Pair::of_classic(issuer.options.name.as_deref());
    let seal = || issuer.sealer.seal_binding(CookieKind::ClassicLbCookie, &next, draw_nonce);
    // Whoever shares it: nobody judges its age.
    let value = issuer.sealer.share_value(CookieKind::ClassicLbCookie, &next, Duration::MAX, seal)?;
    Some(issuer.classic_pair(&names, &value, expiration_period))
}

/// What a request under the application-controlled policy brings. Nothing pins without the application's cookie beside
/// ours.
///
/// # Errors
///
/// What comes nearest to a binding.
pub(crate) fn read_app_cookie(
    sealer: &Sealer,
    options: &CookieOptions,
    cookie_name: &str,
    target_group: &str,
    request: &Request<'_>,
) -> Result<Followed, Outcome> {
    if !request.cookies.has(cookie_name) {
        return Err(Outcome::NoCookie);
    }
    first_good(request.cookies.of_pair(&Pair::of_classic(options.name.as_deref())), |value| {
        let content = sealer.open(CookieKind::ClassicAppCookie, value)?;
        let (binding, rest) = Binding::read(&content).ok_or(Outcome::Malformed)?;
        let (attributes, _padding) = read_text(rest).ok_or(Outcome::Malformed)?;
        Ok(Followed { binding: of_group(binding, target_group)?, attributes: attributes.to_owned() })
    })
}

/// The `Set-Cookie` lines of the application-controlled policy for a client that holds `held`.
///
/// "The load balancer only inserts a new stickiness cookie if the application response includes a new application cookie."
/// When another target answers, a new one takes the old one's attributes.
pub(crate) fn app_cookie_lines(
    issuer: &Issuer<'_>,
    cookie_name: &str,
    held: Option<&Followed>,
    draw_nonce: DrawNonce<'_>,
) -> Option<Texts> {
    let next = issuer.binding(held.map(|held| &held.binding));
    let lines: Vec<&[u8]> =
        issuer.answer.set_cookies.iter().copied().filter(|line| !copied::is_ignored(line)).collect();
    let attributes = match change(&lines, cookie_name, next.issued_at) {
        Change::Set(line) | Change::Delete(line) => copied::attributes(line),
        Change::None => match held.filter(|held| !is_kept(&held.binding, &next)) {
            Some(held) => held.attributes.clone(),
            None => return None,
        },
    };
    let mut seal = |attributes: &str| {
        let mut content = Vec::new();
        next.write(&mut content)?;
        write_text(&mut content, attributes)?;
        issuer.sealer.seal(CookieKind::ClassicAppCookie, &padded(content), draw_nonce)
    };
    // A cookie cannot hold attributes of any length. Without them the next target's cookie has none.
    let value = seal(&attributes).or_else(|| seal(""))?;
    let Pair { plain, twin } = Pair::of_classic(issuer.options.name.as_deref());
    let twin = issuer.options.twin.then(|| format!("{twin}={value}{}", copied::for_all_sites(&attributes)));
    Some(std::iter::once(format!("{plain}={value}{attributes}")).chain(twin).map(Rc::from).collect())
}

fn is_kept(held: &Binding, next: &Binding) -> bool {
    held.target == next.target && held.target_group == next.target_group
}

#[cfg(test)]
mod tests;
