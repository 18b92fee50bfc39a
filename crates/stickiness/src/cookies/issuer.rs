//! Builds the `Set-Cookie` lines of one answer.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use crate::cookies::line_cache::{Form, LineCache, LineKey, Lines};
use crate::cookies::names::Pair;
use crate::exchange::{Answer, ClientFacts};
use crate::policy::{CookieOptions, Expires, MaxAge, SameSite, Secure};
use crate::time::Timestamp;
use crate::trust::binding::Binding;
use crate::trust::key_ring::{CookieKind, DrawNonce};
use crate::trust::scope::Scope;
use crate::trust::sealer::Sealer;
use crate::wire::set_cookie::SetCookie;

/// The time that AWS's own cookies show in `Expires`: "The load balancer generated cookie has its own expiry of 7 days" (AWS,
/// "Edit target group attributes for your Application Load Balancer", section "Sticky sessions"). It is not the longest
/// duration of a stickiness, although both are a week.
const AWS_EXPIRES: Duration = Duration::from_hours(7 * 24);

/// Builds the cookies of one answer.
#[derive(Clone, Copy)]
pub(crate) struct Issuer<'a> {
    /// Seals the values.
    pub(crate) sealer: &'a Sealer,
    /// Keeps values and lines that several clients may share.
    pub(crate) cache: &'a RefCell<LineCache>,
    /// The attributes that the operator asked for.
    pub(crate) options: &'a Rc<CookieOptions>,
    /// The time for which an application-based binding to a target group may pin.
    pub(crate) app_cookie_lifetime: &'a dyn Fn(&str) -> Duration,
    /// The client that is given the cookies.
    pub(crate) client: ClientFacts,
    /// The target group that answered.
    pub(crate) target_group: &'a str,
    /// The target that answered.
    pub(crate) target: &'a str,
    /// The scope that the cookies are given under.
    pub(crate) scope: &'a Scope,
    /// The answer that carries the cookies.
    pub(crate) answer: &'a Answer<'a>,
}

impl<'a> Issuer<'a> {
    /// The time of the answer.
    pub(crate) const fn now(&self) -> Timestamp {
        self.answer.now
    }

    /// The values of the answer's `Set-Cookie` headers.
    pub(crate) fn set_cookies(&self) -> Vec<Vec<u8>> {
        (self.answer.set_cookies)()
    }

    /// The binding to the target that answered, issued now. It shares the names of `held` if that names the same target.
    pub(crate) fn binding(&self, held: Option<&Binding>) -> Binding {
        let (target_group, target, issued_at) = (self.target_group, self.target, self.now());
        if let Some(held) = held.filter(|held| *held.target == *target && held.belongs_to(target_group, self.scope)) {
            return Binding { issued_at, ..held.clone() };
        }
        let (target_group, target) = (target_group.into(), target.into());
        Binding { target_group, target, scope: self.scope.clone(), issued_at }
    }

    /// The lines of a cookie that holds `binding` alone, and of its twin; `None` as for [`Sealer::seal`].
    ///
    /// All clients that the target answers at about the same moment are given the same lines.
    pub(crate) fn pair(
        &self,
        kind: CookieKind,
        names: &Pair,
        binding: &Binding,
        duration: Duration,
        draw_nonce: DrawNonce<'_>,
    ) -> Option<Lines> {
        let form = Form::Lines { options: self.options, duration, over_https: self.shows_https() };
        let key = LineKey { kind, binding, form };
        let kept = self.cache.borrow_mut().get(key, max_age(duration));
        if kept.is_some() {
            return kept;
        }
        let value = self.sealer.seal_binding(kind, binding, draw_nonce)?;
        let plain = self.cookie(&names.plain, &value, self.options.same_site, duration);
        let twin = self.cookie(&names.twin, &value, Some(SameSite::None), duration);
        let cookies = std::iter::once(plain).chain(self.options.twin.then_some(twin));
        let lines: Lines = cookies.map(|cookie| cookie.line()).collect();
        self.cache.borrow_mut().keep(key, Rc::clone(&lines));
        Some(lines)
    }

