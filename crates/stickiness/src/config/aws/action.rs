//! Spells out a forward action that `aws elbv2 describe-rules` prints.

use crate::config::error::{ConfigError, quote};
use crate::config::reader::{Read, Reader, block, read};
use crate::config::rule::check_target_groups;
use crate::config::tree::Tree;
use crate::config::values;

/// The keys that the command prints around the actions of a rule.
const OF_A_WHOLE_RULE: &[&str] = &["RuleArn", "Priority", "Conditions", "Actions", "IsDefault"];

type Entries = Vec<(String, Tree)>;

/// A forward action (AWS, "Elastic Load Balancing API Reference", `Action`). It may be whole, only its `ForwardConfig`, or
/// only the content of that.
#[derive(Default)]
struct Action {
    r#type: String,
    order: (),
    target_group_arn: Option<Name>,
    forward_config: Option<ForwardConfig>,
    target_groups: Option<Vec<TargetGroup>>,
    target_group_stickiness_config: Option<StickinessConfig>,
}

/// The target groups of a forward action and their stickiness (`ForwardActionConfig` there).
#[derive(Default)]
struct ForwardConfig {
    target_groups: Option<Vec<TargetGroup>>,
    target_group_stickiness_config: Option<StickinessConfig>,
}

/// A target group and its weight (`TargetGroupTuple` there).
#[derive(Default)]
struct TargetGroup {
    target_group_arn: Name,
    /// Checked and not kept: the weights of Envoy's route count.
    weight: (),
}

/// The stickiness of target groups (`TargetGroupStickinessConfig` there).
#[derive(Default)]
struct StickinessConfig {
    enabled: bool,
    duration_seconds: Option<u32>,
}

block!(Action {
    "Type" => r#type,
    "Order" => order by order,
    "TargetGroupArn" => target_group_arn,
    "ForwardConfig" => forward_config,
    "TargetGroups" => target_groups,
    "TargetGroupStickinessConfig" => target_group_stickiness_config
});

block!(ForwardConfig {
    "TargetGroups" => target_groups,
    "TargetGroupStickinessConfig" => target_group_stickiness_config
});

block!(TargetGroup {
    "TargetGroupArn" => target_group_arn,
    "Weight" => weight by weight;
    required: "TargetGroupArn"
});

block!(StickinessConfig {
    "Enabled" => enabled,
    "DurationSeconds" => duration_seconds by values::duration_seconds
});

/// The name of a target group, which AWS writes as its ARN.
#[derive(Default)]
struct Name(String);

impl Read for Name {
    fn read(value: Reader<'_>) -> Result<Self, ConfigError> {
        let text = value.text()?;
        let name = if text.starts_with("arn:") { name_in(text) } else { Some(text) };
        name.map(|name| Self(name.to_owned())).ok_or_else(|| {
            value.is_not(
                "the ARN of a target group: \
                 arn:<partition>:elasticloadbalancing:<region>:<account>:targetgroup/<name>/<id>",
            )
        })
    }
}

/// The name in `arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/web/73e2d6bc24d8a067`.
fn name_in(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (service, resource) = (parts.next()?, parts.nth(2)?);
    let mut resource = resource.split('/');
    let (kind, name, id) = (resource.next()?, resource.next()?, resource.next()?);
    let is_target_group = service == "elasticloadbalancing" && kind == "targetgroup" && resource.next().is_none();
    (is_target_group && !name.is_empty() && !id.is_empty()).then_some(name)
}

/// An `Order`, checked and not kept: a rule has one forward action.
fn order(value: Reader<'_>) -> Result<(), ConfigError> {
    value.whole_number(1..=50_000).map(|_| ())
}

/// A `Weight`, checked and not kept.
fn weight(value: Reader<'_>) -> Result<(), ConfigError> {
    value.whole_number(0..=999).map(|_| ())
}

/// Replaces a pasted action of a rule by our keys for target groups and their stickiness.
pub(super) fn spell_out(rule: &mut Tree) -> Result<(), ConfigError> {
    let Tree::Object(entries) = rule else { return Ok(()) };
    // AWS's keys start with a capital letter, ours never do.
    let is_aws = |key: &str| key.starts_with(|first: char| first.is_ascii_uppercase());
    let pasted: Entries = entries.extract_if(.., |(key, _)| is_aws(key)).collect();
    if pasted.is_empty() {
        return Ok(());
    }
    if let Some((key, _)) = pasted.iter().find(|(key, _)| OF_A_WHOLE_RULE.contains(&key.as_str())) {
        return Err(ConfigError::new("belongs to a whole rule; paste one of its Actions").under(key.as_str()));
    }
    // Checked first, because an action of another type has other keys.
    if let Some((_, Tree::Text(r#type))) = pasted.iter().find(|(key, _)| key == "Type")
        && r#type != "forward"
    {
        let allowed = "\"forward\": only forward has target groups";
        return Err(ConfigError::is_not(&quote(r#type), allowed).under("Type"));
    }
    let action: Action = read(&Tree::Object(pasted))?;
    action.spell_out(entries)
}

impl Action {
    /// Adds the keys that this action means to those of the rule.
    fn spell_out(self, entries: &mut Entries) -> Result<(), ConfigError> {
        let inner = ForwardConfig {
            target_groups: self.target_groups,
            target_group_stickiness_config: self.target_group_stickiness_config,
        };
        let is_whole = self.forward_config.is_some();
        if is_whole && (inner.target_groups.is_some() || inner.target_group_stickiness_config.is_some()) {
            let problem = "is given beside keys that belong inside it: TargetGroups, TargetGroupStickinessConfig";
            return Err(ConfigError::new(problem).under("ForwardConfig"));
        }
        let config = self.forward_config.unwrap_or(inner);
        let place = |error: ConfigError| if is_whole { error.under("ForwardConfig") } else { error };
        let mut names: Vec<String> =
            config.target_groups.unwrap_or_default().into_iter().map(|group| group.target_group_arn.0).collect();
        match self.target_group_arn {
            // AWS prints a single target group here too.
            Some(Name(name)) if names.is_empty() => names.push(name),
            Some(Name(name)) if !names.contains(&name) => {
                let problem = "is not one of the target groups of the forward";
                return Err(ConfigError::new(problem).under("TargetGroupArn"));
            }
            _ => {}
        }
        check_target_groups(&names).map_err(|error| place(error.under("TargetGroups")))?;
        entries.push(("target_groups".to_owned(), Tree::List(names.into_iter().map(Tree::Text).collect())));
        if let Some(stickiness) = config.target_group_stickiness_config {
            let stickiness =
                stickiness.spell_out().map_err(|error| place(error.under("TargetGroupStickinessConfig")))?;
            entries.push(("target_group_stickiness".to_owned(), stickiness));
        }
        Ok(())
    }
}

impl StickinessConfig {
    /// The value of our key `target_group_stickiness`.
    fn spell_out(self) -> Result<Tree, ConfigError> {
        let mut entries = vec![("enabled".to_owned(), Tree::Bool(self.enabled))];
        match self.duration_seconds {
            Some(seconds) => entries.push(("duration_seconds".to_owned(), Tree::Number(seconds.into()))),
            None if self.enabled => return Err(values::duration_is_required().under("DurationSeconds")),
            None => {}
        }
        Ok(Tree::Object(entries))
    }
}
