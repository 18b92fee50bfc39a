//! Measures the cost for other sizes of responses, foreign cookies, versions of HTTP and numbers of workers.

use anyhow::{Context, Result};
use wasm_host::Scenario;

use crate::figures::Figure;
use crate::fixture::Fixture;
use crate::fixture::{LARGE, SMALL};
use crate::proxy::Proxy;
use crate::proxy::envoys::EnvoyKind;
use crate::requests::client::Client;
use crate::requests::cookies::{FOREIGN, behind_foreign};
use crate::requests::{Cookies, Protocol, Request};
use crate::rounds::{self, Round};
use crate::sections::variants::{NATIVE, NEW, NO_FILTER, NOOP, PINNED};

/// The number of rounds. It is small because there are many cells.
pub(crate) const ROUNDS: u32 = 3;

/// The length of a visit.
pub(crate) const SECONDS: u32 = 1;

/// The columns: a name, an Envoy, and whether its clients send the cookie that it gave them.
pub(crate) const COLUMNS: [(&str, EnvoyKind, bool); 5] = [
    (NO_FILTER, EnvoyKind::Bare, false),
    (NOOP, EnvoyKind::Noop, false),
    (NATIVE, EnvoyKind::Native, true),
    (PINNED, EnvoyKind::Ours(Scenario::Pinned), true),
    (NEW, EnvoyKind::Ours(Scenario::Pinned), false),
];

/// The circumstances of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Circumstances {
    pub(crate) path: &'static str,
    pub(crate) foreign: usize,
    pub(crate) protocol: Protocol,
    pub(crate) workers: u32,
}

/// A line of the table. Each cell has the CPU time in microseconds per request, one value for each round.
pub(crate) struct Line {
    pub(crate) circumstances: Circumstances,
    pub(crate) cells: Vec<Vec<f64>>,
}

impl Line {
    /// The cell of a column.
    pub(crate) fn of(&self, name: &str) -> Option<&[f64]> {
        let place = COLUMNS.iter().position(|(column, ..)| *column == name)?;
        self.cells.get(place).map(Vec::as_slice)
    }

    /// The CPU of a pinned request divided by that of Envoy's cookie sessions.
    pub(crate) fn times_native(&self) -> Option<Figure> {
        Figure::ratio(self.of(PINNED)?, self.of(NATIVE)?)
    }
}

fn circumstances() -> Vec<Circumstances> {
    let mut all = Vec::new();
    for workers in [1, 2] {
        for protocol in [Protocol::Http1, Protocol::Http2] {
            for path in [SMALL, LARGE] {
                all.extend(FOREIGN.map(|foreign| Circumstances { path, foreign, protocol, workers }));
            }
        }
    }
    all
}

/// Measures every cell.
pub(crate) fn measure(fixture: &Fixture) -> Result<Vec<Line>> {
    let mut proxies: Vec<(u32, EnvoyKind, Proxy, String)> = Vec::new();
    for workers in [1, 2] {
        for (name, kind, comes_back) in COLUMNS {
            if proxies.iter().any(|(of, present, ..)| *of == workers && *present == kind) {
                continue;
            }
            let proxy = Proxy::start_envoy(fixture, kind, workers).context(name)?;
            let given = if comes_back { Client::of(proxy.address).get(SMALL, "")?.cookies() } else { String::new() };
            proxies.push((workers, kind, proxy, given));
        }
    }
    let all = circumstances();
    let cells: Vec<(usize, Request)> = all
        .iter()
        .flat_map(|at| COLUMNS.iter().map(move |column| (at, column)))
        .filter_map(|(at, (_, kind, comes_back))| {
            let place = proxies.iter().position(|(workers, present, ..)| *workers == at.workers && present == kind)?;
            let ours = if *comes_back { proxies.get(place)?.3.as_str() } else { "" };
            let cookies = Cookies::same(behind_foreign(at.foreign, ours));
            Some((place, Request { path: at.path, cookies, protocol: at.protocol }))
        })
        .collect();
    let mut warm = vec![false; proxies.len()];
    let samples = rounds::measure("matrix", cells.len(), ROUNDS, |cell, round| {
        let (place, request) = &cells[cell];
        // One visit warms a proxy up for all of its cells.
        if round == Round::WarmUp && std::mem::replace(&mut warm[*place], true) {
            return Ok(None);
        }
        proxies[*place].2.measure(request, SECONDS).map(Some)
    })?;
    let mut samples = samples.chunks(COLUMNS.len());
    let lines = all.iter().map(|at| {
        let cells = samples.next().unwrap_or_default();
        Line { circumstances: *at, cells: cells.iter().map(|cell| rounds::cpu(cell)).collect() }
    });
    Ok(lines.collect())
}
