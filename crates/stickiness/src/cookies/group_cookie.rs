//! Target-group stickiness: `AWSALBTG` and its twin, which keep a client in one target group of a rule.

use std::rc::Rc;

use crate::cookies::issuer::Issuer;
use crate::cookies::line_cache::Lines;
use crate::cookies::reading::{Reading, first_good, newest_good};
use crate::cookies::renewal::in_time;
use crate::outcome::Outcome;
use crate::policy::Rule;
use crate::trust::binding::Binding;
use crate::trust::key_ring::{CookieKind, DrawNonce};

/// The target-group cookie that a request under a rule brings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ReadGroupCookie {
    /// The rule that the request is under.
    pub(crate) rule: Rc<Rule>,
    /// The binding to a target group of the rule, or the nearest miss.
    pub(crate) pin: Result<Binding, Outcome>,
}

/// Reads the target-group cookie of a request; `None` when no rule with stickiness has the target group.
///
/// Several rules may have it. The request is under the first of them that also has the target group in the cookie, otherwise
/// under the first.
pub(crate) fn read(reading: Reading<'_>, rules: &[Rc<Rule>]) -> Option<ReadGroupCookie> {
    let is_sticky = |rule: &&Rc<Rule>| rule.stickiness.is_some() && has(rule, reading.target_group);
    let rules: Vec<&Rc<Rule>> = rules.iter().filter(is_sticky).collect();
    let first = *rules.first()?;
    let rules = &rules;
    let comes_after_its_names = |(position, rule): &(usize, &&Rc<Rule>)| {
        rules.iter().take(*position).any(|earlier| earlier.names == rule.names)
    };
    // There may be many rules, and most have the same cookie names. Each value is opened once for all rules with its name.
    let first_of_each_name = rules.iter().enumerate().filter(|rule| !comes_after_its_names(rule));
    let judged = first_of_each_name.map(|(_, named)| {
        let values = named.names.values(&reading.request.cookies);
        let opened = values.map(|value| reading.sealer.open_binding(CookieKind::TargetGroup, &value));
        let judged = opened.flat_map(move |binding| {
            let rules = rules.iter().copied().filter(|rule| rule.names == named.names);
            rules.map(move |rule| Ok((rule, judge(binding.clone()?, rule, reading)?)))
        });
        newest_good(judged, |(_, binding)| binding.issued_at)
    });
    let (rule, pin) = match first_good(judged) {
        Ok((rule, pin)) => (rule, Ok(pin)),
        Err(miss) => (first, Err(miss)),
    };
    Some(ReadGroupCookie { rule: Rc::clone(rule), pin })
}

fn judge(binding: Binding, rule: &Rule, reading: Reading<'_>) -> Result<Binding, Outcome> {
    if !has(rule, &binding.target_group) || binding.scope != *reading.scope {
        return Err(Outcome::WrongGroup);
    }
    in_time(binding, rule.stickiness.unwrap_or_default(), reading.request.now)
}

/// The `Set-Cookie` lines for a client that holds this cookie; `None` when it is given none.
pub(crate) fn lines(issuer: &Issuer<'_>, held: &ReadGroupCookie, draw_nonce: DrawNonce<'_>) -> Option<Lines> {
    let ReadGroupCookie { rule, pin } = held;
    let next = Binding { target: "".into(), ..issuer.binding(None) };
    let duration = rule.stickiness.filter(|_| has(rule, &next.target_group))?;
    if !issuer.options.renew.is_due(pin.as_ref().ok(), &next, duration) {
        return None;
    }
    issuer.pair(CookieKind::TargetGroup, &rule.names, &next, duration, draw_nonce)
}

fn has(rule: &Rule, target_group: &str) -> bool {
    rule.target_groups.iter().any(|name| name == target_group)
}
