//! A request under way, and the reply to its answer.

use std::rc::Rc;

use crate::cookies::classic::CACHE_CONTROL;
use crate::cookies::group_cookie::ReadGroupCookie;
use crate::cookies::line_cache::Lines;
use crate::cookies::target_cookie::ReadTargetCookie;
use crate::exchange::ClientFacts;
use crate::outcome::Outcome;
use crate::policy::{OnEmptyGroup, Policy};
use crate::time::Timestamp;
use crate::trust::binding::Binding;
use crate::trust::scope::Scope;

/// A request to a sticky target group, from its cookies to its answer.
#[derive(Debug)]
pub struct Session {
    pub(super) client: ClientFacts,
    /// The time at which the request came.
    pub(super) received_at: Timestamp,
    /// The target group that the request should reach.
    pub(super) target_group: Rc<str>,
    /// True if the proxy has to be told to route the request to it.
    pub(super) is_rerouted: bool,
    pub(super) group_cookie: Option<ReadGroupCookie>,
    pub(super) policy: TargetPolicy,
    /// The scope that the route gives, in place of that of the policy.
    pub(super) scope: Option<Scope>,
    pub(super) target_cookie: Option<ReadTargetCookie>,
    pub(super) unknown_policy: Option<String>,
}

/// The policy of the targets.
#[derive(Debug)]
pub(super) enum TargetPolicy {
    /// The policy of the target group that answers.
    OfTargetGroup,
    /// The policy that the route named; `None` if it turns stickiness off.
    OfRoute(Option<Rc<Policy>>),
}

/// The outcome of a session, and the headers to add to its answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply {
    /// The outcome of the request.
    pub outcome: Outcome,
    /// The target group that the request counts for, as [`Session::counted_group`].
    pub counted_group: Rc<str>,
    /// The `Set-Cookie` lines for the target group and for the target.
    pub(super) set_cookies: [Option<Lines>; 2],
    pub(super) keep_out_of_caches: bool,
}

impl Session {
    /// The target in the request's cookie, if it pins the request.
    #[must_use]
    pub fn pin(&self) -> Option<&str> {
        self.shared_pin().map(|pin| &**pin)
    }

    /// The target group that the proxy has to be told to route to, if it has to be told.
    #[must_use]
    pub fn reroute(&self) -> Option<&str> {
        self.is_rerouted.then_some(&*self.target_group)
    }

    /// The target group that the request should reach.
    #[must_use]
    pub fn target_group(&self) -> &str {
        &self.target_group
    }

    /// The target group that the request counts for: the one in its cookie, otherwise the one that it should reach.
    #[must_use]
    pub fn counted_group(&self) -> &str {
        self.pinned_group().map_or(&self.target_group, |pinned| &pinned.target_group)
    }

    pub(super) fn shared_counted_group(&self) -> Rc<str> {
        Rc::clone(self.pinned_group().map_or(&self.target_group, |pinned| &pinned.target_group))
    }

    /// [`Session::pin`] as a text that outlives the session, which [`Balancer::reply`] consumes.
    #[must_use]
    pub fn shared_pin(&self) -> Option<&Rc<str>> {
        self.target_cookie.as_ref()?.pin().ok().map(|binding| &binding.target)
    }

    /// [`Session::target_group`] as a text that outlives the session.
    #[must_use]
    pub fn shared_target_group(&self) -> &Rc<str> {
        &self.target_group
    }

    /// The name of a policy that the route chose and the configuration does not have.
    #[must_use]
    pub fn unknown_policy(&self) -> Option<&str> {
        self.unknown_policy.as_deref()
    }

    /// The outcome of the request, unless another target than the pinned one answers.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let target = self.target_cookie.as_ref().map(ReadTargetCookie::pin);
        let group = self.group_cookie.as_ref().map(|held| held.pin.as_ref());
        match (target, group) {
            // Report a bad AWSALBTG even if AWSALB is valid for the target group that the weights picked.
            (Some(Ok(_)), Some(Err(miss))) if *miss != Outcome::NoCookie => *miss,
            (Some(Ok(_)), _) | (None, Some(Ok(_))) => Outcome::Pinned,
            (Some(Err(miss)), Some(Err(group_miss))) => miss.max(*group_miss),
            (Some(Err(miss)), _) => miss,
            (None, Some(Err(miss))) => *miss,
            (None, None) => Outcome::NoCookie,
        }
    }

    pub(super) fn pinned_group(&self) -> Option<&Binding> {
        self.group_cookie.as_ref()?.pin.as_ref().ok()
    }

    pub(super) fn leaves_empty_groups(&self) -> bool {
        let on_empty_group = self.group_cookie.as_ref().map(|held| &held.rule.on_empty_group);
        matches!(on_empty_group, Some(OnEmptyGroup::Repick { .. }))
    }

    pub(super) fn reply_without_cookies(&self) -> Reply {
        let (outcome, counted_group) = (self.outcome(), self.shared_counted_group());
        Reply { outcome, counted_group, set_cookies: [None, None], keep_out_of_caches: false }
    }
}

impl Reply {
    /// The headers to add to the answer: names in lower case, and values.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let lines = self.set_cookies.iter().flatten().flat_map(|lines| lines.iter());
        let cache_control = self.keep_out_of_caches.then_some(("cache-control", CACHE_CONTROL));
        lines.map(|line| ("set-cookie", &**line)).chain(cache_control)
    }
}
