//! Refuses cookies of different kinds with one name: in the browser, the cookie that is written last replaces the other.

use std::mem::discriminant;

use super::error::ConfigError;
use super::resolved::{Config, EVERY_OTHER, Policies};
use crate::by_name::in_order;
use crate::policy::{Policy, Rule, Stickiness};
use crate::wire::cookie_header::CookieName;

/// A name, the cookie that has it, as an error says it, and where the name comes from.
type Owned<'a> = (&'a str, &'static str, Origin<'a>);

/// The block that a name comes from.
#[derive(Clone, Copy)]
enum Origin<'a> {
    Policy(&'static str, &'a str),
    Rule(usize),
}

const APPLICATION: &str = "the application's cookie";

/// Checks all names of a configuration. The error is told where a name stands for the second time.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let all = owned_names(config);
    let names: Vec<&str> = all.iter().map(|(name, ..)| *name).collect();
    let order = in_order(&names);
    let pairs = order.iter().zip(order.iter().skip(1));
    let clashes = pairs.filter_map(|(first, second)| {
        let ((name, first, _), (other_name, owner, origin)) = (all.get(*first)?, all.get(*second)?);
        (name == other_name && first != owner).then_some((second, name, first, owner, origin))
    });
    let Some((_, name, first, owner, origin)) = clashes.min_by_key(|(second, ..)| **second) else { return Ok(()) };
    let problem =
        format!("{name:?} would be the name of {owner} and of {first}: give one of them another name with cookie.name");
    Err(match origin {
        Origin::Policy(list, name) => ConfigError::new(problem).under(*name).under(*list),
        Origin::Rule(index) => ConfigError::new(problem).under(*index).under("rules"),
    })
}

/// All names of a configuration, in the order in which their blocks are checked.
fn owned_names(config: &Config) -> Vec<Owned<'_>> {
    let named = sticky("target_groups", &config.target_groups.named);
    let every_other = config.target_groups.every_other.as_deref();
    let every_other = every_other.map(|policy| (Origin::Policy("target_groups", EVERY_OTHER), policy));
    let policies = config.policies.iter().flat_map(|policies| sticky("policies", policies));
    let mut all = Vec::new();
    let mut last: Option<&Policy> = None;
    for (origin, policy) in named.chain(every_other).chain(policies) {
        // Most policies have the names of the one before.
        if !last.is_some_and(|last| have_same_names(last, policy)) {
            add_policy(&mut all, policy, origin);
        }
        last = Some(policy);
    }
    for (rule, index) in config.rules.iter().zip(0..).filter(|(rule, _)| rule.stickiness.is_some()) {
        let Rule { names, .. } = &**rule;
        all.extend(names.both().map(|name| (&**name, "the cookie of a rule", Origin::Rule(index))));
    }
    all
}

fn sticky<'a>(list: &'static str, policies: &'a Policies) -> impl Iterator<Item = (Origin<'a>, &'a Policy)> {
    policies.iter().filter_map(move |(name, policy)| Some((Origin::Policy(list, name), policy.as_deref()?)))
}

/// Returns true if the cookies of these policies, and those of the applications that they follow, have the same names.
fn have_same_names(policy: &Policy, other: &Policy) -> bool {
    policy.cookie.name == other.cookie.name
        && discriminant(&policy.stickiness) == discriminant(&other.stickiness)
        && application_cookie(&policy.stickiness) == application_cookie(&other.stickiness)
}

fn application_cookie(stickiness: &Stickiness) -> Option<&str> {
    match stickiness {
        Stickiness::AppCookie { cookie_name, .. } | Stickiness::ClassicAppCookie { cookie_name } => Some(cookie_name),
        Stickiness::LbCookie { .. } | Stickiness::ClassicLbCookie { .. } => None,
    }
}

fn add_policy<'a>(all: &mut Vec<Owned<'a>>, policy: &'a Policy, origin: Origin<'a>) {
    let names = policy.names();
    let (own, owner): (&[&CookieName], _) = match &policy.stickiness {
        Stickiness::LbCookie { .. } => (&names.lb_cookie.both(), "the duration-based cookie"),
        Stickiness::AppCookie { .. } => (&names.app_cookie.each_ref(), "the application-based cookie"),
        Stickiness::ClassicLbCookie { .. } | Stickiness::ClassicAppCookie { .. } => {
            (&names.classic.both(), "the classic cookie")
        }
    };
    all.extend(own.iter().map(|name| (&***name, owner, origin)));
    all.extend(application_cookie(&policy.stickiness).map(|name| (name, APPLICATION, origin)));
}
