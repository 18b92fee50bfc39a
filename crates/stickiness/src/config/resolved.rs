//! The resolved configuration: the policy of each target group and of each route, and the rules.

use std::rc::Rc;
use std::time::Duration;

use crate::by_name::ByName;
use crate::policy::{Policy, Rule, Stickiness};
use crate::trust::key_ring::KeyRing;
use crate::wire::cookie_header::WantedCookies;

/// The name that stands for every target group that is not named.
pub(super) const EVERY_OTHER: &str = "*";

/// The result of reading a plugin configuration.
#[derive(Debug)]
pub struct Parsed {
    /// The configuration.
    pub config: Config,
    /// Its keys, if it gives any.
    pub key_ring: Option<KeyRing>,
    /// Settings that are allowed, but that not every browser follows: a line each.
    pub warnings: Vec<String>,
}

/// A checked configuration. Nothing is left to decide: asking it for a policy is looking up a name.
#[derive(Debug, Default)]
pub struct Config {
    pub(super) target_groups: TargetGroups,
    pub(super) policies: Option<Policies>,
    pub(super) rules: Vec<Rc<Rule>>,
    /// The mechanism of Envoy that sends a request to the target of its session.
    pub mechanism: Mechanism,
    /// The target group of every request, where the operator says that there is no other. The filter then does not ask
    /// Envoy for it.
    pub only_target_group: Option<String>,
}

/// Policies by name; `None` where stickiness is off.
pub(super) type Policies = ByName<Option<Rc<Policy>>>;

/// The policies of target groups.
#[derive(Debug)]
pub(super) struct TargetGroups {
    pub(super) named: Policies,
    /// `None` where stickiness is off, and where nothing is said about them.
    pub(super) every_other: Option<Rc<Policy>>,
    /// True if something is said about those that are not named.
    pub(super) has_every_other: bool,
}

/// The mechanism of Envoy that sends a request to the target of its session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mechanism {
    /// The filter `stateful_session`, which reads the target from a header.
    #[default]
    StatefulSession,
    /// The load-balancing policy `override_host`, which reads the target from a header.
    OverrideHost,
}

impl Config {
    /// The policy of a target group; `None` when it is not sticky.
    #[must_use]
    pub fn policy(&self, target_group: &str) -> Option<&Rc<Policy>> {
        self.target_groups.policy(target_group)
    }

    /// Returns true if the configuration names this target group, among the target groups or in a rule.
    #[must_use]
    pub fn names(&self, target_group: &str) -> bool {
        let mut in_rules = self.rules.iter().flat_map(|rule| &rule.target_groups);
        self.target_groups.named.get(target_group).is_some() || in_rules.any(|name| name == target_group)
    }

    /// Returns true if any policy follows a cookie of the application.
    #[must_use]
    pub fn follows_applications(&self) -> bool {
        let mut follows = false;
        self.visit(&mut |_, policy| follows |= policy.stickiness.follows_application());
        follows
    }

    /// The longest time for which any policy lets an application-based binding pin; zero if there is no such policy.
    #[must_use]
    pub fn longest_app_cookie(&self) -> Duration {
        let mut longest = Duration::ZERO;
        self.visit(&mut |_, policy| {
            if let Stickiness::AppCookie { duration, .. } = policy.stickiness {
                longest = longest.max(duration);
            }
        });
        longest
    }

    /// The cookies that its policies and rules read.
    pub(crate) fn wanted_cookies(&self) -> WantedCookies {
        let mut wanted = Vec::new();
        self.visit(&mut |_, policy| wanted.extend(policy.wanted()));
        let sticky = self.rules.iter().filter(|rule| rule.stickiness.is_some());
        wanted.extend(sticky.flat_map(|rule| rule.names.wanted()));
        WantedCookies::new(wanted)
    }

    /// Visits all policies: those of target groups, and then the named ones, each with its name.
    ///
    /// The walk is in the module once, for all that is asked of the policies together.
    pub(super) fn visit<'a>(&'a self, visit: &mut dyn FnMut(Option<&'a str>, &'a Rc<Policy>)) {
        self.target_groups.every_other.iter().for_each(|policy| visit(None, policy));
        for (policies, are_named) in [(Some(&self.target_groups.named), false), (self.policies.as_ref(), true)] {
            for (name, policy) in policies.into_iter().flat_map(ByName::iter) {
                if let Some(policy) = policy {
                    visit(are_named.then_some(name), policy);
                }
            }
        }
    }

    /// Returns true if routes may choose a policy. They may if the configuration has `policies`, even an empty object.
    #[must_use]
    pub fn routes_choose(&self) -> bool {
        self.policies.is_some()
    }

    /// The policy with this name: `None` when there is no such name, `Some(None)` when it turns stickiness off.
    #[must_use]
    pub fn named_policy(&self, name: &str) -> Option<Option<&Rc<Policy>>> {
        self.policies.as_ref()?.get(name).map(Option::as_ref)
    }

    /// The rules, in their order.
    #[must_use]
    pub fn rules(&self) -> &[Rc<Rule>] {
        &self.rules
    }
}

impl TargetGroups {
    pub(super) fn policy(&self, target_group: &str) -> Option<&Rc<Policy>> {
        self.named.get(target_group).unwrap_or(&self.every_other).as_ref()
    }
}

impl Default for TargetGroups {
    /// Every target group is sticky. At AWS stickiness is off until somebody turns it on; here somebody has loaded the
    /// filter.
    fn default() -> Self {
        Self { named: Policies::default(), every_other: Some(Rc::default()), has_every_other: true }
    }
}
