//! A rule: a forward to several target groups, which AWS calls an action.

use std::rc::Rc;
use std::time::Duration;

use super::cookie::CookieBlock;
use super::reader::block;
use super::{Config, ConfigError, EVERY_OTHER, values};
use crate::policy::{CookieOptions, OnEmptyGroup, Rule};

/// AWS's quota "Target groups per action", which cannot be raised.
const MAX_TARGET_GROUPS: usize = 5;

/// "You must specify this value when enabling target group stickiness."
pub(super) const DURATION_REQUIRED: &str =
    "is required where target group stickiness is enabled: a whole number between 1 and 604800";

#[derive(Default)]
pub(super) struct RuleBlock {
    target_groups: Vec<String>,
    target_group_stickiness: Option<GroupStickiness>,
    on_empty_group: OnEmptyGroup,
    probe_path: Option<String>,
    cookie: CookieBlock,
}

#[derive(Default)]
struct GroupStickiness {
    enabled: Option<bool>,
    duration_seconds: Option<u32>,
}

block!(RuleBlock {
    "target_groups" => target_groups,
    "target_group_stickiness" => target_group_stickiness,
    "on_empty_group" => on_empty_group,
    "probe_path" => probe_path by values::path,
    "cookie" => cookie;
    required: "target_groups"
});

block!(GroupStickiness {
    "enabled" => enabled,
    "duration_seconds" => duration_seconds by values::duration_seconds
});

impl RuleBlock {
    /// The rule at `index`, whose target groups are as sticky as `config` says.
    pub(super) fn check(
        self,
        index: usize,
        config: &Config,
        inherited: &CookieOptions,
        warnings: &mut Vec<String>,
    ) -> Result<Rc<Rule>, ConfigError> {
        let index = format!("[{index}]");
        let place = ["rules", index.as_str()];
        check_names(&self.target_groups).map_err(|error| error.under("target_groups").at(&place))?;
        let stickiness = self
            .target_group_stickiness
            .map_or(Ok(None), GroupStickiness::check)
            .and_then(|stickiness| allow(stickiness, &self.target_groups, config))
            .map_err(|error| error.at(&place))?;
        let cookie = self.cookie.resolve(&["rules", &index, "cookie"], inherited, warnings)?;
        if matches!(self.on_empty_group, OnEmptyGroup::Repick { .. })
            && (stickiness.is_none() || self.target_groups.len() < 2)
        {
            let problem = ConfigError::new(
                "repick has no effect without target_group_stickiness and another target group to pick",
            );
            return Err(problem.under("on_empty_group").at(&place));
        }
        let on_empty_group = match (self.on_empty_group, self.probe_path) {
            (OnEmptyGroup::Repick { .. }, Some(probe_path)) => OnEmptyGroup::Repick { probe_path },
            (OnEmptyGroup::Fail, Some(_)) => {
                let problem = ConfigError::new("has no effect without on_empty_group repick");
                return Err(problem.under("probe_path").at(&place));
            }
            (on_empty_group, None) => on_empty_group,
        };
        let Self { target_groups, .. } = self;
        Ok(Rc::new(Rule { target_groups, stickiness, on_empty_group, cookie }))
    }
}

impl GroupStickiness {
    /// Whoever gives it wants it, as with a target group.
    fn check(self) -> Result<Option<Duration>, ConfigError> {
        match (self.enabled.unwrap_or(true), self.duration_seconds) {
            (false, _) => Ok(None),
            (true, Some(seconds)) => Ok(Some(Duration::from_secs(seconds.into()))),
            (true, None) => {
                Err(ConfigError::new(DURATION_REQUIRED).at(&["target_group_stickiness", "duration_seconds"]))
            }
        }
    }
}

pub(super) fn check_names(target_groups: &[String]) -> Result<(), ConfigError> {
    let count = target_groups.len();
    if count == 0 || count > MAX_TARGET_GROUPS {
        let problem = format!("{count} target groups are not between 1 and {MAX_TARGET_GROUPS}");
        return Err(ConfigError::new(problem));
    }
    for (index, name) in target_groups.iter().enumerate() {
        let problem = if name.is_empty() || name == EVERY_OTHER {
            "is not the name of a target group"
        } else if target_groups.iter().take(index).any(|earlier| earlier == name) {
            "is given twice"
        } else {
            continue;
        };
        return Err(ConfigError::new(format!("{name:?} {problem}")).under(&format!("[{index}]")));
    }
    Ok(())
}

/// A client that the weights send elsewhere with every request cannot be kept by a target.
fn allow(
    stickiness: Option<Duration>,
    target_groups: &[String],
    config: &Config,
) -> Result<Option<Duration>, ConfigError> {
    let is_weighted = target_groups.len() > 1;
    match target_groups.iter().find(|name| config.policy(name).is_some()) {
        Some(sticky) if is_weighted && stickiness.is_none() => {
            // AWS's words up to the colon.
            let problem = format!(
                "You must enable group stickiness on a rule if you enabled target stickiness on one of its target \
                 groups: {sticky:?} is sticky; give the rule a target_group_stickiness with duration_seconds, or set \
                 stickiness.enabled of its target groups to false"
            );
            Err(ConfigError::new(problem).under("target_group_stickiness"))
        }
        _ => Ok(stickiness),
    }
}
