//! Measures the price of stickiness of each variant, or only checks that each variant keeps its promise.

use std::time::Instant;

use anyhow::{Context, Result};

use super::check;
use super::variants::{NATIVE, NO_FILTER, NOOP, PINNED, VARIANTS, Variant};
use crate::figures::{Figure, Table};
use crate::fixture::Fixture;
use crate::options::{Options, Section};
use crate::proxy::others::Other;
use crate::proxy::{Proxy, ProxyKind};
use crate::requests::{Cookies, Protocol, Request, load};
use crate::rounds::{self, Samples, say};

/// Requests that check a variant before it is measured.
const CHECKS: usize = 20;

/// Requests that check a variant which is not measured.
const CHECKS_WITHOUT_MEASUREMENT: usize = 300;

/// The results.
pub(crate) struct MainTable {
    pub(crate) rows: Vec<Row>,
    /// The name and version of each proxy other than Envoy.
    pub(crate) versions: Vec<String>,
    /// The proxies that were not measured, with the reason.
    pub(crate) absent: Vec<String>,
    pub(crate) rounds: u32,
    pub(crate) seconds: u32,
}

/// The results of one variant.
pub(crate) struct Row {
    pub(crate) variant: Variant,
    /// In microseconds per request, one value for each round.
    pub(crate) cpu: Vec<f64>,
    pub(crate) rate: Option<Figure>,
}

/// A variant whose proxy runs.
struct Ready {
    variant: Variant,
    /// The index of the proxy.
    proxy: usize,
    request: Request,
}

/// The selected variants. Variants with equal configurations share a proxy.
#[derive(Default)]
struct Started {
    proxies: Vec<Proxy>,
    ready: Vec<Ready>,
    versions: Vec<String>,
    absent: Vec<String>,
}

impl Started {
    /// Starts the proxies of the selected variants, and checks each variant.
    fn start(fixture: &Fixture, options: &Options, checks: usize) -> Result<Self> {
        let mut started = Self::default();
        let mut kinds: Vec<ProxyKind> = Vec::new();
        let mut selected = selected(options);
        for other in Other::ALL {
            let is_other =
                |variant: &&Variant| matches!(variant.kind, ProxyKind::Other { proxy, .. } if proxy == other);
            if !selected.iter().any(is_other) {
                continue;
            }
            match other.version() {
                Ok(version) => started.versions.push(version),
                Err(why) => {
                    say(&why);
                    started.absent.push(why);
                    selected.retain(|variant| !is_other(variant));
                }
            }
        }
        for variant in selected {
            let place = kinds.iter().position(|kind| *kind == variant.kind);
            let place = if let Some(place) = place {
                place
            } else {
                kinds.push(variant.kind);
                started.proxies.push(Proxy::start(fixture, variant.kind).context(variant.name)?);
                kinds.len() - 1
            };
            let cookies = check::keeps_its_promise(fixture, variant, &started.proxies[place], checks)?;
            let request = Request { path: variant.path, cookies: Cookies::same(cookies), protocol: Protocol::Http1 };
            started.ready.push(Ready { variant: *variant, proxy: place, request });
        }
        Ok(started)
    }
}

/// True if the command selects any variant.
pub(crate) fn is_selected(options: &Options) -> bool {
    !selected(options).is_empty()
}

/// The variants that the command selects, and those that their prices are compared with.
fn selected(options: &Options) -> Vec<&'static Variant> {
    let named = |variant: &Variant| {
        let pinned = variant.name == PINNED && options.selects(Section::Pinned);
        pinned || options.selects(Section::Main) || options.names(variant.name)
    };
    let without: Vec<&str> = VARIANTS.iter().filter(|variant| named(variant)).filter_map(|one| one.without).collect();
    if !VARIANTS.iter().any(named) {
        return Vec::new();
    }
    let compared =
        |variant: &Variant| without.contains(&variant.name) || [NO_FILTER, NATIVE, NOOP].contains(&variant.name);
    VARIANTS.iter().filter(|variant| named(variant) || compared(variant)).collect()
}

