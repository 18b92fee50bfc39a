//! What AWS's own tools print, pasted as it is: a target group's attributes and a rule's forward action.
//!
//! Both are spelled out in the keys that they mean. What is wrong with a value that only AWS writes is said here, where
//! it stands in what was pasted; the rest is said of the attribute.

use super::error::{ConfigError, quote};
use super::reader::{Read, Reader, block, read};
use super::rule::check_target_groups;
use super::tree::Tree;
use super::values;

/// The attributes that are ours. AWS has no target groups with the classic ones.
const STICKINESS: &[&str] = &[
    "stickiness.enabled",
    "stickiness.type",
    "stickiness.lb_cookie.duration_seconds",
    "stickiness.app_cookie.cookie_name",
    "stickiness.app_cookie.duration_seconds",
    "stickiness.classic_lb_cookie.cookie_expiration_period",
    "stickiness.classic_app_cookie.cookie_name",
];

/// How AWS's other attributes start. They have nothing to do with stickiness, and are passed over.
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

/// What `aws elbv2 describe-rules` prints around the actions of a rule.
const OF_A_WHOLE_RULE: &[&str] = &["RuleArn", "Priority", "Conditions", "Actions", "IsDefault"];

type Entries = Vec<(String, Tree)>;

/// What `aws elbv2 describe-target-group-attributes` prints.
#[derive(Default)]
struct Description {
    attributes: Vec<Attribute>,
}

#[derive(Default)]
struct Attribute {
    key: String,
    value: Tree,
}

/// A forward action, whole or only its `ForwardConfig` or what is in that.
#[derive(Default)]
struct Action {
    r#type: String,
    order: (),
    target_group_arn: Option<Name>,
    forward_config: Option<ForwardConfig>,
    target_groups: Option<Vec<TargetGroup>>,
    target_group_stickiness_config: Option<StickinessConfig>,
}

#[derive(Default)]
struct ForwardConfig {
    target_groups: Option<Vec<TargetGroup>>,
    target_group_stickiness_config: Option<StickinessConfig>,
}

#[derive(Default)]
struct TargetGroup {
    target_group_arn: Name,
    // The weights that count stand in Envoy's route.
    weight: (),
}

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

fn name_in(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':').skip(2);
    let (service, resource) = (parts.next()?, parts.nth(2)?);
    let mut resource = resource.split('/');
    let (kind, name, id) = (resource.next()?, resource.next()?, resource.next()?);
    let is_target_group = service == "elasticloadbalancing" && kind == "targetgroup" && resource.next().is_none();
    (is_target_group && !name.is_empty() && !id.is_empty()).then_some(name)
}

fn order(value: Reader<'_>) -> Result<(), ConfigError> {
    value.whole_number(1..=50_000).map(|_| ())
}

fn weight(value: Reader<'_>) -> Result<(), ConfigError> {
    value.whole_number(0..=999).map(|_| ())
}

/// A target group in which pasted attributes are dotted keys.
pub(super) fn spell_out_attributes(target_group: Tree) -> Result<Tree, ConfigError> {
    let Tree::Object(entries) = target_group else {
        return Ok(target_group);
    };
    let (pasted, mut entries): (Entries, Entries) = entries.into_iter().partition(|(key, _)| key == "Attributes");
    if pasted.is_empty() {
        return Ok(Tree::Object(entries));
    }
    let Description { attributes } = read(&Tree::Object(pasted))?;
    let mut seen: Vec<String> = Vec::with_capacity(attributes.len());
    for (Attribute { key, value }, index) in attributes.into_iter().zip(0_usize..) {
        check(&key, &value, &seen).map_err(|error| error.under(index).under("Attributes"))?;
        if STICKINESS.contains(&key.as_str()) {
            entries.push((key.clone(), value));
        }
        seen.push(key);
    }
    Ok(Tree::Object(entries))
}

fn check(key: &str, value: &Tree, seen: &[String]) -> Result<(), ConfigError> {
    if seen.iter().any(|earlier| earlier == key) {
        return Err(ConfigError::new(format!("{key:?} is given twice")).under("Key"));
    }
    if !STICKINESS.contains(&key) && !PASSED_OVER.iter().any(|start| key.starts_with(start)) {
        return Err(ConfigError::unknown_word(key, STICKINESS).under("Key"));
    }
    // AWS prints strings. CloudFormation takes what YAML makes of true and 60.
    match value {
        Tree::Text(_) | Tree::Bool(_) | Tree::Number(_) => Ok(()),
        other => read(other).map(|_: String| ()).map_err(|error| error.under("Value")),
    }
}

/// A rule in which a pasted action is a list of target groups and their stickiness.
pub(super) fn spell_out_action(rule: Tree) -> Result<Tree, ConfigError> {
    let Tree::Object(entries) = rule else {
        return Ok(rule);
    };
    // AWS's keys start with a capital letter, ours never do.
    let (pasted, mut entries): (Entries, Entries) =
        entries.into_iter().partition(|(key, _)| key.starts_with(|first: char| first.is_ascii_uppercase()));
    if pasted.is_empty() {
        return Ok(Tree::Object(entries));
    }
    if let Some((key, _)) = pasted.iter().find(|(key, _)| OF_A_WHOLE_RULE.contains(&key.as_str())) {
        return Err(ConfigError::new("belongs to a whole rule; paste one of its Actions").under(key.as_str()));
    }
    // First, because the other types have other keys.
    if let Some((_, Tree::Text(r#type))) = pasted.iter().find(|(key, _)| key == "Type")
        && r#type != "forward"
    {
        let allowed = "\"forward\": only forward has target groups";
        return Err(ConfigError::is_not(&quote(r#type), allowed).under("Type"));
    }
    let action: Action = read(&Tree::Object(pasted))?;
    action.spell_out(&mut entries)?;
    Ok(Tree::Object(entries))
}

impl Action {
    /// Adds our keys to those of the rule.
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