    /// A value that was sealed a moment ago for a cookie of this kind that holds this binding alone.
    pub(crate) fn kept_value(&self, kind: CookieKind, binding: &Binding, duration: Duration) -> Option<Rc<str>> {
        let key = LineKey { kind, binding, form: Form::Value };
        self.cache.borrow_mut().get(key, max_age(duration))?.first().cloned()
    }

    /// Keeps a value for [`Issuer::kept_value`], and returns it.
    pub(crate) fn keep_value(&self, kind: CookieKind, binding: &Binding, value: String) -> Rc<str> {
        let value: Rc<str> = value.into();
        let key = LineKey { kind, binding, form: Form::Value };
        self.cache.borrow_mut().keep(key, Rc::from([Rc::clone(&value)]));
        value
    }

    /// Returns true if the client came over HTTPS and the cookie or its twin shows it.
    fn shows_https(&self) -> bool {
        let options = self.options;
        let is_for_all_sites = options.twin || options.same_site == Some(SameSite::None);
        options.secure == Secure::Auto && is_for_all_sites && self.over_https()
    }

    /// The lines of a cookie of a Classic Load Balancer and of its twin.
    pub(crate) fn classic_pair(&self, names: &Pair, value: &str, expiration_period: Option<Duration>) -> Lines {
        let plain = SetCookie {
            max_age: expiration_period,
            ..self.cookie(&names.plain, value, self.options.same_site, Duration::ZERO)
        };
        // AWS's twin is Secure over plain HTTP too.
        let secure = self.options.secure != Secure::Never;
        let twin = SetCookie {
            name: &names.twin,
            same_site: Some(SameSite::None),
            secure,
            partitioned: self.options.partitioned && secure,
            ..plain
        };
        std::iter::once(plain).chain(self.options.twin.then_some(twin)).map(|cookie| cookie.classic().into()).collect()
    }

    /// A cookie that shows this duration.
    pub(crate) fn cookie<'c>(
        &self,
        name: &'c str,
        value: &'c str,
        same_site: Option<SameSite>,
        duration: Duration,
    ) -> SetCookie<'c>
    where
        'a: 'c,
    {
        let options = self.options;
        let shown = match options.expires {
            Expires::Duration => Some(duration),
            Expires::SevenDays => Some(AWS_EXPIRES),
            Expires::Session => None,
        };
        let secure = match options.secure {
            Secure::Always => true,
            Secure::Never => false,
            Secure::Auto => same_site == Some(SameSite::None) && self.over_https(),
        };
        SetCookie {
            name,
            value,
            expires: shown.filter(|_| options.max_age != MaxAge::Instead).and_then(|shown| end(self.now(), shown)),
            max_age: shown.filter(|_| options.max_age != MaxAge::None),
            domain: options.domain.as_deref(),
            path: &options.path,
            same_site,
            secure,
            http_only: options.http_only,
            // Browsers refuse Partitioned without Secure.
            partitioned: options.partitioned && secure,
        }
    }

    /// Returns true if the client came over HTTPS.
    ///
    /// The proxy sets `x-forwarded-proto` if the client did not, so over plain HTTP the connection need not be asked. A client
    /// that claims `http` gains nothing: browsers refuse its `SameSite=None` cookie without `Secure`.
    pub(crate) fn over_https(&self) -> bool {
        match self.client.forwarded_https {
            Some(false) => false,
            Some(true) if self.options.trust_x_forwarded_proto => true,
            _ => (self.answer.over_https)(),
        }
    }
}

/// The greatest age of a shared value. To share a value ends its stickiness early, by at most a hundredth of the duration.
fn max_age(duration: Duration) -> Duration {
    duration.checked_div(100).unwrap_or_default()
}

fn end(now: Timestamp, duration: Duration) -> Option<SystemTime> {
    now.to_system_time().checked_add(duration)
}
