//! Counts how often Envoy and the filter call each other for a request.

use std::collections::BTreeMap;

use anyhow::Result;
use wasm_host::{Crossing, Scenario, crossings_of};

use crate::fixture::Fixture;

/// The calls in both directions for one kind of request.
pub(crate) struct Counted {
    pub(crate) scenario: Scenario,
    /// The host functions that the filter calls, each with its count.
    pub(crate) calls: Vec<(String, usize)>,
    /// The functions of the filter that Envoy calls, each with its count.
    pub(crate) callbacks: Vec<(String, usize)>,
}

impl Counted {
    /// The number of host calls.
    pub(crate) fn calls(&self) -> usize {
        self.calls.iter().map(|(_, count)| count).sum()
    }

    /// True if the filter sealed a cookie, which needs a random nonce.
    pub(crate) fn seals(&self) -> bool {
        self.calls.iter().any(|(name, _)| name == "random_get")
    }
}

/// Counts the calls of each scenario.
pub(crate) fn count(fixture: &Fixture, scenarios: &[Scenario]) -> Result<Vec<Counted>> {
    let module = fixture.module()?;
    scenarios
        .iter()
        .map(|&scenario| {
            let crossings = crossings_of(&module, scenario)?;
            let (callbacks, calls) = crossings.into_iter().partition(|one| matches!(one, Crossing::Callback(_)));
            Ok(Counted { scenario, calls: grouped(calls), callbacks: grouped(callbacks) })
        })
        .collect()
}

/// Counts equal calls, in the order of their first appearance.
fn grouped(crossings: Vec<Crossing>) -> Vec<(String, usize)> {
    let mut order = Vec::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for crossing in crossings {
        let name = crossing.to_string();
        let name = name.strip_prefix("proxy_").unwrap_or(&name).to_owned();
        if !counts.contains_key(&name) {
            order.push(name.clone());
        }
        *counts.entry(name).or_default() += 1;
    }
    order.into_iter().map(|name| (name.clone(), counts.get(&name).copied().unwrap_or_default())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_call_is_listed_once() {
        let call = |function: &str, of: &str| Crossing::Call { function: function.into(), of: of.into() };
        let calls = [call("proxy_get_property", "b"), call("random_get", ""), call("proxy_get_property", "b")];
        assert_eq!(grouped(calls.into()), [("get_property b".to_owned(), 2), ("random_get".to_owned(), 1)]);
    }
}
