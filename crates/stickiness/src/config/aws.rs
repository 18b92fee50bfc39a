//! Spells out what AWS's own tools print, pasted as it is: a target group's attributes and a rule's forward action.
//!
//! Both become the keys of [`document`](super::document) that they mean, so that what is checked of those keys is written
//! once. They are turned back into a [`Tree`] and read a second time for that reason. An error about a value that only AWS
//! writes is told here, at its place in what was pasted; every other one is told of the key.

use std::collections::BTreeSet;

use super::document::{BY_NAME, RULES};
use super::error::{ConfigError, quote};
use super::reader::{Read, Reader, block, read};
use super::rule::check_target_groups;
use super::tree::Tree;
use super::values;

/// The attributes that are read: those of an Application Load Balancer (AWS, "Target groups for your Application Load
/// Balancers", section "Target group attributes"), and the classic ones, which are our own.
const STICKINESS: &[&str] = &[
    "stickiness.enabled",
    "stickiness.type",
    "stickiness.lb_cookie.duration_seconds",
    "stickiness.app_cookie.cookie_name",
    "stickiness.app_cookie.duration_seconds",
    "stickiness.classic_lb_cookie.cookie_expiration_period",
    "stickiness.classic_app_cookie.cookie_name",
];

/// The starts of AWS's other attributes, of every type of load balancer. They have nothing to do with stickiness.
const PASSED_OVER: &[&str] = &[
    "deregistration_delay.",
    "lambda.",
    "load_balancing.",
    "preserve_client_ip.",
    "proxy_protocol_v2.",
    "slow_start.",
    "target_failover.",
    "target_group_health.",
    "target_health_state.",
];

/// The keys that `aws elbv2 describe-rules` prints around the actions of a rule.
const OF_A_WHOLE_RULE: &[&str] = &["RuleArn", "Priority", "Conditions", "Actions", "IsDefault"];

type Entries = Vec<(String, Tree)>;

/// The output of `aws elbv2 describe-target-group-attributes` (AWS, "Elastic Load Balancing API Reference",
/// `DescribeTargetGroupAttributes`).
#[derive(Default)]
struct Description {
    attributes: Vec<Attribute>,
}

/// One attribute (`TargetGroupAttribute` there).
#[derive(Default)]
struct Attribute {
    key: String,
    value: Tree,
}

/// A forward action (`Action` there). It may be whole, only its `ForwardConfig`, or only the content of that.
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

block!(Description { "Attributes" => attributes; required: "Attributes" });

block!(Attribute { "Key" => key, "Value" => value; required: "Key", "Value" });

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

/// Spells out everything that was pasted into the document.
///
/// Dotted keys are not nested yet: a target group stands under `target_groups` or under a key like `target_groups.web`.
///
/// # Errors
///
/// An error in a value that only AWS writes, at its place in what was pasted.
pub(super) fn spell_out(mut document: Tree) -> Result<Tree, ConfigError> {
    let Tree::Object(entries) = &mut document else { return Ok(document) };
    for (key, value) in entries {
        let (list, name) = key.split_once('.').map_or((key.as_str(), None), |(list, name)| (list, Some(name)));
        let spelled_out = match (name, value) {
            (Some(name), block) if BY_NAME.contains(&list) => {
                spell_out_attributes(block).map_err(|error| error.under(name))
            }
            (None, Tree::Object(blocks)) if BY_NAME.contains(&list) => blocks
                .iter_mut()
                .try_for_each(|(name, block)| spell_out_attributes(block).map_err(|error| error.under(name.as_str()))),
            (None, Tree::List(rules)) if list == RULES => rules
                .iter_mut()
                .enumerate()
                .try_for_each(|(index, rule)| spell_out_action(rule).map_err(|error| error.under(index))),
            _ => Ok(()),
        };
        spelled_out.map_err(|error| error.under(list))?;
    }
    Ok(document)
}

/// Replaces pasted attributes of a target group by dotted keys.
fn spell_out_attributes(target_group: &mut Tree) -> Result<(), ConfigError> {
    let Tree::Object(entries) = target_group else { return Ok(()) };
    let pasted: Entries = entries.extract_if(.., |(key, _)| key == "Attributes").collect();
    if pasted.is_empty() {
        return Ok(());
    }
    let Description { attributes } = read(&Tree::Object(pasted))?;
    let mut keys = BTreeSet::new();
    for (index, Attribute { key, value }) in attributes.into_iter().enumerate() {
        let is_first = keys.insert(key.clone());
        check_attribute(&key, &value, is_first).map_err(|error| error.under(index).under("Attributes"))?;
        if STICKINESS.contains(&key.as_str()) {
            entries.push((key, value));
        }
    }
    Ok(())
}

fn check_attribute(key: &str, value: &Tree, is_first: bool) -> Result<(), ConfigError> {
    if !is_first {
        return Err(ConfigError::new(format!("{key:?} is given twice")).under("Key"));
    }
    if !STICKINESS.contains(&key) && !PASSED_OVER.iter().any(|start| key.starts_with(start)) {
        return Err(ConfigError::unknown_word(key, STICKINESS).under("Key"));
    }
    // AWS prints strings. CloudFormation templates have true and 60 without quotes.
    match value {
        Tree::Text(_) | Tree::Bool(_) | Tree::Number(_) => Ok(()),
        other => read(other).map(|_: String| ()).map_err(|error| error.under("Value")),
    }
}

/// Replaces a pasted action of a rule by our keys for target groups and their stickiness.
fn spell_out_action(rule: &mut Tree) -> Result<(), ConfigError> {
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
            let problem = "stands beside what belongs into it: TargetGroups, TargetGroupStickinessConfig";
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
