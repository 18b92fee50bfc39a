//! What the load balancer does with a request and with its answer.

use std::cell::RefCell;
use std::rc::Rc;

use crate::config::Config;
use crate::cookies::group_cookie;
use crate::cookies::issuer::Issuer;
use crate::cookies::line_cache::Texts;
use crate::cookies::target_cookie::{self, Held};
use crate::exchange::{Answer, Client, Request, TargetAnswer};
use crate::group_health::GroupHealth;
use crate::outcome::Outcome;
use crate::policy::{OnEmptyGroup, Policy};
use crate::time::Timestamp;
use crate::trust::key_ring::KeyRing;
use crate::trust::sealer::{DrawNonce, Sealer};

/// A configuration at work.
#[derive(Debug)]
pub struct Balancer {
    config: Config,
    follows_applications: bool,
    sealer: Sealer,
    group_health: RefCell<GroupHealth>,
}

/// Whether a target group has a healthy target, found out by a request for a path of it.
pub type HasHealthyTarget<'a> = &'a dyn Fn(&str, &str) -> bool;

/// A request to a sticky target group, from its cookies to its answer.
#[derive(Debug)]
pub struct Session {
    client: Client,
    /// The target group that the request should reach.
    target_group: Rc<str>,
    /// Whether Envoy has to be told to route the request to it.
    is_rerouted: bool,
    group: Option<group_cookie::Held>,
    policy: TargetPolicy,
    target: Option<Held>,
    unknown_policy: Option<String>,
}

/// Whose policy decides about the targets.
#[derive(Debug)]
enum TargetPolicy {
    /// That of the target group that answers.
    OfTargetGroup,
    /// That which the route named, if it is sticky.
    OfRoute(Option<Rc<Policy>>),
}

/// What the load balancer makes of an answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply {
    /// What became of the request.
    pub outcome: Outcome,
    /// The `Set-Cookie` lines for the target group and for the target.
    set_cookies: [Option<Texts>; 2],
    keep_out_of_caches: bool,
}

