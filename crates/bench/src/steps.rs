//! What does each part of a pinned request cost?
//!
//! Envoys that differ by one thing each: from no filter over every call that the filter makes to the filter itself.

use anyhow::{Context, Result};

use crate::backend::SMALL;
use crate::client::Client;
use crate::envoys::Kind;
use crate::figures::Figure;
use crate::ground::Ground;
use crate::load::{Cookies, Protocol, Request};
use crate::noop::CALLS;
use crate::proxy::Proxy;
use crate::rounds::{self, Round};
use crate::say;

/// Rounds and their seconds.
pub(crate) const ROUNDS: usize = 5;
pub(crate) const SECONDS: u32 = 2;

/// An Envoy that does one thing more than that of the step before.
pub(crate) struct Step {
    pub(crate) what: &'static str,
    /// In microseconds per request, round by round.
    pub(crate) cpu: Vec<f64>,
    /// What the one thing costs.
    pub(crate) adds: Option<Figure>,
    pub(crate) times_native: Option<Figure>,
}

fn kinds() -> Vec<(&'static str, Kind)> {
    let mut kinds = vec![
        ("no filter", Kind::Bare),
        ("`stateful_session` looks for a header", Kind::OverrideHeader),
        ("a wasm filter is called for the headers of both", Kind::Calls(0)),
    ];
    kinds.extend(CALLS.into_iter().enumerate().map(|(place, what)| (what, Kind::Calls(place + 1))));
    kinds.push(("the calls are made by the Rust SDK", Kind::SdkCalls));
    kinds.push(("this filter decides about them", Kind::OursAlone));
    kinds
}

/// Measures every step.
pub(crate) fn measure(ground: &Ground) -> Result<Vec<Step>> {
    let kinds = kinds();
    // Envoy's own sessions come last: all steps are compared with them.
    let all = kinds.iter().copied().chain([("Envoy's cookie sessions", Kind::Native)]);
    let start = |(what, kind)| Proxy::start_envoy(ground, kind, 1).context(what).map(|proxy| (kind, proxy));
    let proxies: Vec<(Kind, Proxy)> = all.map(start).collect::<Result<_>>()?;
    let given = |of: Kind| -> Result<String> {
        let (_, proxy) = proxies.iter().find(|(kind, _)| *kind == of).context("no such step")?;
        Ok(Client::of(proxy.address).get(SMALL, "")?.cookies())
    };
    // Cookies as long as the filter's go to those who do not read them too.
    let unread = given(Kind::Calls(CALLS.len()))?;
    let request = |kind: Kind| -> Result<Request> {
        let cookies = if matches!(kind, Kind::OursAlone | Kind::Native) { given(kind)? } else { unread.clone() };
        Ok(Request { path: SMALL, cookies: Cookies::Same(cookies), protocol: Protocol::Http1 })
    };
    let requests: Vec<Request> = proxies.iter().map(|(kind, _)| request(*kind)).collect::<Result<_>>()?;
    let samples = rounds::interleaved(proxies.len(), ROUNDS, |place, round| {
        if let Round::Counts(round) = round
            && place == 0
        {
            say(&format!("steps: round {} of {ROUNDS}", round + 1));
        }
        proxies[place].1.measure(&requests[place], SECONDS).map(Some)
    })?;
    let mut cpu: Vec<Vec<f64>> = samples.iter().map(|samples| rounds::cpu(samples)).collect();
    let native = cpu.pop().unwrap_or_default();
    let steps = kinds.iter().enumerate().map(|(place, (what, _))| Step {
        what,
        cpu: cpu[place].clone(),
        adds: place.checked_sub(1).and_then(|before| Figure::difference(&cpu[place], &cpu[before])),
        times_native: Figure::ratio(&cpu[place], &native),
    });
    Ok(steps.collect())
}
