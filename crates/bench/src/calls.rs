//! How often do Envoy and the filter call each other for a request?

use std::collections::BTreeMap;

use anyhow::Result;
use wasm_host::{Crossing, Scenario, crossings_of};

use crate::ground::Ground;
use crate::table::Table;

/// What passes between the two for one kind of request.
pub(crate) struct Counted {
    pub(crate) scenario: Scenario,
    /// Functions of Envoy that the filter calls, each with how often.
    pub(crate) calls: Vec<(String, usize)>,
    /// Functions of the filter that Envoy calls.
    pub(crate) callbacks: Vec<(String, usize)>,
}

impl Counted {
    /// How many calls of Envoy there are.
    pub(crate) fn calls(&self) -> usize {
        self.calls.iter().map(|(_, count)| count).sum()
    }

    /// Whether a cookie was sealed, for which a nonce is drawn.
    pub(crate) fn seals(&self) -> bool {
        self.calls.iter().any(|(name, _)| name == "random_get")
    }
}

/// Counts them for each kind of request.
pub(crate) fn count(ground: &Ground) -> Result<Vec<Counted>> {
    let module = ground.module()?;
    Scenario::ALL
        .into_iter()
        .map(|scenario| {
            let crossings = crossings_of(&module, scenario)?;
            let (callbacks, calls) = crossings.into_iter().partition(|one| matches!(one, Crossing::Callback(_)));
            Ok(Counted { scenario, calls: grouped(calls), callbacks: grouped(callbacks) })
        })
        .collect()
}

/// In the order in which each comes first.
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

/// For the page.
pub(crate) fn table(all: &[Counted]) -> String {
    let mut table = Table::of(&["request", "calls of Envoy", "callbacks of the filter", "the calls", "the callbacks"]);
    let list = |names: &[(String, usize)]| {
        let names = names.iter().map(|(name, count)| match count {
            1 => format!("`{name}`"),
            count => format!("{count} × `{name}`"),
        });
        names.collect::<Vec<_>>().join(", ")
    };
    for counted in all {
        let callbacks: usize = counted.callbacks.iter().map(|(_, count)| count).sum();
        table.row([
            counted.scenario.name().to_owned(),
            counted.calls().to_string(),
            callbacks.to_string(),
            list(&counted.calls),
            list(&counted.callbacks),
        ]);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_called_twice_is_listed_once() {
        let call = |function: &str, of: &str| Crossing::Call { function: function.into(), of: of.into() };
        let calls = [call("proxy_get_property", "b"), call("random_get", ""), call("proxy_get_property", "b")];
        assert_eq!(grouped(calls.into()), [("get_property b".to_owned(), 2), ("random_get".to_owned(), 1)]);
    }
}