impl Balancer {
    /// A load balancer with this configuration and these keys.
    #[must_use]
    pub fn new(config: Config, key_ring: KeyRing) -> Self {
        let follows_applications = config.follows_applications();
        Self { config, follows_applications, sealer: Sealer::new(key_ring), group_health: RefCell::default() }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The session of a request; `None` when it is not sticky.
    ///
    /// `has_healthy_target` is asked only under a rule that leaves empty target groups.
    #[must_use]
    pub fn receive(&self, request: &Request<'_>, has_healthy_target: HasHealthyTarget<'_>) -> Option<Session> {
        if request.route.enabled == Some(false) {
            return None;
        }
        let rules = if request.route.rule == Some(false) { &[] } else { self.config.rules() };
        let group = group_cookie::read(&self.sealer, rules, request);
        let pinned_group = group.as_ref().and_then(|held| held.pin.as_ref().ok());
        let wanted = pinned_group.map_or(request.target_group, |binding| &binding.target_group);
        let target_group = self.nonempty(group.as_ref(), wanted, request, has_healthy_target);
        let is_rerouted = pinned_group.is_some() || target_group != request.target_group;
        let (policy, unknown_policy) = self.target_policy(request);
        let target = self
            .policy(&policy, target_group)
            .map(|policy| target_cookie::read(&self.sealer, policy, target_group, request));
        if target.is_none() && group.is_none() {
            return None;
        }
        let client = Client::of(request, self.follows_applications);
        // A binding pins in its own target group only, and shares the name.
        let pin = target.as_ref().and_then(|held| held.pin().ok());
        let target_group = pin.map_or_else(|| target_group.into(), |binding| Rc::clone(&binding.target_group));
        let session = Session { client, target_group, is_rerouted, group, policy, target, unknown_policy };
        if session.leaves_empty_groups() {
            self.group_health.borrow_mut().request_started(&session.target_group);
        }
        Some(session)
    }

    /// Whether an answer that its pinned target gives at this time changes nothing: the client is given no cookie, and there is
    /// nothing to learn. Nobody then needs to ask for a reply, or to know more than that no other target answered:
    /// [`Session::outcome`] is what became of the request.
    #[must_use]
    pub fn keeps(&self, session: &Session, now: Timestamp) -> bool {
        let policy = self.policy(&session.policy, &session.target_group);
        let policy_and_held = policy.zip(session.target.as_ref()).filter(|_| session.group.is_none());
        policy_and_held.is_some_and(|(policy, held)| target_cookie::is_kept(policy, held, now))
    }

    /// Whether the answer of this target group has to be looked at for the application's cookie.
    #[must_use]
    pub fn follows_application(&self, session: &Session, target_group: &str) -> bool {
        self.policy(&session.policy, target_group).is_some_and(|policy| policy.stickiness.follows_application())
    }

    /// What to make of the answer to a session's request; of a request that nobody answered, [`Answer::Envoy`].
    ///
    /// To be asked once for every session. `draw_nonce` is not called when a value sealed a moment ago serves; without a
    /// nonce there is no cookie.
    pub fn reply(&self, session: &Session, answer: &Answer<'_>, draw_nonce: DrawNonce<'_>) -> Reply {
        self.learn(session, answer);
        match answer {
            Answer::Target(answer) => self.reply_to_target(session, answer, draw_nonce),
            Answer::NoHealthyTarget { .. } | Answer::Envoy => {
                Reply { outcome: session.outcome(), set_cookies: [None, None], keep_out_of_caches: false }
            }
        }
    }

    fn reply_to_target(&self, session: &Session, answer: &TargetAnswer<'_>, draw_nonce: DrawNonce<'_>) -> Reply {
        let issuer =
            |options| Issuer { config: &self.config, sealer: &self.sealer, options, client: session.client, answer };
        let of_group = session.group.as_ref();
        let of_group = of_group.and_then(|held| group_cookie::lines(&issuer(&held.rule.cookie), held, draw_nonce));
        // The target group that answered need not be the one of the request: its route can be gone.
        let policy = self.policy(&session.policy, answer.target_group);
        let of_target = policy.and_then(|policy| {
            target_cookie::lines(&issuer(&policy.cookie), policy, session.target.as_ref(), draw_nonce)
        });
        Reply {
            outcome: session.outcome_when_answered_by(answer),
            keep_out_of_caches: of_target.is_some() && policy.is_some_and(|policy| policy.stickiness.is_classic()),
            set_cookies: [of_group, of_target],
        }
    }

    fn policy<'a>(&'a self, policy: &'a TargetPolicy, target_group: &str) -> Option<&'a Policy> {
        match policy {
            TargetPolicy::OfTargetGroup => self.config.policy(target_group).map(Rc::as_ref),
            TargetPolicy::OfRoute(policy) => policy.as_deref(),
        }
    }

    /// The policy that the route names, or the name when there is none of it.
    fn target_policy(&self, request: &Request<'_>) -> (TargetPolicy, Option<String>) {
        let Some(name) = &request.route.policy else {
            return (TargetPolicy::OfTargetGroup, None);
        };
        match self.config.named_policy(name) {
            Some(policy) => (TargetPolicy::OfRoute(policy.cloned()), None),
            None => (TargetPolicy::OfTargetGroup, Some(name.clone())),
        }
    }

    /// `wanted`, unless it has no healthy target and the rule says to pick another target group then.
    fn nonempty<'a>(
        &self,
        group: Option<&'a group_cookie::Held>,
        wanted: &'a str,
        request: &Request<'a>,
        has_healthy_target: HasHealthyTarget<'_>,
    ) -> &'a str {
        let Some(rule) = group.map(|held| &held.rule) else { return wanted };
        let OnEmptyGroup::Repick { probe_path } = &rule.on_empty_group else { return wanted };
        let mut health = self.group_health.borrow_mut();
        let mut is_alive = |name: &str| health.is_alive(name, request.now, || has_healthy_target(name, probe_path));
        if is_alive(wanted) {
            return wanted;
        }
        // The weights have picked one already: it comes first.
        let others = std::iter::once(request.target_group).chain(rule.target_groups.iter().map(String::as_str));
        others.filter(|name| *name != wanted).find(|name| is_alive(name)).unwrap_or(wanted)
    }

    fn learn(&self, session: &Session, answer: &Answer<'_>) {
        if !session.leaves_empty_groups() {
            return;
        }
        let mut health = self.group_health.borrow_mut();
        health.request_ended(&session.target_group);
        match answer {
            Answer::Target(answer) => health.saw(answer.target_group, true, answer.now),
            Answer::NoHealthyTarget { target_group, now } => health.saw(target_group, false, *now),
            Answer::Envoy => (),
        }
    }
}

