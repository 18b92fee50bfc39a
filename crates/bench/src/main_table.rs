//! What does stickiness cost with each variant?

use anyhow::{Context, Result};

use crate::figures::Figure;
use crate::ground::Ground;
use crate::load::{Cookies, Protocol, Request};
use crate::options::Options;
use crate::others::Other;
use crate::proxy::Proxy;
use crate::rounds::{self, Round, Samples};
use crate::variant::{NATIVE, NO_FILTER, NOOP, Setup, VARIANTS, Variant};
use crate::{check, say};

/// Requests with which a variant is looked at before it is measured.
const LOOKS: usize = 20;

/// What was found.
pub(crate) struct MainTable {
    pub(crate) rows: Vec<Row>,
    /// What each proxy that is no Envoy says of its version.
    pub(crate) versions: Vec<String>,
    /// Which proxies were not measured, and why.
    pub(crate) absent: Vec<String>,
    pub(crate) rounds: usize,
    pub(crate) seconds: u32,
}

/// A variant that was measured.
pub(crate) struct Row {
    pub(crate) variant: Variant,
    /// In microseconds per request, round by round.
    pub(crate) cpu: Vec<f64>,
    pub(crate) rate: Option<Figure>,
}

/// A variant that can be measured.
pub(crate) struct Ready {
    pub(crate) variant: Variant,
    pub(crate) proxy: usize,
    pub(crate) request: Request,
}

/// The proxies of all variants, each of them once, and what is sent to them.
pub(crate) struct Lineup {
    pub(crate) proxies: Vec<Proxy>,
    pub(crate) ready: Vec<Ready>,
    pub(crate) versions: Vec<String>,
    pub(crate) absent: Vec<String>,
}

impl Lineup {
    /// Starts what is wanted and looks whether each variant keeps its promise.
    pub(crate) fn start(ground: &Ground, options: &Options, looks: usize) -> Result<Self> {
        let mut lineup = Self { proxies: Vec::new(), ready: Vec::new(), versions: Vec::new(), absent: Vec::new() };
        let mut setups: Vec<Setup> = Vec::new();
        let mut wanted: Vec<&Variant> = VARIANTS.iter().filter(|variant| options.variant(variant.name)).collect();
        // The price of one is what it costs beyond these.
        let needed: Vec<&str> = wanted.iter().filter_map(|variant| variant.without).collect();
        if !wanted.is_empty() {
            let needed = |variant: &&Variant| {
                needed.contains(&variant.name) || [NO_FILTER, NATIVE, NOOP].contains(&variant.name)
            };
            wanted = VARIANTS.iter().filter(|variant| options.variant(variant.name) || needed(variant)).collect();
        }
        for other in Other::ALL {
            if !wanted.iter().any(|variant| matches!(variant.setup, Setup::Other { proxy, .. } if proxy == other)) {
                continue;
            }
            match other.version() {
                Ok(version) => lineup.versions.push(version),
                Err(why) => {
                    say(&why);
                    lineup.absent.push(why);
                    wanted.retain(|variant| !matches!(variant.setup, Setup::Other { proxy, .. } if proxy == other));
                }
            }
        }
        for variant in wanted {
            let place = setups.iter().position(|setup| *setup == variant.setup);
            let place = if let Some(place) = place {
                place
            } else {
                setups.push(variant.setup);
                lineup.proxies.push(Proxy::start(ground, variant.setup).context(variant.name)?);
                setups.len() - 1
            };
            let cookies = check::keeps_its_promise(ground, variant, &lineup.proxies[place], looks)?;
            let cookies = if cookies.is_empty() { Cookies::None } else { Cookies::Same(cookies) };
            let request = Request { path: variant.path, cookies, protocol: Protocol::Http1 };
            lineup.ready.push(Ready { variant: *variant, proxy: place, request });
        }
        Ok(lineup)
    }
}

/// Whether any variant is asked for.
pub(crate) fn wanted(options: &Options) -> bool {
    VARIANTS.iter().any(|variant| options.variant(variant.name))
}

/// Measures all variants that are asked for.
pub(crate) fn measure(ground: &Ground, options: &Options) -> Result<MainTable> {
    let lineup = Lineup::start(ground, options, LOOKS)?;
    let samples: Samples = rounds::interleaved(lineup.ready.len(), options.rounds, |place, round| {
        let ready = &lineup.ready[place];
        if place == 0
            && let Round::Counts(round) = round
        {
            say(&format!("main table: round {} of {}", round + 1, options.rounds));
        }
        lineup.proxies[ready.proxy].measure(&ready.request, options.seconds).map(Some).context(ready.variant.name)
    })?;
    let rows = lineup.ready.iter().zip(&samples).map(|(ready, samples)| Row {
        variant: ready.variant,
        cpu: rounds::cpu(samples),
        rate: rounds::rate(samples),
    });
    Ok(MainTable {
        rows: rows.collect(),
        versions: lineup.versions,
        absent: lineup.absent,
        rounds: options.rounds,
        seconds: options.seconds,
    })
}

impl MainTable {
    /// The row of this variant, if it was measured.
    pub(crate) fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.variant.name == name)
    }

    /// What a variant costs beyond its own proxy without stickiness.
    pub(crate) fn price(&self, row: &Row) -> Option<Figure> {
        Figure::difference(&row.cpu, &self.row(row.variant.without?)?.cpu)
    }

    /// How many times as much a variant costs as Envoy's own sessions.
    pub(crate) fn times_native(&self, row: &Row) -> Option<Figure> {
        Figure::ratio(&row.cpu, &self.row(NATIVE)?.cpu)
    }

    /// How many times as much a filter of Envoy adds as one that does nothing.
    pub(crate) fn times_noop(&self, row: &Row) -> Option<Figure> {
        let without = self.row(row.variant.without.filter(|name| *name == NO_FILTER)?)?;
        let noop = self.row(NOOP)?;
        let own = Figure::difference(&row.cpu, &without.cpu)?;
        let floor = Figure::difference(&noop.cpu, &without.cpu)?;
        Figure::of((floor.median > 0.0).then(|| own.median / floor.median))
    }
}
