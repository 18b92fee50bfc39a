//! Application-based stickiness: `AWSALBAPP-0` to `-3`, which follow a cookie of the application.
//!
//! The cookie "captures stickiness information for each target group that has application-based stickiness enabled" (AWS, "Edit
//! target group attributes for your Application Load Balancer", section "Sticky sessions"). It is one envelope of bindings,
//! split into as many cookies as it needs. A target group has a binding in it for each scope: two policies that follow different
//! cookies of the application do not disturb each other.

mod envelope;
mod shards;

use std::rc::Rc;
use std::time::Duration;

use crate::cookies::issuer::Issuer;
use crate::cookies::line_cache::Lines;
use crate::cookies::names::CookieNames;
use crate::cookies::reading::{Reading, newest_good};
use crate::cookies::renewal::has_expired;
use crate::outcome::Outcome;
use crate::policy::{SameSite, Secure, UnusedShards};
use crate::time::Timestamp;
use crate::trust::binding::Binding;
use crate::trust::key_ring::{CookieKind, DrawNonce};
use crate::trust::sealer::Sealer;
use crate::trust::value_encoding::SHARDS;
use crate::wire::application_set_cookie::{Change, change};
use crate::wire::cookie_header::{CookieName, REMOVED};

/// The application-based cookie that a request brings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ReadAppCookie {
    /// The binding to a target of the request's target group and scope, or the nearest miss.
    pub(crate) pin: Result<Binding, Outcome>,
    /// All bindings of the envelope.
    bindings: Vec<Binding>,
    /// The shards that the client sent, without those that mean "no cookie".
    sent: [bool; SHARDS],
    /// True if a value was sealed with a key that is not in the ring. A load balancer that has the key may open it.
    has_unknown_key: bool,
}

impl ReadAppCookie {
    /// The result of a request without the cookie.
    pub(crate) const NONE: Self =
        Self { pin: Err(Outcome::NoCookie), bindings: Vec::new(), sent: [false; SHARDS], has_unknown_key: false };
}

/// Reads the cookie of a request. It pins only together with the application's cookie, as at AWS.
pub(crate) fn read(reading: Reading<'_>, names: &CookieNames, duration: Duration) -> ReadAppCookie {
    let shards = &names.app_cookie;
    let sent = shards.each_ref().map(|name| reading.found.values(name).next().is_some());
    let mut held = ReadAppCookie { sent, ..ReadAppCookie::NONE };
    let judged = shards::joined(shards, &reading).map(|value| {
        let opened = reading.sealer.open(CookieKind::AppCookie, &value);
        held.has_unknown_key |= opened == Err(Outcome::UnknownKey);
        let bindings = envelope::read(&opened?).ok_or(Outcome::Malformed)?;
        let judged = bindings.iter().map(|binding| reading.judged(binding.clone(), Some(duration)));
        let pin = newest_good(judged, |pin| pin.issued_at).map_err(|miss| miss.max(Outcome::WrongGroup));
        // If none pins, the one that was issued last is the one to go on with.
        if pin.is_err() && newest(&held.bindings) < newest(&bindings) {
            held.bindings.clone_from(&bindings);
        }
        Ok((pin?, bindings))
    });
    held.pin = newest_good(judged, |(pin, _)| pin.issued_at).map(|(pin, bindings)| {
        held.bindings = bindings;
        pin
    });
    if !reading.has_application(names) {
        held.pin = Err(Outcome::NoCookie);
    }
    held
}

/// The time at which the last of these bindings was issued.
fn newest(bindings: &[Binding]) -> Option<Timestamp> {
    bindings.iter().map(|binding| binding.issued_at).max()
}

/// The `Set-Cookie` lines for a client that holds this cookie; `None` when it is given none.
pub(crate) fn lines(
    issuer: &Issuer<'_>,
    names: &[CookieName; SHARDS],
    cookie_name: &str,
    duration: Duration,
    held: &ReadAppCookie,
    draw_nonce: DrawNonce<'_>,
) -> Option<Lines> {
    let set_cookies = issuer.set_cookies();
    let set_cookies: Vec<&[u8]> = set_cookies.iter().map(Vec::as_slice).collect();
    let change = change(&set_cookies, cookie_name, issuer.now());
    let is_deleted = matches!(change, Change::Delete(_));
    let bindings = next_bindings(issuer, &change, duration, held)?;
    let value = match bindings.as_slice() {
        [] => Rc::from(""),
        [binding] if binding.issued_at == issuer.now() => shared_value(issuer, binding, duration, draw_nonce)?,
        bindings => seal_first_that_fit(issuer.sealer, bindings, draw_nonce)?.into(),
    };
    let shown = longest_left(issuer, &bindings, duration);
    let mut parts = shards::split(&value);
    let line = |(shard, (name, sent)): (usize, (&CookieName, bool))| match parts.next() {
        Some(part) => Some(cookie(issuer, name, part, shown)),
        None if sent || withdraws_unused(issuer) || (is_deleted && shard == 0) => {
            Some(cookie(issuer, name, REMOVED, duration))
        }
        None => None,
    };
    Some(names.iter().zip(held.sent).enumerate().filter_map(line).collect())
}