impl Session {
    /// The target that a cookie names, if one does.
    #[must_use]
    pub fn pin(&self) -> Option<&str> {
        self.target.as_ref()?.pin().ok().map(|binding| &*binding.target)
    }

    /// The target group that Envoy has to be told to route to, if it has to be.
    #[must_use]
    pub fn reroute(&self) -> Option<&str> {
        self.is_rerouted.then_some(&*self.target_group)
    }

    /// The target group that the request should reach.
    #[must_use]
    pub fn target_group(&self) -> &str {
        &self.target_group
    }

    /// The target group that the request counts for: the one that its cookie names, otherwise the one that it should
    /// reach.
    #[must_use]
    pub fn counted_group(&self) -> &str {
        self.pinned_group().unwrap_or(&self.target_group)
    }

    /// The name of a policy that the route chose and nobody configured.
    #[must_use]
    pub fn unknown_policy(&self) -> Option<&str> {
        self.unknown_policy.as_deref()
    }

    /// What becomes of the request unless another target than the pin answers.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let target = self.target.as_ref().map(Held::pin);
        let group = self.group.as_ref().map(|held| held.pin.as_ref());
        match (target, group) {
            // A bad cookie of the target group tells, though the target's may happen to fit the group that was picked.
            (Some(Ok(_)), Some(Err(miss))) if *miss != Outcome::NoCookie => *miss,
            (Some(Ok(_)), _) | (None, Some(Ok(_))) => Outcome::Pinned,
            (Some(Err(miss)), Some(Err(group_miss))) => miss.max(*group_miss),
            (Some(Err(miss)), _) => miss,
            (None, Some(Err(miss))) => *miss,
            (None, None) => Outcome::NoCookie,
        }
    }

    fn pinned_group(&self) -> Option<&str> {
        let pin = self.group.as_ref()?.pin.as_ref().ok()?;
        Some(&pin.target_group)
    }

    fn leaves_empty_groups(&self) -> bool {
        let on_empty_group = self.group.as_ref().map(|held| &held.rule.on_empty_group);
        matches!(on_empty_group, Some(OnEmptyGroup::Repick { .. }))
    }

    fn outcome_when_answered_by(&self, answer: &TargetAnswer<'_>) -> Outcome {
        let left_group = self.pinned_group().is_some_and(|target_group| target_group != answer.target_group);
        let left_target = self.pin().is_some_and(|target| target != answer.target);
        if left_group || left_target { Outcome::Moved } else { self.outcome() }
    }
}

impl Reply {
    /// The headers to add to the answer: their names in lower case, and their values.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let lines = self.set_cookies.iter().flatten().flat_map(|lines| lines.iter());
        let cache_control = self.keep_out_of_caches.then_some(("cache-control", target_cookie::CACHE_CONTROL));
        lines.map(|line| ("set-cookie", &**line)).chain(cache_control)
    }
}

#[cfg(test)]
mod tests;
