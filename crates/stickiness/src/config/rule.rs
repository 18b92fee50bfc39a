//! Reads a rule: a forward to several target groups.
//!
//! The words are those of the forward action (AWS, "Elastic Load Balancing API Reference", `ForwardActionConfig` and
//! `TargetGroupStickinessConfig`), in the spelling of the other attributes. `on_empty_group` and `probe_path` are our
//! own.

use std::time::Duration;

use super::context::Context;
use super::cookie::CookieBlock;
use super::error::{ConfigError, quote};
use super::reader::block;
use super::resolved::{EVERY_OTHER, TargetGroups};
use super::values::{self, EmptyGroupWord};
use crate::policy::{OnEmptyGroup, Rule};

/// "Target groups per action", which is not adjustable (AWS, "Quotas for your Application Load Balancers").
const MAX_TARGET_GROUPS: usize = 5;

/// The path of a probe where the rule gives none.
const DEFAULT_PROBE_PATH: &str = "/";

/// A rule as it is written: `rules[0]`.
#[derive(Default)]
pub(super) struct RuleBlock {
    target_groups: Vec<String>,
    target_group_stickiness: Option<GroupStickinessBlock>,
    on_empty_group: EmptyGroupWord,
    probe_path: Option<String>,
    cookie: CookieBlock,
}

/// The stickiness of target groups: `target_group_stickiness`.
#[derive(Default)]
struct GroupStickinessBlock {
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

block!(GroupStickinessBlock {
    "enabled" => enabled,
    "duration_seconds" => duration_seconds by values::duration_seconds
});

impl RuleBlock {
    /// The rule, whose target groups are as sticky as `policies` says.
    pub(super) fn resolve(self, policies: &TargetGroups, context: &mut Context<'_>) -> Result<Rule, ConfigError> {
        let Self { target_groups, target_group_stickiness, on_empty_group, probe_path, cookie } = self;
        check_target_groups(&target_groups).map_err(|error| error.under("target_groups").at(context.place))?;
        let stickiness = match target_group_stickiness {
            Some(block) => block.resolve(),
            None => Ok(None),
        };
        let stickiness = stickiness
            .and_then(|stickiness| check_stickiness(stickiness, &target_groups, policies).map(|()| stickiness))
            .map_err(|error| error.under("target_group_stickiness").at(context.place))?;
        let cookie = cookie.resolve(&mut context.below("cookie"))?;
        if stickiness.is_some()
            && let Some((index, name)) = unnamed(&target_groups, policies)
        {
            let why = format!(
                "{} is not one of target_groups, so its targets are not sticky, but those of others are; name it there, with \
                 stickiness.enabled false if that is meant",
                quote(name)
            );
            context.below("target_groups").below(index).warn_here(&why);
        }
        let can_repick = stickiness.is_some() && target_groups.len() > 1;
        let on_empty_group =
            resolve_on_empty_group(on_empty_group, probe_path, can_repick).map_err(|error| error.at(context.place))?;
        Ok(Rule::new(target_groups, stickiness, on_empty_group, cookie))
    }
}

impl GroupStickinessBlock {
    /// A rule that gives the block wants stickiness unless it says no, as a target group does.
    fn resolve(self) -> Result<Option<Duration>, ConfigError> {
        match (self.enabled.unwrap_or(true), self.duration_seconds) {
            (false, _) => Ok(None),
            (true, Some(seconds)) => Ok(Some(Duration::from_secs(seconds.into()))),
            (true, None) => Err(values::duration_is_required().under("duration_seconds")),
        }
    }
}

/// Checks the number of target groups and their names.
pub(super) fn check_target_groups(names: &[String]) -> Result<(), ConfigError> {
    let count = names.len();
    if count == 0 || count > MAX_TARGET_GROUPS {
        return Err(ConfigError::new(format!("{count} target groups are not between 1 and {MAX_TARGET_GROUPS}")));
    }
    for (index, name) in names.iter().enumerate() {
        let problem = if name.is_empty() || name == EVERY_OTHER {
            "is not the name of a target group"
        } else if names.iter().take(index).any(|earlier| earlier == name) {
            "is given twice"
        } else {
            continue;
        };
        return Err(ConfigError::new(format!("{name:?} {problem}")).under(index));
    }
    Ok(())
}

/// The first target group that is not named, if another one of the rule is sticky: its name may be misspelt.
fn unnamed<'a>(target_groups: &'a [String], policies: &TargetGroups) -> Option<(usize, &'a str)> {
    let is_mixed = target_groups.iter().any(|name| policies.policy(name).is_some());
    let is_unnamed = |name: &str| !policies.has_every_other && policies.named.get(name).is_none();
    target_groups.iter().map(String::as_str).enumerate().find(|(_, name)| is_mixed && is_unnamed(name))
}

/// Refuses weights between sticky target groups without group stickiness. The weights may send each request of a client
/// to another target group, and then no target can keep the client.
fn check_stickiness(
    stickiness: Option<Duration>,
    target_groups: &[String],
    policies: &TargetGroups,
) -> Result<(), ConfigError> {
    let is_weighted = target_groups.len() > 1;
    match target_groups.iter().find(|name| policies.policy(name).is_some()) {
        // Up to the colon, this is the text of AWS's API error InvalidLoadBalancerAction.
        Some(sticky) if is_weighted && stickiness.is_none() => Err(ConfigError::new(format!(
            "You must enable group stickiness on a rule if you enabled target stickiness on one of its target \
             groups: {sticky:?} is sticky; give the rule a target_group_stickiness with duration_seconds, or set \
             stickiness.enabled of its target groups to false"
        ))),
        _ => Ok(()),
    }
}

fn resolve_on_empty_group(
    word: EmptyGroupWord,
    probe_path: Option<String>,
    can_repick: bool,
) -> Result<OnEmptyGroup, ConfigError> {
    match (word, probe_path) {
        (EmptyGroupWord::Repick, _) if !can_repick => {
            let problem = "repick has no effect without target_group_stickiness and another target group to pick";
            Err(ConfigError::new(problem).under("on_empty_group"))
        }
        (EmptyGroupWord::Repick, probe_path) => {
            Ok(OnEmptyGroup::Repick { probe_path: probe_path.unwrap_or_else(|| DEFAULT_PROBE_PATH.to_owned()) })
        }
        (EmptyGroupWord::Fail, None) => Ok(OnEmptyGroup::Fail),
        (EmptyGroupWord::Fail, Some(_)) => {
            Err(ConfigError::new("has no effect without on_empty_group repick").under("probe_path"))
        }
    }
}
