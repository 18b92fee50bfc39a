//! The cookies of one answer in the making: what the operator asked for, and what this client can use.

use std::time::{Duration, SystemTime};

use crate::config::Config;
use crate::cookies::line_cache::{Form, Texts};
use crate::cookies::names::Pair;
use crate::exchange::{Client, TargetAnswer};
use crate::policy::{CookieOptions, Expires, MaxAge, SameSite, Secure};
use crate::time::Timestamp;
use crate::trust::binding::Binding;
use crate::trust::key_ring::CookieKind;
use crate::trust::sealer::{DrawNonce, Sealer};
use crate::wire::set_cookie::SetCookie;

/// What AWS's own cookies show as their expiry: "The load balancer generated cookie has its own expiry of 7 days".
const SEVEN_DAYS: Duration = Duration::from_hours(7 * 24);

/// Makes the cookies of one answer.
#[derive(Clone, Copy)]
pub(crate) struct Issuer<'a> {
    /// What the operator asked for.
    pub(crate) config: &'a Config,
    /// Seals what they say.
    pub(crate) sealer: &'a Sealer,
    /// What they look like.
    pub(crate) options: &'a CookieOptions,
    /// Whom they are for.
    pub(crate) client: Client,
    /// The answer that carries them.
    pub(crate) answer: &'a TargetAnswer<'a>,
}

impl<'a> Issuer<'a> {
    /// The target that answered, from now on; with the names of `held`, where that is the same one.
    pub(crate) fn binding(&self, held: Option<&Binding>) -> Binding {
        let TargetAnswer { target_group, target, now, .. } = *self.answer;
        match held.filter(|held| *held.target_group == *target_group && *held.target == *target) {
            Some(held) => Binding { issued_at: now, ..held.clone() },
            None => Binding { target_group: target_group.into(), target: target.into(), issued_at: now },
        }
    }

    /// The lines for a cookie of this kind that holds `binding` alone, and for its twin; `None` as for [`Sealer::seal`].
    ///
    /// All clients that the target answers in one moment are given the same ones.
    pub(crate) fn pair(
        &self,
        kind: CookieKind,
        names: impl FnOnce() -> Pair,
        binding: &Binding,
        duration: Duration,
        draw_nonce: DrawNonce<'_>,
    ) -> Option<Texts> {
        let form = Form::Lines { options: self.options, over_https: self.shows_https() };
        self.sealer.share(kind, binding, form, duration, || {
            let (names, value) = (names(), self.sealer.seal_binding(kind, binding, draw_nonce)?);
            let plain = self.cookie(&names.plain, &value, self.options.same_site, duration);
            let twin = self.cookie(&names.twin, &value, Some(SameSite::None), duration);
            let cookies = std::iter::once(plain).chain(self.options.twin.then_some(twin));
            Some(cookies.map(|cookie| cookie.line()).collect())
        })
    }

    /// Whether the client came over HTTPS, where a cookie or its twin shows it.
    fn shows_https(&self) -> bool {
        let options = self.options;
        let is_for_all_sites = options.twin || options.same_site == Some(SameSite::None);
        options.secure == Secure::Auto && is_for_all_sites && self.over_https()
    }

    /// The lines for a cookie of a Classic Load Balancer and its twin.
    pub(crate) fn classic_pair(&self, names: &Pair, value: &str, expiration_period: Option<Duration>) -> Texts {
        let plain = SetCookie {
            max_age: expiration_period,
            ..self.cookie(&names.plain, value, self.options.same_site, Duration::ZERO)
        };
        // AWS's line has it whatever the listener.
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
            Expires::SevenDays => Some(SEVEN_DAYS),
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
            expires: shown.filter(|_| options.max_age != MaxAge::Instead).and_then(|shown| end(self.answer.now, shown)),
            max_age: shown.filter(|_| options.max_age != MaxAge::None),
            domain: options.domain.as_deref(),
            path: &options.path,
            same_site,
            secure,
            http_only: options.http_only,
            // Browsers refuse it without Secure.
            partitioned: options.partitioned && secure,
        }
    }

    /// Whether the client came over HTTPS.
    ///
    /// Envoy sets `x-forwarded-proto` where nobody did, so over plain HTTP the connection need not be asked. To claim `http` gains
    /// nothing: browsers refuse `SameSite=None` without `Secure`, and who claims it goes without a cookie for other sites.
    pub(crate) fn over_https(&self) -> bool {
        match self.client.forwarded_https {
            Some(false) => false,
            Some(true) if self.options.trust_x_forwarded_proto => true,
            _ => (self.answer.over_https)(),
        }
    }
}

fn end(now: Timestamp, duration: Duration) -> Option<SystemTime> {
    now.to_system_time().checked_add(duration)
}
