//! Refuses cookies of different kinds with one name: in the browser, the cookie that is written last replaces the other.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::error::ConfigError;
use super::resolved::{Config, EVERY_OTHER, Policies};
use crate::policy::{Policy, Stickiness};

/// Each name with the cookie that has it, as an error says it.
type Owners = BTreeMap<String, &'static str>;

const APPLICATION: &str = "the application's cookie";

/// Checks all names of a configuration. The error is told where a name stands for the second time.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let mut owners = Owners::new();
    let named = sticky("target_groups", &config.target_groups.named);
    let every_other = config.target_groups.every_other.iter().map(|policy| ("target_groups", EVERY_OTHER, policy));
    let policies = config.policies.iter().flat_map(|policies| sticky("policies", policies));
    for (list, name, policy) in named.chain(every_other).chain(policies) {
        add_policy(&mut owners, policy).map_err(|error| error.under(name).under(list))?;
    }
    for (index, rule) in config.rules.iter().enumerate().filter(|(_, rule)| rule.stickiness.is_some()) {
        for name in rule.names.both() {
            add(&mut owners, name, "the cookie of a rule").map_err(|error| error.under(index).under("rules"))?;
        }
    }
    Ok(())
}

fn sticky<'a>(list: &'a str, policies: &'a Policies) -> impl Iterator<Item = (&'a str, &'a str, &'a Rc<Policy>)> {
    policies.iter().filter_map(move |(name, policy)| Some((list, name.as_str(), policy.as_ref()?)))
}

fn add_policy(owners: &mut Owners, policy: &Policy) -> Result<(), ConfigError> {
    let names = policy.names();
    let (names, owner, application) = match &policy.stickiness {
        Stickiness::LbCookie { .. } => (names.lb_cookie.both().to_vec(), "the duration-based cookie", None),
        Stickiness::AppCookie { cookie_name, .. } => {
            (names.app_cookie.each_ref().to_vec(), "the application-based cookie", Some(cookie_name))
        }
        Stickiness::ClassicLbCookie { .. } => (names.classic.both().to_vec(), "the classic cookie", None),
        Stickiness::ClassicAppCookie { cookie_name } => {
            (names.classic.both().to_vec(), "the classic cookie", Some(cookie_name))
        }
    };
    names.iter().try_for_each(|name| add(owners, name, owner))?;
    application.into_iter().try_for_each(|name| add(owners, name, APPLICATION))
}

fn add(owners: &mut Owners, name: &str, owner: &'static str) -> Result<(), ConfigError> {
    match owners.insert(name.to_owned(), owner) {
        Some(other) if other != owner => Err(ConfigError::new(format!(
            "{name:?} would be the name of {owner} and of {other}: give one of them another name with cookie.name"
        ))),
        _ => Ok(()),
    }
}
