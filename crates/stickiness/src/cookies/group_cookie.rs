//! Target-group stickiness: `AWSALBTG` and its twin, which keep a client in one target group of a rule.

use std::rc::Rc;

use crate::cookies::issuer::Issuer;
use crate::cookies::line_cache::Texts;
use crate::cookies::names::Pair;
use crate::cookies::renewal::in_time;
use crate::exchange::Request;
use crate::outcome::Outcome;
use crate::policy::Rule;
use crate::trust::binding::Binding;
use crate::trust::key_ring::CookieKind;
use crate::trust::sealer::{DrawNonce, Sealer};

/// What a request to a target group of a rule brings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// The rule, which keeps clients in their target group.
    pub(crate) rule: Rc<Rule>,
    /// The target group that the client is bound to.
    pub(crate) pin: Result<Binding, Outcome>,
}

/// What a request brings for the rule it is under; `None` when no rule keeps its clients.
///
/// A target group may be in several rules. The request is under the first that also has the group its cookie names.
pub(crate) fn read(sealer: &Sealer, rules: &[Rc<Rule>], request: &Request<'_>) -> Option<Held> {
    let keeps_clients = |rule: &&Rc<Rule>| rule.stickiness.is_some() && has(rule, request.target_group);
    let rules: Vec<&Rc<Rule>> = rules.iter().filter(keeps_clients).collect();
    let first = rules.first()?;
    let mut nearest = Outcome::NoCookie;
    for (position, rule) in rules.iter().enumerate() {
        let has_its_names = |other: &&&Rc<Rule>| other.cookie.name == rule.cookie.name;
        // Rules may be many and mostly share their cookies' names: each value is opened once.
        if rules.iter().take(position).any(|earlier| has_its_names(&earlier)) {
            continue;
        }
        for value in request.cookies.of_pair(&Pair::of_target_group(rule.cookie.name.as_deref())) {
            let binding = sealer.open_binding(CookieKind::TargetGroup, &value);
            for rule in rules.iter().filter(has_its_names) {
                match binding.as_ref().map_err(|miss| *miss).and_then(|binding| fit(binding, rule, request)) {
                    Ok(pin) => return Some(Held { rule: Rc::clone(rule), pin: Ok(pin.clone()) }),
                    Err(miss) => nearest = nearest.max(miss),
                }
            }
        }
    }
    Some(Held { rule: Rc::clone(first), pin: Err(nearest) })
}

fn fit<'a>(binding: &'a Binding, rule: &Rule, request: &Request<'_>) -> Result<&'a Binding, Outcome> {
    if !has(rule, &binding.target_group) {
        return Err(Outcome::WrongGroup);
    }
    in_time(binding, rule.stickiness.unwrap_or_default(), request.now)
}

/// The `Set-Cookie` lines for a client that holds this, if it is given any.
pub(crate) fn lines(issuer: &Issuer<'_>, held: &Held, draw_nonce: DrawNonce<'_>) -> Option<Texts> {
    let next = Binding { target: "".into(), ..issuer.binding(None) };
    let duration = held.rule.stickiness.filter(|_| has(&held.rule, &next.target_group))?;
    if !issuer.options.renew.is_due(held.pin.as_ref().ok(), &next, duration) {
        return None;
    }
    let names = || Pair::of_target_group(issuer.options.name.as_deref());
    issuer.pair(CookieKind::TargetGroup, names, &next, duration, draw_nonce)
}

fn has(rule: &Rule, target_group: &str) -> bool {
    rule.target_groups.iter().any(|name| name == target_group)
}
