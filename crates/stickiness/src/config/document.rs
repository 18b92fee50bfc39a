//! Which keys a configuration has, and how they hang together.

use std::collections::BTreeMap;

use super::cookie::CookieBlock;
use super::reader::block;
use super::rule::RuleBlock;
use super::target_group::TargetGroup;
use super::{Config, ConfigError, EVERY_OTHER, Mechanism, Parsed, Policies, name_clashes};
use crate::keys;
use crate::policy::{CookieOptions, Policy, Stickiness};
use crate::seal::KeyRing;

#[derive(Default)]
pub(super) struct Document {
    target_groups: TargetGroups,
    policies: Option<TargetGroups>,
    rules: Vec<RuleBlock>,
    keys: Option<Vec<Key>>,
    upstream: Upstream,
    cookie: CookieBlock,
}

/// In the order of their names, so that of several errors the same one is told every time.
type TargetGroups = BTreeMap<String, TargetGroup>;

#[derive(Default)]
struct Key {
    id: String,
    secret: String,
}

#[derive(Default)]
struct Upstream {
    mechanism: Mechanism,
    only_target_group: Option<String>,
}

impl Upstream {
    /// The only target group, if there is one.
    fn check(&self, rules: &[RuleBlock]) -> Result<Option<String>, ConfigError> {
        let refuse = |problem: &str| Err(ConfigError::new(problem).at(&["upstream", "only_target_group"]));
        match &self.only_target_group {
            Some(name) if name.is_empty() => refuse("\"\" is not a name"),
            Some(_) if !rules.is_empty() => refuse("not with rules, which are for several target groups"),
            only => Ok(only.clone()),
        }
    }
}

block!(Document {
    "target_groups" => target_groups,
    "policies" => policies,
    "rules" => rules,
    "keys" => keys,
    "upstream" => upstream,
    "cookie" => cookie
});

block!(Key { "id" => id, "secret" => secret; required: "id", "secret" });

block!(Upstream { "mechanism" => mechanism, "only_target_group" => only_target_group });

impl Document {
    /// Checks what no key can check alone.
    pub(super) fn check(self) -> Result<Parsed, ConfigError> {
        let mut warnings = Vec::new();
        let key_ring = self.keys.map(key_ring).transpose()?;
        let cookie = self.cookie.resolve(&["cookie"], &CookieOptions::default(), &mut warnings)?;
        let mut policies = |list, by_name| check_all(list, by_name, &cookie, &mut warnings);
        let nothing_is_said = self.target_groups.is_empty();
        let target_groups = policies("target_groups", self.target_groups)?;
        let policies = self.policies.map(|by_name| policies("policies", by_name)).transpose()?;
        let every_other_target_group = if nothing_is_said {
            Some(Policy { stickiness: Stickiness::default(), cookie: cookie.clone() }.into())
        } else {
            target_groups.get(EVERY_OTHER).cloned().flatten()
        };
        let only_target_group = self.upstream.check(&self.rules)?;
        let mechanism = self.upstream.mechanism;
        let rules = Vec::new();
        let mut config =
            Config { target_groups, every_other_target_group, policies, rules, mechanism, only_target_group };
        for (index, rule) in self.rules.into_iter().enumerate() {
            let rule = rule.check(index, &config, &cookie, &mut warnings)?;
            config.rules.push(rule);
        }
        name_clashes::check(&config)?;
        Ok(Parsed { config, key_ring, warnings })
    }
}

fn check_all(
    list: &str,
    by_name: TargetGroups,
    cookie: &CookieOptions,
    warnings: &mut Vec<String>,
) -> Result<Policies, ConfigError> {
    // One by one: to collect them would bring a sort along.
    let mut policies = Policies::new();
    for (name, target_group) in by_name {
        if name.is_empty() || (list == "policies" && name == EVERY_OTHER) {
            return Err(ConfigError::new(format!("{name:?} is not a name")).under(list));
        }
        let policy = target_group.check([list, &name], cookie, warnings)?;
        policies.insert(name, policy);
    }
    Ok(policies)
}

fn key_ring(keys: Vec<Key>) -> Result<KeyRing, ConfigError> {
    let keys = keys
        .into_iter()
        .enumerate()
        .map(|(index, key)| {
            let parsed = keys::parse_secret(&key.secret)
                .map_err(|error| ConfigError::new(error.to_string()).at(&["keys", &format!("[{index}]"), "secret"]))?;
            Ok((key.id, parsed))
        })
        .collect::<Result<_, ConfigError>>()?;
    keys::ring(keys).map_err(|error| ConfigError::new(error.to_string()).at(&["keys"]))
}
