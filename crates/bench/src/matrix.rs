//! Does the price depend on the size of answers, on other cookies, on the version of HTTP, or on the number of workers?

use anyhow::{Context, Result};
use wasm_host::Scenario;

use crate::backend::{LARGE, SMALL};
use crate::client::Client;
use crate::cookies::{FOREIGN, behind_foreign};
use crate::envoys::Kind;
use crate::figures::Figure;
use crate::ground::Ground;
use crate::load::{Cookies, Protocol, Request};
use crate::proxy::Proxy;
use crate::rounds::{self, Round};
use crate::say;
use crate::variant::{NATIVE, NEW, NO_FILTER, NOOP, PINNED};

/// Rounds and their seconds: there are many cells.
pub(crate) const ROUNDS: usize = 3;
pub(crate) const SECONDS: u32 = 1;

/// What is compared, what it is, and whether its clients come with its cookie.
pub(crate) const COLUMNS: [(&str, Kind, bool); 5] = [
    (NO_FILTER, Kind::Bare, false),
    (NOOP, Kind::Noop, false),
    (NATIVE, Kind::Native, true),
    (PINNED, Kind::Ours(Scenario::Pinned), true),
    (NEW, Kind::Ours(Scenario::Pinned), false),
];

/// Under which circumstances it is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Circumstances {
    pub(crate) path: &'static str,
    pub(crate) foreign: usize,
    pub(crate) protocol: Protocol,
    pub(crate) workers: u32,
}

/// The processor's time for each column, in microseconds per request.
pub(crate) struct Line {
    pub(crate) circumstances: Circumstances,
    pub(crate) cells: Vec<Vec<f64>>,
}

impl Line {
    /// The time of a column.
    pub(crate) fn of(&self, name: &str) -> Option<&[f64]> {
        let place = COLUMNS.iter().position(|(column, ..)| *column == name)?;
        self.cells.get(place).map(Vec::as_slice)
    }

    /// How many times as much a pinned request costs as with Envoy's own sessions.
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
pub(crate) fn measure(ground: &Ground) -> Result<Vec<Line>> {
    let mut proxies: Vec<(u32, Kind, Proxy, String)> = Vec::new();
    for workers in [1, 2] {
        for (name, kind, comes_back) in COLUMNS {
            if proxies.iter().any(|(of, present, ..)| *of == workers && *present == kind) {
                continue;
            }
            let proxy = Proxy::start_envoy(ground, kind, workers).context(name)?;
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
            let cookies = behind_foreign(at.foreign, ours);
            let cookies = if cookies.is_empty() { Cookies::None } else { Cookies::Same(cookies) };
            Some((place, Request { path: at.path, cookies, protocol: at.protocol }))
        })
        .collect();
    let mut warm = vec![false; proxies.len()];
    let samples = rounds::interleaved(cells.len(), ROUNDS, |cell, round| {
        let (place, request) = &cells[cell];
        // What is to be warm is the proxy: a cell for each of them is enough.
        if round == Round::WarmUp && std::mem::replace(&mut warm[*place], true) {
            return Ok(None);
        }
        if let Round::Counts(round) = round
            && cell == 0
        {
            say(&format!("matrix: round {} of {ROUNDS}", round + 1));
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
