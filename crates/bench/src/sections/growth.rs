//! Measures how the cost grows with the number of targets, sessions and bytes of foreign cookies.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use serde_json::json;
use wasm_host::Scenario;

use crate::figures::Figure;
use crate::fixture::Fixture;
use crate::fixture::{Backend, SMALL};
use crate::proxy::Proxy;
use crate::proxy::envoys::{self, EnvoyKind};
use crate::requests::cookies::{self, FOREIGN, behind_foreign};
use crate::requests::load;
use crate::requests::{Cookies, Protocol, Request};
use crate::rounds::{self, Round, say};

/// The number of rounds.
pub(crate) const ROUNDS: u32 = 5;

/// The length of a visit.
pub(crate) const SECONDS: u32 = 2;

const TARGETS: [u32; 3] = [2, 100, 10_000];

/// The number of targets of the sessions. A million sessions of them have ages far below one day.
pub(crate) const TARGETS_OF_SESSIONS: u32 = 100;

const SESSIONS: [usize; 3] = [1, 1000, 1_000_000];

/// The number of targets of both Envoys. It is 1 for one session, because an Envoy that sends all requests to one target is
/// cheaper than one that spreads them.
const fn targets_of(sessions: usize) -> u32 {
    if sessions == 1 { 1 } else { TARGETS_OF_SESSIONS }
}

/// The cost of a request at one size.
pub(crate) struct Growth {
    /// The growing thing: one of the names below.
    pub(crate) what: &'static str,
    pub(crate) count: usize,
    /// Without the filter, in microseconds per request, one value for each round.
    pub(crate) bare: Vec<f64>,
    /// The same with the filter.
    pub(crate) ours: Vec<f64>,
}

impl Growth {
    /// The CPU that the filter adds.
    pub(crate) fn price(&self) -> Option<Figure> {
        Figure::difference(&self.ours, &self.bare)
    }
}

pub(crate) const OF_TARGETS: &str = "targets";
pub(crate) const OF_SESSIONS: &str = "sessions";
pub(crate) const OF_COOKIES: &str = "bytes of foreign cookies";

/// The CPU that the filter adds for each byte of foreign cookies, in nanoseconds.
pub(crate) fn per_byte(steps: &[Growth]) -> Option<f64> {
    let mut steps = steps.iter().filter(|step| step.what == OF_COOKIES);
    let (first, last) = (steps.next()?, steps.next_back()?);
    #[allow(clippy::cast_precision_loss, reason = "there are some thousand bytes")]
    let bytes = (last.count - first.count) as f64;
    Some((last.price()?.median - first.price()?.median) * 1e3 / bytes)
}

/// Up to this number of targets, all proxies share one backend process. With more, the connections of a pair to one process
/// would need more open files than many systems allow.
const SHARED: u32 = 1000;

/// An Envoy without and one with the filter, with the same number of targets.
pub(crate) struct Pair {
    targets: Vec<SocketAddr>,
    pub(crate) proxies: [Proxy; 2],
    _backends: Vec<Backend>,
}

impl Pair {
    pub(crate) fn start(fixture: &Fixture, count: u32, workers: u32) -> Result<Self> {
        let own = if count > SHARED { 2 } else { 0 };
        let backends: Vec<Backend> = (0..own).map(|_| Backend::start(&fixture.envoy)).collect::<Result<_>>()?;
        let of_bare = backends.first().unwrap_or(&fixture.backend).targets(count);
        let targets = backends.last().unwrap_or(&fixture.backend).targets(count);
        let start = |kind, targets: &[SocketAddr]| {
            let mut config = envoys::config(fixture, kind)?;
            config.endpoints("web", targets)?;
            // The shipped limit is lower than one connection for each target and worker.
            let limit = 1_000_000;
            config.cluster("web")?["circuit_breakers"]["thresholds"] = json!([{ "max_connections": limit, "max_pending_requests": limit, "max_requests": limit, "max_retries": limit }]);
            Proxy::start_with(fixture, &config, workers)
        };
        let proxies = [start(EnvoyKind::Bare, &of_bare)?, start(EnvoyKind::Ours(Scenario::Pinned), &targets)?];
        Ok(Self { targets, proxies, _backends: backends })
    }

