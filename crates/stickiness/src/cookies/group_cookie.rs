//! Target-group stickiness: `AWSALBTG` and its twin, which keep a client in one target group of a rule.

use std::rc::Rc;

use crate::by_name::{ByName, in_order};
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

/// The rules with stickiness of each target group.
///
/// A configuration may have many rules. Those of one target group are found without a look at the others.
#[derive(Debug, Default)]
pub(crate) struct StickyRules(ByName<Vec<OneName>>);

/// The rules of one target group whose cookies have one name, in the order of the configuration. Each value is opened once for all of
/// them.
type OneName = Vec<Rc<Rule>>;

impl StickyRules {
    /// Those of these rules that have stickiness.
    pub(crate) fn new(rules: &[Rc<Rule>]) -> Self {
        let sticky = rules.iter().filter(|rule| rule.stickiness.is_some());
        let (groups, rules): (Vec<&str>, Vec<&Rc<Rule>>) =
            sticky.flat_map(|rule| rule.target_groups.iter().map(move |group| (group.as_str(), rule))).unzip();
        let mut by_group: ByName<Vec<OneName>> = ByName::default();
        for place in in_order(&groups) {
            let (Some(group), Some(rule)) = (groups.get(place), rules.get(place)) else { continue };
            let Some(of_group) = by_group.last_or_default(group) else { continue };
            let mut of_names = of_group.iter_mut();
            match of_names.find(|others| others.first().is_some_and(|other| other.names == rule.names)) {
                Some(of_one_name) => of_one_name.push(Rc::clone(rule)),
                None => of_group.push(vec![Rc::clone(rule)]),
            }
        }
        Self(by_group)
    }

    /// The rules of this target group.
    pub(crate) fn of(&self, target_group: &str) -> &[OneName] {
        self.0.get(target_group).map_or(&[], Vec::as_slice)
    }
}

/// Reads the target-group cookie of a request; `None` when it is under no rule.
///
/// Several rules may have the target group. The request is under the first of them that also has the target group in the cookie,
/// otherwise under the first. Of several cookies of one name the newest counts.
pub(crate) fn read(reading: Reading<'_>, rules: &[OneName]) -> Option<ReadGroupCookie> {
    let first = rules.first()?.first()?;
    let judged = rules.iter().filter_map(|rules| {
        let names = &rules.first()?.names;
        let judged = reading.judge_values(names, |value| {
            let binding = reading.sealer.open_binding(CookieKind::TargetGroup, value)?;
            first_good(rules.iter().map(|rule| Ok((rule, judge(binding.clone(), rule, reading)?))))
        });
        Some(newest_good(judged, |(_, binding)| binding.issued_at))
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
