//! The stickiness of a Classic Load Balancer: `AWSELB` and its twin.
//!
//! "The load balancer does not refresh the expiry time of the cookie and does not check whether the cookie is expired before
//! using it." (AWS, "Configure sticky sessions for your Classic Load Balancer", section "Duration-based session stickiness") A
//! client is given one cookie and keeps it while its target serves.
//!
//! There is one exception, which AWS has no need of. A cookie that an older key of the ring has sealed is sealed anew, for the same
//! target and with the same end, because nothing else would free the old key.

mod copied;

use std::time::Duration;

use crate::cookies::issuer::Issuer;
use crate::cookies::line_cache::Lines;
use crate::cookies::names::{CookieNames, Pair};
use crate::cookies::reading::{Reading, newest_good};
use crate::outcome::Outcome;
use crate::time::Timestamp;
use crate::trust::binding::{Binding, padded, read_scopes, read_text, write_scopes, write_text};
use crate::trust::key_ring::{CookieKind, DrawNonce};
use crate::wire::application_set_cookie::{Change, change};

/// The `Cache-Control` of every answer that carries such a cookie: caches must not store the `Set-Cookie` header.
pub(crate) const CACHE_CONTROL: &str = "no-cache=\"set-cookie\"";

/// The classic cookie that a request brings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ReadClassicCookie {
    /// The binding in it.
    pub(crate) binding: Binding,
    /// The attributes that were copied from the application's cookie. The duration-based policy copies none.
    attributes: String,
    /// True if an older key of the ring has sealed it.
    pub(crate) is_of_older_key: bool,
}

/// The newest cookie that a request under the duration-based policy brings, or the nearest miss. Of cookies of the same time, that
/// of the twin counts.
pub(crate) fn read_lb_cookie(reading: Reading<'_>, names: &Pair) -> Result<ReadClassicCookie, Outcome> {
    const KIND: CookieKind = CookieKind::ClassicLbCookie;
    let judged = reading.judge_values(names, |value| {
        let binding = reading.binding(KIND, value, None)?;
        let is_of_older_key = reading.sealer.is_of_older_key(KIND, value);
        Ok(ReadClassicCookie { binding, attributes: String::new(), is_of_older_key })
    });
    newest_good(judged, |held| held.binding.issued_at)
}

/// The `Set-Cookie` lines of the duration-based policy for a client that holds `held`; `None` when it is given none.
pub(crate) fn lb_cookie_lines(
    issuer: &Issuer<'_>,
    names: &Pair,
    expiration_period: Option<Duration>,
    held: Option<&ReadClassicCookie>,
    draw_nonce: DrawNonce<'_>,
) -> Option<Lines> {
    const KIND: CookieKind = CookieKind::ClassicLbCookie;
    let next = issuer.binding(held.map(|held| &held.binding));
    let (value, shown) = if let Some(held) = held.filter(|held| held.binding.has_same_target(&next)) {
        let rest = rest_to_seal_anew(held, expiration_period, next.issued_at)?;
        (issuer.sealer.seal_binding(KIND, &held.binding, draw_nonce)?.into(), rest)
    } else if let Some(value) = issuer.kept_value(KIND, &next, Duration::MAX) {
        // The age of a classic cookie is never judged, so clients may share it for the whole second.
        (value, expiration_period)
    } else {
        let value = issuer.sealer.seal_binding(KIND, &next, draw_nonce)?;
        (issuer.keep_value(KIND, &next, value), expiration_period)
    };
    Some(issuer.classic_pair(names, &value, shown))
}

/// The time for which browsers keep the cookie that is sealed anew: what is left of the period since the cookie was given, if there is
/// a period. `None` when the client keeps the cookie that it has.
#[expect(clippy::option_option, reason = "a cookie may be given for a time, or without one, or not at all")]
fn rest_to_seal_anew(
    held: &ReadClassicCookie,
    expiration_period: Option<Duration>,
    now: Timestamp,
) -> Option<Option<Duration>> {
    if !held.is_of_older_key {
        return None;
    }
    let Some(period) = expiration_period else { return Some(None) };
    let left = period.saturating_sub(now.since(held.binding.issued_at));
    // `MAX-AGE=0` would end the session of a client that has kept its cookie for longer than it was told.
    (left >= Duration::from_secs(1)).then_some(Some(left))
}