    /// The request for both Envoys: the cookies of this many sessions with all targets.
    pub(crate) fn request(&self, fixture: &Fixture, sessions: usize) -> Result<Request> {
        let file = cookies::file(fixture.folder(), &self.targets, sessions)?;
        Ok(Request { path: SMALL, cookies: Cookies::Lines(file), protocol: Protocol::Http1 })
    }
}

/// Sends requests for some seconds, and repeats that until `count` requests were answered.
pub(crate) fn send(proxy: &Proxy, request: &Request, seconds: u32, count: usize) -> Result<()> {
    let mut sent = 0;
    while sent < count {
        sent += usize::try_from(load::put(proxy.address, request, seconds)?.requests)?;
    }
    Ok(())
}

struct Cell<'a> {
    pair: &'a Pair,
    ours: bool,
    request: Request,
}

/// Measures all sizes.
pub(crate) fn measure(fixture: &Fixture) -> Result<Vec<Growth>> {
    let most = TARGETS.into_iter().max().unwrap_or_default() as usize;
    traffic::allow_open_files(most + load::CONNECTIONS).map_err(anyhow::Error::msg)?;
    say("growth: starting, and sealing a million cookies");
    let pairs: Vec<(u32, Pair)> = std::iter::once(1)
        .chain(TARGETS)
        .map(|targets| Ok((targets, Pair::start(fixture, targets, 1).with_context(|| format!("{targets} targets"))?)))
        .collect::<Result<_>>()?;
    let with = |targets: u32| -> Result<&Pair> {
        let found = pairs.iter().find(|(present, _)| *present == targets);
        found.map(|(_, pair)| pair).context("no pair has this number of targets")
    };
    let mut steps: Vec<(&'static str, usize)> = Vec::new();
    let mut cells: Vec<Cell<'_>> = Vec::new();
    let mut add = |what, count, pair, request: Request| {
        steps.push((what, count));
        cells.extend([false, true].map(|ours| Cell { pair, ours, request: request.clone() }));
    };
    for targets in TARGETS {
        let (pair, targets) = (with(targets)?, targets as usize);
        add(OF_TARGETS, targets, pair, pair.request(fixture, targets)?);
    }
    for sessions in SESSIONS {
        let pair = with(targets_of(sessions))?;
        add(OF_SESSIONS, sessions, pair, pair.request(fixture, sessions)?);
    }
    for foreign in FOREIGN {
        let pair = with(2)?;
        let cookies = behind_foreign(foreign, &cookies::session(pair.targets[0], 60));
        add(
            OF_COOKIES,
            foreign,
            pair,
            Request { path: SMALL, cookies: Cookies::Same(cookies), protocol: Protocol::Http1 },
        );
    }
    let samples = rounds::measure("growth", cells.len(), ROUNDS, |place, round| {
        let Cell { pair, ours, request } = &cells[place];
        let proxy = &pair.proxies[usize::from(*ours)];
        match round {
            // One request to each target, so that all connections are open.
            Round::WarmUp => send(proxy, request, 1, most).map(|()| None),
            Round::Counts => proxy.measure(request, SECONDS).map(Some),
        }
    })?;
    let pairs = samples.chunks(2).map(|pair| pair.iter().map(|cell| rounds::cpu(cell)).collect::<Vec<_>>());
    let steps = steps.iter().zip(pairs).filter_map(|((what, count), pair)| {
        let [bare, ours] = <[Vec<f64>; 2]>::try_from(pair).ok()?;
        Some(Growth { what, count: *count, bare, ours })
    });
    Ok(steps.collect())
}
