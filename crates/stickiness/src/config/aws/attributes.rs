//! Spells out the attributes of a target group that `aws elbv2 describe-target-group-attributes` prints.

use crate::by_name::first_repeated;
use crate::config::error::ConfigError;
use crate::config::reader::{block, read};
use crate::config::tree::Tree;

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

/// The output of the command (AWS, "Elastic Load Balancing API Reference", `DescribeTargetGroupAttributes`).
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

block!(Description { "Attributes" => attributes; required: "Attributes" });

block!(Attribute { "Key" => key, "Value" => value; required: "Key", "Value" });

/// Replaces pasted attributes of a target group by dotted keys.
pub(super) fn spell_out(target_group: &mut Tree) -> Result<(), ConfigError> {
    let Tree::Object(entries) = target_group else { return Ok(()) };
    let pasted: Vec<_> = entries.extract_if(.., |(key, _)| key == "Attributes").collect();
    if pasted.is_empty() {
        return Ok(());
    }
    let Description { attributes } = read(&Tree::Object(pasted))?;
    let keys: Vec<&str> = attributes.iter().map(|attribute| attribute.key.as_str()).collect();
    let repeated = first_repeated(&keys);
    for (index, Attribute { key, value }) in attributes.into_iter().enumerate() {
        check(&key, &value, repeated != Some(index)).map_err(|error| error.under(index).under("Attributes"))?;
        if STICKINESS.contains(&key.as_str()) {
            entries.push((key, value));
        }
    }
    Ok(())
}

fn check(key: &str, value: &Tree, is_first: bool) -> Result<(), ConfigError> {
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
