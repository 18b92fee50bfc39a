//! Decides what the load balancer does with a request and with its answer.

mod session;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use crate::config::Config;
use crate::cookies::group_cookie::{self, ReadGroupCookie, StickyRules};
use crate::cookies::issuer::Issuer;
use crate::cookies::line_cache::LineCache;
use crate::cookies::reading::Reading;
use crate::cookies::target_cookie;
use crate::exchange::{Answer, AnsweredBy, ClientFacts, Request};
use crate::group_health::GroupHealth;
use crate::outcome::Outcome;
use crate::policy::{OnEmptyGroup, Policy, Stickiness};
use crate::time::Timestamp;
use crate::trust::key_ring::{DrawNonce, KeyRing};
use crate::trust::scope::Scope;
use crate::trust::sealer::Sealer;
use crate::wire::cookie_header::WantedCookies;

use session::TargetPolicy;
pub use session::{Reply, Session};

/// A load balancer: a configuration, keys, and the caches that go with them.
///
/// ```
/// use stickiness::balancer::Balancer;
/// use stickiness::config::Config;
/// use stickiness::exchange::{Answer, AnsweredBy, Request, RouteChoice};
/// use stickiness::outcome::Outcome;
/// use stickiness::time::Timestamp;
/// use stickiness::trust::key_ring::{Key, KeyRing};
/// use stickiness::wire::cookie_header::CookieHeader;
///
/// let config = Config::parse(b"{}").unwrap().config;
/// let balancer = Balancer::new(config, KeyRing::new(Key::new(&[1; 32]), Vec::new()));
/// let now = Timestamp::from_millis(1_700_000_000_000);
/// let request = |cookies| Request {
///     target_group: "web",
///     route: RouteChoice::default(),
///     cookies,
///     user_agent: b"",
///     forwarded_proto: b"http",
///     now,
/// };
///
/// // A client without a cookie is not pinned. The answer of a target brings it two.
/// let session = balancer.receive(&request(CookieHeader::default()), &|_, _| true).unwrap();
/// assert_eq!((session.pin(), session.outcome()), (None, Outcome::NoCookie));
/// let by = AnsweredBy::Target { target_group: "web".into(), target: "10.0.0.1:80".into() };
/// let answer = Answer { by, now, set_cookies: &Vec::new, over_https: &|| false };
/// let reply = balancer.reply(session, &answer, &mut || Some([7; 24]));
/// let lines: Vec<&str> = reply.headers().map(|(_name, line)| line).collect();
/// assert!(lines[0].starts_with("AWSALB=") && lines[1].starts_with("AWSALBCORS="));
///
/// // With them, it is pinned to the target.
/// let cookie = lines[0].split(';').next().unwrap();
/// let session = balancer.receive(&request([cookie.as_bytes()].into_iter().collect()), &|_, _| true).unwrap();
/// assert_eq!((session.pin(), session.outcome()), (Some("10.0.0.1:80"), Outcome::Pinned));
/// ```
#[derive(Debug)]
pub struct Balancer {
    config: Config,
    follows_applications: bool,
    longest_app_cookie: Duration,
    sticky_rules: StickyRules,
    wanted_cookies: WantedCookies,
    sealer: Sealer,
    line_cache: RefCell<LineCache>,
    group_health: RefCell<GroupHealth>,
}

/// Finds out whether a target group has a healthy target. The arguments are the target group and a path for a probe request.
pub type HasHealthyTarget<'a> = &'a dyn Fn(&str, &str) -> bool;

