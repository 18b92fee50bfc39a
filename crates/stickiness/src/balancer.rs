//! What the load balancer does with a request and with its answer.

use std::cell::RefCell;
use std::time::{Duration, SystemTime};

use crate::binding::Binding;
use crate::config::{Config, Expires, Stickiness};
use crate::cookie_header::CookieHeader;
use crate::names::{AWSALB, AWSALBCORS};
use crate::outcome::Outcome;
use crate::seal::{KeyRing, Kind, Nonce, OpenError};
use crate::sealed_values::SealedValues;
use crate::time::Timestamp;
use crate::{sealed_cookie, set_cookie};

/// How far ahead of our clock a cookie may have been issued: the clocks of several load balancers differ, but not by
/// a day, and a time farther ahead would extend the stickiness.
const MAX_AHEAD: Duration = Duration::from_hours(24);

/// What AWS's own cookies show as their expiry: "The load balancer generated cookie has its own expiry of 7 days".
const SEVEN_DAYS: Duration = Duration::from_hours(7 * 24);

/// A configuration at work.
#[derive(Debug)]
pub struct Balancer {
    config: Config,
    key_ring: KeyRing,
    sealed_values: RefCell<SealedValues>,
}

/// A request to a sticky target group, from its cookies to its answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Session {
    target_group: String,
    pin: Result<Binding, Outcome>,
}

/// What the load balancer makes of an answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply {
    /// What became of the request.
    pub outcome: Outcome,
    /// The values of the `Set-Cookie` headers to add.
    pub set_cookies: Vec<String>,
}

/// A target's answer.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The target group that answered.
    pub target_group: &'a str,
    /// The target that answered.
    pub target: &'a str,
    /// Whether the client reaches the listener over HTTPS.
    pub over_https: bool,
    /// The time of the answer.
    pub now: Timestamp,
}

impl Balancer {
    /// A load balancer with this configuration and these keys.
    #[must_use]
    pub fn new(config: Config, key_ring: KeyRing) -> Self {
        Self { config, key_ring, sealed_values: RefCell::default() }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The session of a request to `target_group`; `None` when the target group is not sticky.
    #[must_use]
    pub fn receive(&self, target_group: &str, cookies: &CookieHeader<'_>, now: Timestamp) -> Option<Session> {
        let Stickiness::LbCookie { duration } = *self.config.stickiness(target_group)?;
        Some(Session { target_group: target_group.to_owned(), pin: self.pin(target_group, duration, cookies, now) })
    }

    /// What to make of the answer to a session's request; `None` for an answer that no target gave.
    ///
    /// `draw_nonce` is called at most once, and not at all when a value sealed a moment ago serves; without a nonce
    /// there is no cookie.
    #[must_use]
    pub fn reply(
        &self,
        session: &Session,
        answer: Option<&Answer<'_>>,
        draw_nonce: impl FnOnce() -> Option<Nonce>,
    ) -> Reply {
        Reply {
            outcome: session.outcome_when_answered_by(answer.map(|answer| answer.target)),
            set_cookies: answer.map(|answer| self.set_cookies(answer, draw_nonce)).unwrap_or_default(),
        }
    }

    fn set_cookies(&self, answer: &Answer<'_>, draw_nonce: impl FnOnce() -> Option<Nonce>) -> Vec<String> {
        // The target group that answered need not be the one of the request: a later filter can change the route.
        let Some(Stickiness::LbCookie { duration }) = self.config.stickiness(answer.target_group) else {
            return Vec::new();
        };
        let Some(value) = self.sealed_value(answer, *duration, draw_nonce) else {
            return Vec::new();
        };
        let expires = self.expires(*duration, answer.now);
        vec![set_cookie::awsalb(&value, expires), set_cookie::awsalbcors(&value, expires, answer.over_https)]
    }

    /// The first cookie that opens and fits: "If the ALB receives both an AWSALBCORS and an AWSALB duration-based
    /// stickiness cookie, the value in AWSALBCORS will take precedence."
    fn pin(
        &self,
        target_group: &str,
        duration: Duration,
        cookies: &CookieHeader<'_>,
        now: Timestamp,
    ) -> Result<Binding, Outcome> {
        let mut nearest = Outcome::NoCookie;
        for value in cookies.values(AWSALBCORS).chain(cookies.values(AWSALB)) {
            match self.open(&value).and_then(|binding| fit(binding, target_group, duration, now)) {
                Ok(binding) => return Ok(binding),
                Err(miss) => nearest = nearest.max(miss),
            }
        }
        Err(nearest)
    }

    fn open(&self, value: &[u8]) -> Result<Binding, Outcome> {
        let content = sealed_cookie::open(&self.key_ring, Kind::LbCookie, value).map_err(|error| match error {
            OpenError::Malformed => Outcome::Malformed,
            OpenError::UnknownKey => Outcome::UnknownKey,
        })?;
        Binding::from_bytes(&content).ok_or(Outcome::Malformed)
    }

    fn sealed_value(
        &self,
        answer: &Answer<'_>,
        duration: Duration,
        draw_nonce: impl FnOnce() -> Option<Nonce>,
    ) -> Option<String> {
        let Answer { target_group, target, now, .. } = *answer;
        // Sharing a value ends its stickiness a little early: at most a hundredth of the duration.
        let max_age = duration.checked_div(100).unwrap_or_default();
        self.sealed_values.borrow_mut().get_or_seal(target_group, target, now, max_age, || {
            let binding = Binding { target_group: target_group.to_owned(), target: target.to_owned(), issued_at: now };
            sealed_cookie::seal(&self.key_ring, Kind::LbCookie, &binding.to_bytes()?, &draw_nonce()?)
        })
    }

    fn expires(&self, duration: Duration, now: Timestamp) -> Option<SystemTime> {
        let shown = match self.config.cookie.expires {
            Expires::Duration => duration,
            Expires::SevenDays => SEVEN_DAYS,
            Expires::Session => return None,
        };
        now.to_system_time().checked_add(shown)
    }
}

impl Session {
    /// The target that a cookie names, if one does.
    #[must_use]
    pub fn pin(&self) -> Option<&str> {
        self.pin.as_ref().ok().map(|binding| binding.target.as_str())
    }

    /// The target group that the request was routed to.
    #[must_use]
    pub fn target_group(&self) -> &str {
        &self.target_group
    }

    /// What becomes of the request unless another target than the pin answers.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.pin.as_ref().map_or_else(|miss| *miss, |_| Outcome::Pinned)
    }

    fn outcome_when_answered_by(&self, target: Option<&str>) -> Outcome {
        match (self.pin(), target) {
            (Some(pin), Some(target)) if target != pin => Outcome::Moved,
            _ => self.outcome(),
        }
    }
}

fn fit(binding: Binding, target_group: &str, duration: Duration, now: Timestamp) -> Result<Binding, Outcome> {
    if binding.target_group != target_group {
        return Err(Outcome::WrongGroup);
    }
    if now.since(binding.issued_at) >= duration || binding.issued_at.since(now) > MAX_AHEAD {
        return Err(Outcome::Expired);
    }
    Ok(binding)
}

#[cfg(test)]
mod tests;