/// The bindings of the next cookie; `None` when the client keeps the cookie that it has.
fn next_bindings(
    issuer: &Issuer<'_>,
    change: &Change<'_>,
    duration: Duration,
    held: &ReadAppCookie,
) -> Option<Vec<Binding>> {
    let next = issuer.binding(held.pin.as_ref().ok());
    let can_still_pin = |binding: &&Binding| {
        let lifetime = (issuer.app_cookie_lifetime)(&binding.target_group);
        !binding.belongs_to(&next.target_group, &next.scope) && !has_expired(binding, lifetime, next.issued_at)
    };
    let others = held.bindings.iter().filter(can_still_pin).cloned();
    match (change, held.pin.as_ref()) {
        (Change::Delete(_), _) => Some(others.collect()),
        (Change::None, Err(_)) => {
            // Another load balancer may open a value that does not open here, and the application's cookie may come with
            // requests for another path.
            let may_pin_elsewhere = !held.bindings.is_empty() || held.has_unknown_key;
            (withdraws_unused(issuer) && !may_pin_elsewhere).then(Vec::new)
        }
        (_, pin) => {
            let others: Vec<Binding> = others.collect();
            let is_due = issuer.options.renew.is_due(pin.ok(), &next, duration);
            is_due.then(|| std::iter::once(next).chain(others).collect())
        }
    }
}

/// The time until the last of these bindings ends. `duration` is that of the policy that the request is under.
///
/// A browser that dropped the cookie at the end of one session would end the others in it.
fn longest_left(issuer: &Issuer<'_>, bindings: &[Binding], duration: Duration) -> Duration {
    let left = bindings.iter().map(|binding| {
        let is_of_request = binding.belongs_to(issuer.target_group, issuer.scope);
        let lifetime = if is_of_request { duration } else { (issuer.app_cookie_lifetime)(&binding.target_group) };
        lifetime.saturating_sub(issuer.now().since(binding.issued_at))
    });
    left.max().unwrap_or(duration)
}

fn withdraws_unused(issuer: &Issuer<'_>) -> bool {
    issuer.options.unused_shards == UnusedShards::Always
}

/// The value that holds this binding alone. Clients that are bound at the same moment share it.
fn shared_value(
    issuer: &Issuer<'_>,
    binding: &Binding,
    duration: Duration,
    draw_nonce: DrawNonce<'_>,
) -> Option<Rc<str>> {
    if let Some(value) = issuer.kept_value(CookieKind::AppCookie, binding, duration) {
        return Some(value);
    }
    let content = envelope::write(std::slice::from_ref(binding))?;
    let value = issuer.sealer.seal(CookieKind::AppCookie, &content, draw_nonce)?;
    Some(issuer.keep_value(CookieKind::AppCookie, binding, value))
}

/// The value that holds the first of these bindings, as many as fit in four cookies.
fn seal_first_that_fit(sealer: &Sealer, bindings: &[Binding], draw_nonce: DrawNonce<'_>) -> Option<String> {
    (1..=bindings.len()).rev().find_map(|count| {
        let content = envelope::write(bindings.get(..count)?)?;
        sealer.seal(CookieKind::AppCookie, &content, draw_nonce)
    })
}

fn cookie(issuer: &Issuer<'_>, name: &str, value: &str, duration: Duration) -> Rc<str> {
    // Browsers refuse SameSite=None without Secure.
    let may_be_secure = issuer.options.secure != Secure::Never;
    let for_chromium = issuer.client.is_chromium_80 && issuer.over_https() && may_be_secure;
    let same_site = issuer.options.same_site.or(for_chromium.then_some(SameSite::None));
    issuer.cookie(name, value, same_site, duration).line()
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