impl Balancer {
    /// A load balancer with this configuration and these keys.
    #[must_use]
    pub fn new(config: Config, key_ring: KeyRing) -> Self {
        Self {
            follows_applications: config.follows_applications(),
            longest_app_cookie: config.longest_app_cookie(),
            sticky_rules: StickyRules::new(config.rules()),
            wanted_cookies: config.wanted_cookies(),
            sealer: Sealer::new(key_ring),
            line_cache: RefCell::default(),
            group_health: RefCell::default(),
            config,
        }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Returns true if requests to this target group may be sticky: it has a policy, it is in a rule with stickiness, or routes choose
    /// policies.
    #[must_use]
    pub fn may_be_sticky(&self, target_group: &str) -> bool {
        let has_policy = self.config.policy(target_group).is_some() || self.config.routes_choose();
        has_policy || !self.sticky_rules.of(target_group).is_empty()
    }

    /// The session of a request; `None` when the request is not sticky.
    ///
    /// `has_healthy_target` is called only under a rule whose clients leave empty target groups.
    #[must_use]
    pub fn receive(&self, request: &Request<'_>, has_healthy_target: HasHealthyTarget<'_>) -> Option<Session> {
        if request.route.enabled == Some(false) {
            return None;
        }
        let rules = if request.route.rule == Some(false) { &[] } else { self.sticky_rules.of(request.target_group) };
        let (policy, unknown_policy) = self.target_policy(request);
        if rules.is_empty() && self.policy(&policy, request.target_group).is_none() {
            return None;
        }
        let found = self.wanted_cookies.find(&request.cookies);
        let (of_target_groups, of_route) = (Scope::default(), request.route.scope.as_ref());
        let scope = of_route.unwrap_or(&of_target_groups);
        let (sealer, target_group) = (&self.sealer, request.target_group);
        let reading = Reading { sealer, request, found: &found, target_group, scope };
        let group_cookie = group_cookie::read(reading, rules);
        let pinned_group = group_cookie.as_ref().and_then(|held| held.pin.as_ref().ok());
        let wanted = pinned_group.map_or(request.target_group, |binding| &binding.target_group);
        let target_group = self.nonempty(group_cookie.as_ref(), wanted, request, has_healthy_target);
        let is_rerouted = pinned_group.is_some() || target_group != request.target_group;
        let target_cookie = self.policy(&policy, target_group).map(|policy| {
            let scope = of_route.unwrap_or(&policy.scope);
            target_cookie::read(Reading { target_group, scope, ..reading }, policy)
        });
        let client = ClientFacts::new(request, self.follows_applications);
        // A binding that pins names the same target group, so the session shares its text.
        let pin = target_cookie.as_ref().and_then(|held| held.pin().ok());
        let target_group = pin.map_or_else(|| target_group.into(), |binding| Rc::clone(&binding.target_group));
        let scope = of_route.cloned();
        let session = Session {
            client,
            received_at: request.now,
            target_group,
            is_rerouted,
            group_cookie,
            policy,
            scope,
            target_cookie,
            unknown_policy,
        };
        if session.leaves_empty_groups() {
            self.group_health.borrow_mut().request_started(&session.target_group);
        }
        Some(session)
    }

    /// The reply to a session that its pinned target answers, if such an answer changes nothing: the client is given no
    /// cookie, and the load balancer learns nothing. The answer then need not be looked at.
    ///
    /// # Errors
    ///
    /// Gives the session back if the answer has to be looked at, with [`Balancer::reply`].
    #[allow(clippy::result_large_err, reason = "a session in a box would cost every request an allocation")]
    pub fn reply_if_unchanged(&self, session: Session, now: Timestamp) -> Result<Reply, Session> {
        let policy = self.policy(&session.policy, &session.target_group);
        let policy_and_held = policy.zip(session.target_cookie.as_ref()).filter(|_| session.group_cookie.is_none());
        if policy_and_held.is_some_and(|(policy, held)| target_cookie::stays_as_it_is(policy, held, now)) {
            Ok(session.reply_without_cookies())
        } else {
            Err(session)
        }
    }

    /// The reply to a session with this answer. If nobody answered, the answer is one of [`AnsweredBy::LoadBalancer`].
    ///
    /// `draw_nonce` is called only to seal a new value. Without a nonce there is no cookie.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a session that is gone cannot be answered twice")]
    pub fn reply(&self, session: Session, answer: &Answer<'_>, draw_nonce: DrawNonce<'_>) -> Reply {
        self.learn(&session, answer);
        match &answer.by {
            AnsweredBy::Target { target_group, target } => {
                self.reply_to_target(&session, target_group, target, answer, draw_nonce)
            }
            AnsweredBy::NoHealthyTarget { .. } | AnsweredBy::LoadBalancer => session.reply_without_cookies(),
        }
    }

    fn reply_to_target(
        &self,
        session: &Session,
        target_group: &str,
        target: &str,
        answer: &Answer<'_>,
        draw_nonce: DrawNonce<'_>,
    ) -> Reply {
        let app_cookie_lifetime = |target_group: &str| self.app_cookie_lifetime(target_group);
        let issuer = |options, scope| Issuer {
            sealer: &self.sealer,
            cache: &self.line_cache,
            options,
            app_cookie_lifetime: &app_cookie_lifetime,
            client: session.client,
            target_group,
            target,
            scope,
            answer,
        };
        let (of_target_groups, of_route) = (Scope::default(), session.scope.as_ref());
        let scope = of_route.unwrap_or(&of_target_groups);
        let held = session.group_cookie.as_ref();
        let of_group = held.and_then(|held| group_cookie::lines(&issuer(&held.rule.cookie, scope), held, draw_nonce));
        // The target group that answered may be another one than the request should have reached: that one's route can be gone.
        let policy = self.policy(&session.policy, target_group);
        let of_target = policy.and_then(|policy| {
            let issuer = issuer(&policy.cookie, of_route.unwrap_or(&policy.scope));
            target_cookie::lines(&issuer, policy, session.target_cookie.as_ref(), draw_nonce)
        });
        let has_moved = session.pinned_group().is_some_and(|pinned| *pinned.target_group != *target_group)
            || session.pin().is_some_and(|pin| pin != target);
        let keep_out_of_caches = of_target.is_some() && policy.is_some_and(|policy| policy.stickiness.is_classic());
        Reply {
            outcome: if has_moved { Outcome::Moved } else { session.outcome() },
            counted_group: session.shared_counted_group(),
            set_cookies: [of_group, of_target],
            keep_out_of_caches,
        }
    }

    /// The time for which an application-based binding to this target group may pin.
    fn app_cookie_lifetime(&self, target_group: &str) -> Duration {
        match self.config.policy(target_group).map(|policy| &policy.stickiness) {
            Some(Stickiness::AppCookie { duration, .. }) if !self.config.routes_choose() => *duration,
            // If routes choose policies, any of them may be that of the binding's next request.
            _ => self.longest_app_cookie,
        }
    }

    fn policy<'a>(&'a self, policy: &'a TargetPolicy, target_group: &str) -> Option<&'a Policy> {
        match policy {
            TargetPolicy::OfTargetGroup => self.config.policy(target_group).map(Rc::as_ref),
            TargetPolicy::OfRoute(policy) => policy.as_deref(),
        }
    }

    /// The policy that the route names. If there is no such policy, the name comes back too.
    fn target_policy(&self, request: &Request<'_>) -> (TargetPolicy, Option<String>) {
        let Some(name) = &request.route.policy else {
            return (TargetPolicy::OfTargetGroup, None);
        };
        match self.config.named_policy(name) {
            Some(policy) => (TargetPolicy::OfRoute(policy.cloned()), None),
            None => (TargetPolicy::OfTargetGroup, Some(name.clone())),
        }
    }

    /// `wanted`, unless it has no healthy target and the rule has clients leave such a target group.
    fn nonempty<'a>(
        &self,
        group_cookie: Option<&'a ReadGroupCookie>,
        wanted: &'a str,
        request: &Request<'a>,
        has_healthy_target: HasHealthyTarget<'_>,
    ) -> &'a str {
        let Some(rule) = group_cookie.map(|held| &held.rule) else { return wanted };
        let OnEmptyGroup::Repick { probe_path } = &rule.on_empty_group else { return wanted };
        let mut health = self.group_health.borrow_mut();
        let mut is_alive = |name: &str| health.is_alive(name, request.now, || has_healthy_target(name, probe_path));
        if is_alive(wanted) {
            return wanted;
        }
        // The target group that the weights picked comes first.
        let others = std::iter::once(request.target_group).chain(rule.target_groups.iter().map(String::as_str));
        others.filter(|name| *name != wanted).find(|name| is_alive(name)).unwrap_or(wanted)
    }

    fn learn(&self, session: &Session, answer: &Answer<'_>) {
        if !session.leaves_empty_groups() {
            return;
        }
        let mut health = self.group_health.borrow_mut();
        health.request_ended(&session.target_group);
        match &answer.by {
            AnsweredBy::Target { target_group, .. } => {
                health.target_answered(target_group, session.received_at, answer.now);
            }
            AnsweredBy::NoHealthyTarget { target_group } => health.found_no_target(target_group, answer.now),
            AnsweredBy::LoadBalancer => (),
        }
    }
}

#[cfg(test)]
mod tests;
