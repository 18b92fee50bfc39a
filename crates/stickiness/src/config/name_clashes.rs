//! Cookies of different kinds must not have one name: the one that is written last would replace the other in the browser.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Config, ConfigError, EVERY_OTHER, Policies};
use crate::names::{Pair, shards};
use crate::policy::{Policy, Stickiness};

/// What a name is for, as an error says it.
type Purposes = BTreeMap<String, &'static str>;

const APPLICATION: &str = "the application's cookie";

/// Refuses a name that is there for two purposes, where the second one stands.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let mut purposes = Purposes::new();
    let every_other = config.every_other_target_group.iter().map(|policy| ("target_groups", EVERY_OTHER, policy));
    let policies = config.policies.iter().flat_map(|policies| sticky("policies", policies));
    for (list, name, policy) in sticky("target_groups", &config.target_groups).chain(every_other).chain(policies) {
        add_policy(&mut purposes, policy).map_err(|error| error.at(&[list, name]))?;
    }
    for (index, rule) in config.rules.iter().enumerate().filter(|(_, rule)| rule.stickiness.is_some()) {
        let Pair { plain, twin } = Pair::of_target_group(rule.cookie.name.as_deref());
        for name in [plain, twin] {
            add(&mut purposes, &name, "the cookie of a rule")
                .map_err(|error| error.at(&["rules", &format!("[{index}]")]))?;
        }
    }
    Ok(())
}

fn sticky<'a>(list: &'a str, policies: &'a Policies) -> impl Iterator<Item = (&'a str, &'a str, &'a Rc<Policy>)> {
    let named = policies.iter().filter(|(name, _)| *name != EVERY_OTHER);
    named.filter_map(move |(name, policy)| Some((list, name.as_str(), policy.as_ref()?)))
}

fn add_policy(purposes: &mut Purposes, policy: &Policy) -> Result<(), ConfigError> {
    let base = policy.cookie.name.as_deref();
    let pair = |Pair { plain, twin }| vec![plain, twin];
    let (names, purpose, application) = match &policy.stickiness {
        Stickiness::LbCookie { .. } => (pair(Pair::of_lb_cookie(base)), "the duration-based cookie", None),
        Stickiness::AppCookie { cookie_name, .. } => {
            (shards(base).to_vec(), "the application-based cookie", Some(cookie_name))
        }
        Stickiness::ClassicLbCookie { .. } => (pair(Pair::of_classic(base)), "the classic cookie", None),
        Stickiness::ClassicAppCookie { cookie_name } => {
            (pair(Pair::of_classic(base)), "the classic cookie", Some(cookie_name))
        }
    };
    names.iter().try_for_each(|name| add(purposes, name, purpose))?;
    application.into_iter().try_for_each(|name| add(purposes, name, APPLICATION))
}

fn add(purposes: &mut Purposes, name: &str, purpose: &'static str) -> Result<(), ConfigError> {
    match purposes.insert(name.to_owned(), purpose) {
        Some(other) if other != purpose => Err(ConfigError::new(format!(
            "{name:?} would be the name of {purpose} and of {other}: give one of them another, with cookie.name"
        ))),
        _ => Ok(()),
    }
}
