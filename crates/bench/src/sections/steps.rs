//! Measures the cost of each part of a pinned request.
//!
//! Each Envoy does one thing more than the one before: from no filter, through every host call of the filter, to the filter.

use anyhow::{Context, Result};

use crate::figures::Figure;
use crate::fixture::Fixture;
use crate::fixture::SMALL;
use crate::hand_written::CALLS;
use crate::proxy::Proxy;
use crate::proxy::envoys::EnvoyKind;
use crate::requests::client::Client;
use crate::requests::{Cookies, Protocol, Request};
use crate::rounds;

/// The number of rounds.
pub(crate) const ROUNDS: u32 = 5;

/// The length of a visit.
pub(crate) const SECONDS: u32 = 2;

/// An Envoy that does one thing more than the Envoy of the step before.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    /// In microseconds per request, one value for each round.
    pub(crate) cpu: Vec<f64>,
    /// The cost of the one thing.
    pub(crate) adds: Option<Figure>,
    pub(crate) times_native: Option<Figure>,
}

fn kinds() -> Vec<(&'static str, EnvoyKind)> {
    let mut kinds = vec![
        ("no filter", EnvoyKind::Bare),
        ("`header_mutation` and `stateful_session` look for a header", EnvoyKind::OverrideHeader),
        ("Envoy calls a wasm filter for the headers of request and response", EnvoyKind::Calls(0)),
    ];
    kinds.extend(CALLS.into_iter().enumerate().map(|(place, purpose)| (purpose, EnvoyKind::Calls(place + 1))));
    kinds.push(("the Rust SDK makes the same calls", EnvoyKind::SdkCalls));
    kinds.push(("this filter makes its decisions", EnvoyKind::OursAlone));
    kinds
}

/// Measures every step.
pub(crate) fn measure(fixture: &Fixture) -> Result<Vec<Step>> {
    let kinds = kinds();
    // Envoy's cookie sessions come last. All steps are compared with them.
    let all = kinds.iter().copied().chain([("Envoy's cookie sessions", EnvoyKind::Native)]);
    let start = |(name, kind)| Proxy::start_envoy(fixture, kind, 1).context(name).map(|proxy| (kind, proxy));
    let proxies: Vec<(EnvoyKind, Proxy)> = all.map(start).collect::<Result<_>>()?;
    let given = |of: EnvoyKind| -> Result<String> {
        let (_, proxy) = proxies.iter().find(|(kind, _)| *kind == of).context("this step does not exist")?;
        Ok(Client::of(proxy.address).get(SMALL, "")?.cookies())
    };
    // Envoys that do not read cookies get cookies as long as those of the filter.
    let unread = given(EnvoyKind::Calls(CALLS.len()))?;
    let request = |kind: EnvoyKind| -> Result<Request> {
        let cookies =
            if matches!(kind, EnvoyKind::OursAlone | EnvoyKind::Native) { given(kind)? } else { unread.clone() };
        Ok(Request { path: SMALL, cookies: Cookies::Same(cookies), protocol: Protocol::Http1 })
    };
    let requests: Vec<Request> = proxies.iter().map(|(kind, _)| request(*kind)).collect::<Result<_>>()?;
    let samples = rounds::measure("steps", proxies.len(), ROUNDS, |place, _| {
        proxies[place].1.measure(&requests[place], SECONDS).map(Some)
    })?;
    let mut cpu: Vec<Vec<f64>> = samples.iter().map(|samples| rounds::cpu(samples)).collect();
    let native = cpu.pop().unwrap_or_default();
    let steps = kinds.iter().enumerate().map(|(place, (name, _))| Step {
        name,
        cpu: cpu[place].clone(),
        adds: place.checked_sub(1).and_then(|before| Figure::difference(&cpu[place], &cpu[before])),
        times_native: Figure::ratio(&cpu[place], &native),
    });
    Ok(steps.collect())
}