/// Measures the selected variants.
pub(crate) fn measure(fixture: &Fixture, options: &Options) -> Result<MainTable> {
    let Started { proxies, ready, versions, absent } = Started::start(fixture, options, CHECKS)?;
    let samples: Samples = rounds::measure("main table", ready.len(), options.rounds, |place, _| {
        let Ready { variant, proxy, request } = &ready[place];
        proxies[*proxy].measure(request, options.seconds).map(Some).context(variant.name)
    })?;
    let rows = ready.iter().zip(&samples).map(|(ready, samples)| Row {
        variant: ready.variant,
        cpu: rounds::cpu(samples),
        rate: rounds::rate(samples),
    });
    Ok(MainTable { rows: rows.collect(), versions, absent, rounds: options.rounds, seconds: options.seconds })
}

/// Checks the selected variants and the load generators, and measures nothing.
pub(crate) fn smoke(fixture: &Fixture, options: &Options) -> Result<()> {
    let start = Instant::now();
    let Started { proxies, ready, absent, .. } = Started::start(fixture, options, CHECKS_WITHOUT_MEASUREMENT)?;
    let mut table = Table::of(&["variant", "requests as promised"]);
    for ready in &ready {
        table.row([ready.variant.name.to_owned(), CHECKS_WITHOUT_MEASUREMENT.to_string()]);
    }
    if let Some(ready) = ready.first() {
        for protocol in [Protocol::Http1, Protocol::Http2] {
            let request = Request { protocol, ..ready.request.clone() };
            load::put(proxies[ready.proxy].address, &request, 1).with_context(|| protocol.name())?;
            table.row([format!("one second of load over {}", protocol.name()), "all".to_owned()]);
        }
    }
    println!("{table}");
    for why in &absent {
        println!("NOT TESTED: {why}");
    }
    say(&format!("{} variants keep their promises, checked in {:?}", ready.len(), start.elapsed()));
    Ok(())
}

impl MainTable {
    /// The row of a variant, if it was measured.
    pub(crate) fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.variant.name == name)
    }

    /// The CPU of a variant beyond that of the same proxy without stickiness.
    pub(crate) fn price(&self, row: &Row) -> Option<Figure> {
        Figure::difference(&row.cpu, &self.row(row.variant.without?)?.cpu)
    }

    /// The CPU of a variant divided by that of Envoy's cookie sessions.
    pub(crate) fn times_native(&self, row: &Row) -> Option<Figure> {
        Figure::ratio(&row.cpu, &self.row(NATIVE)?.cpu)
    }

    /// The CPU that a filter adds to Envoy, divided by that of the filter that does nothing.
    pub(crate) fn times_noop(&self, row: &Row) -> Option<Figure> {
        let without = self.row(row.variant.without.filter(|name| *name == NO_FILTER)?)?;
        let noop = self.row(NOOP)?;
        let own = Figure::difference(&row.cpu, &without.cpu)?;
        let floor = Figure::difference(&noop.cpu, &without.cpu)?;
        Figure::of((floor.median > 0.0).then(|| own.median / floor.median))
    }
}

#[cfg(test)]
impl MainTable {
    /// Four variants and two rounds, for the tests of the page.
    pub(crate) fn of_four_variants() -> Self {
        let measured =
            [(NO_FILTER, [40.0, 42.0]), (NOOP, [45.0, 47.0]), (NATIVE, [42.0, 44.0]), (PINNED, [50.0, 53.0])];
        let rows = measured.iter().filter_map(|(name, cpu)| {
            let variant = VARIANTS.into_iter().find(|variant| variant.name == *name)?;
            Some(Row { variant, cpu: cpu.to_vec(), rate: Figure::of([20_000.0]) })
        });
        let absent = vec!["nginx was not measured: it is not there".to_owned()];
        Self { rows: rows.collect(), versions: Vec::new(), absent, rounds: 2, seconds: 1 }
    }
}
