//! Application-based stickiness: `AWSALBAPP-0` to `-3`, which follow a cookie of the application.
//!
//! The cookie "captures stickiness information for each target group that has application-based stickiness enabled": it is
//! one envelope of bindings, split into as many parts as it needs.

mod envelope;
mod shards;

use std::rc::Rc;
use std::time::Duration;

use crate::config::Config;
use crate::cookies::issuer::Issuer;
use crate::cookies::line_cache::Texts;
use crate::cookies::names::{Name, REMOVED, SHARDS, shards as shard_names};
use crate::cookies::renewal::{in_time, is_over};
use crate::exchange::Request;
use crate::outcome::Outcome;
use crate::policy::{CookieOptions, SameSite, Secure, Stickiness, UnusedShards};
use crate::time::Timestamp;
use crate::trust::binding::Binding;
use crate::trust::key_ring::CookieKind;
use crate::trust::sealer::{DrawNonce, Sealer};
use crate::wire::application_set_cookie::{Change, change};

/// The longest duration that can be configured. An older binding is of no use to anybody.
const MAX_DURATION: Duration = Duration::from_hours(7 * 24);

/// What a request brings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// The binding to a target of the request's target group.
    pub(crate) pin: Result<Binding, Outcome>,
    /// All bindings of the envelope.
    bindings: Vec<Binding>,
    /// Which of the shards came, those that mean "no cookie" left out.
    sent: [bool; SHARDS],
    /// Whether a value came that somebody with another key may open.
    has_unknown_key: bool,
}

impl Held {
    /// What a client brings that brings nothing.
    pub(crate) const fn nothing() -> Self {
        Self { pin: Err(Outcome::NoCookie), bindings: Vec::new(), sent: [false; SHARDS], has_unknown_key: false }
    }
}

/// What a request brings. Nothing pins without the application's cookie beside ours: AWS wants both.
pub(crate) fn read(
    sealer: &Sealer,
    options: &CookieOptions,
    cookie_name: &str,
    duration: Duration,
    target_group: &str,
    request: &Request<'_>,
) -> Held {
    let names = shard_names(options.name.as_deref());
    let sent = names.each_ref().map(|name| request.cookies.values(name).next().is_some());
    let mut held = Held { sent, ..Held::nothing() };
    for value in shards::joined(&names, &request.cookies) {
        let opened = sealer.open(CookieKind::AppCookie, &value);
        held.has_unknown_key |= opened == Err(Outcome::UnknownKey);
        let bindings = opened.and_then(|content| envelope::read(&content).ok_or(Outcome::Malformed));
        let pin = bindings.as_ref().map_err(|miss| *miss).and_then(|bindings| {
            let binding = bindings.iter().find(|binding| *binding.target_group == *target_group);
            in_time(binding.cloned().ok_or(Outcome::WrongGroup)?, duration, request.now)
        });
        if let Ok(bindings) = bindings
            && (pin.is_ok() || held.bindings.is_empty())
        {
            held.bindings = bindings;
        }
        held.pin = nearer(held.pin, pin);
        if held.pin.is_ok() {
            break;
        }
    }
    if !request.cookies.has(cookie_name) {
        held.pin = Err(Outcome::NoCookie);
    }
    held
}

fn nearer(one: Result<Binding, Outcome>, other: Result<Binding, Outcome>) -> Result<Binding, Outcome> {
    match (one, other) {
        (Err(one), Err(other)) => Err(one.max(other)),
        (Err(_), good) | (good, _) => good,
    }
}

/// The `Set-Cookie` lines for a client that holds this.
pub(crate) fn lines(
    issuer: &Issuer<'_>,
    cookie_name: &str,
    duration: Duration,
    held: &Held,
    draw_nonce: DrawNonce<'_>,
) -> Option<Texts> {
    let change = change(issuer.answer.set_cookies, cookie_name, issuer.answer.now);
    let is_deleted = matches!(change, Change::Delete(_));
    let value = match next_bindings(issuer, &change, duration, held)? {
        bindings if bindings.is_empty() => Rc::from(""),
        bindings => seal(issuer.sealer, bindings, issuer.answer.now, duration, draw_nonce)?,
    };
    let names = shard_names(issuer.options.name.as_deref());
    let mut parts = shards::split(&value);
    let line = |(shard, (name, sent)): (usize, (&Name, bool))| match parts.next() {
        Some(part) => Some(cookie(issuer, name, part, duration)),
        None if sent || withdraws_unused(issuer) || (is_deleted && shard == 0) => {
            Some(cookie(issuer, name, REMOVED, duration))
        }
        None => None,
    };
    Some(names.iter().zip(held.sent).enumerate().filter_map(line).collect())
}

/// The bindings that the client holds from now on; `None` when it keeps the cookie that it has.
fn next_bindings(issuer: &Issuer<'_>, change: &Change<'_>, duration: Duration, held: &Held) -> Option<Vec<Binding>> {
    let next = issuer.binding(held.pin.as_ref().ok());
    let is_of_use = |binding: &&Binding| {
        let duration = duration_of(issuer.config, &binding.target_group);
        binding.target_group != next.target_group && !is_over(binding, duration, next.issued_at)
    };
    let others = held.bindings.iter().filter(is_of_use).cloned();
    match (change, held.pin.as_ref()) {
        (Change::Delete(_), _) => Some(others.collect()),
        (Change::None, Err(_)) => {
            // What does not open here may open elsewhere, and the application's cookie may come with another path.
            let may_be_of_use = !held.bindings.is_empty() || held.has_unknown_key;
            (withdraws_unused(issuer) && !may_be_of_use).then(Vec::new)
        }
        (_, pin) => {
            let others: Vec<Binding> = others.collect();
            let is_due = issuer.options.renew.is_due(pin.ok(), &next, duration);
            is_due.then(|| std::iter::once(next).chain(others).collect())
        }
    }
}

fn withdraws_unused(issuer: &Issuer<'_>) -> bool {
    issuer.options.unused_shards == UnusedShards::Always
}

/// How long a binding of this target group may be of use.
fn duration_of(config: &Config, target_group: &str) -> Duration {
    match config.policy(target_group).map(|policy| &policy.stickiness) {
        // A route may have chosen a longer one.
        Some(Stickiness::AppCookie { duration, .. }) if !config.routes_choose() => *duration,
        _ => MAX_DURATION,
    }
}

/// The value that holds these bindings, or as many of the first as four cookies can hold.
fn seal(
    sealer: &Sealer,
    mut bindings: Vec<Binding>,
    now: Timestamp,
    duration: Duration,
    draw_nonce: DrawNonce<'_>,
) -> Option<Rc<str>> {
    if let [binding] = bindings.as_slice()
        && binding.issued_at == now
    {
        let content = || envelope::write(std::slice::from_ref(binding));
        let seal = || sealer.seal(CookieKind::AppCookie, &content()?, draw_nonce);
        return sealer.share_value(CookieKind::AppCookie, binding, duration, seal);
    }
    while !bindings.is_empty() {
        let content = envelope::write(&bindings);
        if let Some(value) = content.and_then(|content| sealer.seal(CookieKind::AppCookie, &content, draw_nonce)) {
            return Some(value.into());
        }
        bindings.pop();
    }
    None
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
