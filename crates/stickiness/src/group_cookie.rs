//! Target-group stickiness: `AWSALBTG` and its twin, which keep a client in one target group of a rule.

use std::rc::Rc;
use std::time::Duration;

use crate::binding::Binding;
use crate::exchange::Request;
use crate::issuer::Issuer;
use crate::names::Pair;
use crate::outcome::Outcome;
use crate::policy::Rule;
use crate::renewal::in_time;
use crate::seal::Kind;
use crate::sealer::{DrawNonce, Sealer, first_good};

/// What a request to a target group of a rule brings.
#[derive(Debug, PartialEq, Eq)]
pub struct Held {
    /// The rule, which keeps clients in their target group.
    pub rule: Rc<Rule>,
    /// The target group that the client is bound to.
    pub pin: Result<Binding, Outcome>,
}

/// What a request brings for the rule it is under; `None` when no rule keeps its clients.
///
/// A target group may be in several rules. The request is under the first that also has the group its cookie names.
#[must_use]
pub fn read(sealer: &Sealer, rules: &[Rc<Rule>], request: &Request<'_>) -> Option<Held> {
    let mut nearest: Option<Held> = None;
    for rule in rules.iter().filter(|rule| has(rule, request.target_group)) {
        let Some(duration) = rule.stickiness else { continue };
        let pin = read_rule(sealer, rule, duration, request);
        let is_better = nearest.as_ref().is_none_or(|held| held.pin.is_err() && pin.is_ok());
        if is_better {
            nearest = Some(Held { rule: Rc::clone(rule), pin });
        }
    }
    nearest
}

fn read_rule(sealer: &Sealer, rule: &Rule, duration: Duration, request: &Request<'_>) -> Result<Binding, Outcome> {
    let names = Pair::of_target_group(rule.cookie.name.as_deref());
    first_good(request.cookies.of_pair(&names), |value| {
        let binding = sealer.open_binding(Kind::TargetGroup, value)?;
        if !has(rule, &binding.target_group) {
            return Err(Outcome::WrongGroup);
        }
        in_time(binding, duration, request.now)
    })
}

/// The `Set-Cookie` lines for a client that holds this.
pub fn lines(issuer: &Issuer<'_>, held: &Held, draw_nonce: DrawNonce<'_>) -> Vec<String> {
    let next = Binding { target: String::new(), ..issuer.binding() };
    let Some(duration) = held.rule.stickiness.filter(|_| has(&held.rule, &next.target_group)) else {
        return Vec::new();
    };
    if !issuer.options.renew.is_due(held.pin.as_ref().ok(), &next, duration) {
        return Vec::new();
    }
    let names = Pair::of_target_group(issuer.options.name.as_deref());
    let value = issuer.sealer.seal_binding(Kind::TargetGroup, &next, duration, draw_nonce);
    value.map(|value| issuer.pair(&names, &value, duration)).unwrap_or_default()
}

fn has(rule: &Rule, target_group: &str) -> bool {
    rule.target_groups.iter().any(|name| name == target_group)
}