/// The newest cookie that a request under the application-controlled policy brings, or the nearest miss. It pins only together with
/// the application's cookie.
pub(crate) fn read_app_cookie(reading: Reading<'_>, names: &CookieNames) -> Result<ReadClassicCookie, Outcome> {
    const KIND: CookieKind = CookieKind::ClassicAppCookie;
    if !reading.has_application(names) {
        return Err(Outcome::NoCookie);
    }
    let judged = reading.judge_values(&names.classic, |value| {
        let content = reading.sealer.open(KIND, value)?;
        let (binding, attributes) = read_content(&content).ok_or(Outcome::Malformed)?;
        let binding = reading.judged(binding, None)?;
        let is_of_older_key = reading.sealer.is_of_older_key(KIND, value);
        Ok(ReadClassicCookie { binding, attributes: attributes.to_owned(), is_of_older_key })
    });
    newest_good(judged, |held| held.binding.issued_at)
}

/// The `Set-Cookie` lines of the application-controlled policy for a client that holds `held`; `None` when it is given none.
///
/// "The load balancer only inserts a new stickiness cookie if the application response includes a new application cookie."
/// (AWS, "Configure sticky sessions for your Classic Load Balancer", section "Application-controlled session stickiness") When
/// another target answers, or an older key has sealed the cookie, the client is given a new cookie with the attributes of the old one.
pub(crate) fn app_cookie_lines(
    issuer: &Issuer<'_>,
    names: &Pair,
    cookie_name: &str,
    held: Option<&ReadClassicCookie>,
    draw_nonce: DrawNonce<'_>,
) -> Option<Lines> {
    let next = issuer.binding(held.map(|held| &held.binding));
    let set_cookies = issuer.set_cookies();
    let set_cookies: Vec<&[u8]> =
        set_cookies.iter().map(Vec::as_slice).filter(|line| !copied::is_ignored(line)).collect();
    let attributes = match change(&set_cookies, cookie_name, next.issued_at) {
        Change::Set(line) | Change::Delete(line) => copied::attributes(line),
        Change::None => match held.filter(|held| held.is_of_older_key || !held.binding.has_same_target(&next)) {
            Some(held) => held.attributes.clone(),
            None => return None,
        },
    };
    let mut seal =
        |attributes: &str| issuer.sealer.seal(CookieKind::ClassicAppCookie, &content(&next, attributes)?, draw_nonce);
    // A cookie cannot hold attributes of any length. Without them, the cookie for the next target has no attributes.
    let value = seal(&attributes).or_else(|| seal(""))?;
    let Pair { plain, twin } = names;
    let twin = issuer.options.twin.then(|| format!("{twin}={value}{}", copied::for_all_sites(&attributes)).into());
    Some(std::iter::once(format!("{plain}={value}{attributes}").into()).chain(twin).collect())
}

/// The content of the application-controlled cookie: the binding, the attributes, the scope, zeros up to a whole block. `None` when a
/// text is too long.
fn content(binding: &Binding, attributes: &str) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    binding.write(&mut content)?;
    write_text(&mut content, attributes)?;
    write_scopes(&mut content, std::slice::from_ref(binding))?;
    Some(padded(content))
}

/// The binding and the attributes in such a content.
fn read_content(content: &[u8]) -> Option<(Binding, &str)> {
    let (mut binding, rest) = Binding::read(content)?;
    let (attributes, rest) = read_text(rest)?;
    read_scopes(rest, std::slice::from_mut(&mut binding))?;
    Some((binding, attributes))
}

#[cfg(test)]
mod tests;
