//! The goals of the project, and the figures of a run beside them.

use wasm_host::Scenario;

use crate::figures::Figure;
use crate::figures::Table;
use crate::sections::Run;
use crate::sections::calls::Counted;
use crate::sections::growth::{self, Growth, OF_SESSIONS, OF_TARGETS};
use crate::sections::startup::{MANY, RELOAD};
use crate::sections::variants::{NATIVE_NEW, NEW, NOOP, PINNED};

/// The limit for the size of the module in bytes.
const SIZE: u64 = 250_000;

/// A goal and the measured figure.
struct Goal {
    what: &'static str,
    asked: String,
    found: String,
    /// `None` if the goal has no limit and only asks for the figure.
    met: Option<bool>,
}

/// The goals that the run has figures for.
pub(crate) fn table(run: &Run) -> String {
    let mut table = Table::of(&["goal", "limit", "measured", "met"]);
    for Goal { what, asked, found, met } in all(run) {
        let met = met.map_or("no limit", |met| if met { "yes" } else { "**no**" });
        table.row([what.to_owned(), asked, found, met.to_owned()]);
    }
    table.to_string()
}

fn all(run: &Run) -> Vec<Goal> {
    let pinned = run.main.row(PINNED);
    let new = run.main.row(NEW).zip(run.main.row(NATIVE_NEW));
    let first = run.startup.firsts.iter().find(|first| first.after == RELOAD).map(|first| first.request);
    let many = run.startup.loading.iter().find(|loading| loading.target_groups == MANY).map(|loading| loading.time);
    let targets = [
        at_most(
            "CPU of a pinned request, × Envoy's cookie sessions",
            1.25,
            pinned.and_then(|row| run.main.times_native(row)),
        ),
        at_most(
            "CPU of a new session, × a new session of Envoy's cookie sessions",
            1.3,
            new.and_then(|(ours, native)| Figure::ratio(&ours.cpu, &native.cpu)),
        ),
        at_most(
            "CPU that the filter adds to a pinned request, × the filter that does nothing",
            1.8,
            run.main.row(NOOP).and(pinned).and_then(|row| run.main.times_noop(row)),
        ),
        calls(&run.calls, "host calls for a pinned request", Scenario::Pinned, 5),
        calls(&run.calls, "host calls for a new session", Scenario::New, 6),
        seals(&run.calls),
        logs(&run.calls),
        flat("growth from 2 to 10,000 targets, beyond Envoy's own", OF_TARGETS, &run.growth),
        flat("growth from 1 to 1,000,000 sessions, beyond Envoy's own", OF_SESSIONS, &run.growth),
        foreign_cookies(&run.growth),
        Some(Goal {
            what: "size of the module, bytes",
            asked: format!("≤ {SIZE}"),
            found: run.startup.size.to_string(),
            met: Some(run.startup.size <= SIZE),
        }),
        at_most("first request after a reload, ms", 2.0, first),
        at_most("loading 10,000 target groups, ms", 150.0, many),
    ];
    targets.into_iter().flatten().collect()
}

fn at_most(what: &'static str, limit: f64, found: Option<Figure>) -> Option<Goal> {
    let found = found?;
    Some(Goal { what, asked: format!("≤ {limit}"), found: format!("{found:.2}"), met: Some(found.median <= limit) })
}

fn of(calls: &[Counted], scenario: Scenario) -> Option<&Counted> {
    calls.iter().find(|counted| counted.scenario == scenario)
}

fn calls(all: &[Counted], what: &'static str, scenario: Scenario, limit: usize) -> Option<Goal> {
    let found = of(all, scenario)?.calls();
    Some(Goal { what, asked: format!("≤ {limit}"), found: found.to_string(), met: Some(found <= limit) })
}

fn seals(all: &[Counted]) -> Option<Goal> {
    let seals = of(all, Scenario::Pinned)?.seals();
    let found = usize::from(seals);
    Some(Goal {
        what: "cookies sealed for a pinned request, except the first of a second",
        asked: "0".into(),
        found: found.to_string(),
        met: Some(!seals),
    })
}

fn logs(all: &[Counted]) -> Option<Goal> {
    let calls = all.iter().flat_map(|counted| &counted.calls);
    let found: usize = calls.filter(|(name, _)| name == "log").map(|(_, count)| count).sum();
    (!all.is_empty()).then(|| Goal {
        what: "log lines for any request",
        asked: "0".into(),
        found: found.to_string(),
        met: Some(found == 0),
    })
}

/// The growth of the filter's own CPU from the first to the last size, in percent of the first request.
fn flat(what: &'static str, of: &'static str, steps: &[Growth]) -> Option<Goal> {
    const LIMIT: f64 = 5.0;
    let mut steps = steps.iter().filter(|step| step.what == of);
    let (first, last) = (steps.next()?, steps.next_back()?);
    let whole = Figure::of(first.ours.iter().copied())?.median;
    let growth = (last.price()?.median - first.price()?.median) / whole * 100.0;
    Some(Goal {
        what,
        asked: format!("≤ {LIMIT} % of a request"),
        found: format!("{growth:.1} %"),
        met: Some(growth <= LIMIT),
    })
}

/// The CPU of a byte of foreign cookies: the filter has to read it.
fn foreign_cookies(steps: &[Growth]) -> Option<Goal> {
    let nanoseconds = growth::per_byte(steps)?;
    Some(Goal {
        what: "a byte of foreign cookies, beyond Envoy's own",
        asked: String::new(),
        found: format!("{nanoseconds:.2} ns"),
        met: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_at_the_limit_meets_the_goal_and_one_above_does_not() {
        let figure = |median| Figure::of([median]);
        assert!(at_most("x", 1.25, figure(1.25)).unwrap().met == Some(true));
        assert!(at_most("x", 1.25, figure(1.26)).unwrap().met == Some(false));
        assert!(at_most("x", 1.25, None).is_none());
    }

    #[test]
    fn the_growth_of_envoy_itself_does_not_count() {
        let step = |count, bare: f64, ours: f64| Growth { what: OF_TARGETS, count, bare: vec![bare], ours: vec![ours] };
        let found = |last| flat("x", OF_TARGETS, &[step(2, 40.0, 50.0), step(100, 40.0, 50.0), last]).unwrap();
        assert_eq!(found(step(10_000, 60.0, 70.0)).met, Some(true));
        let grown = found(step(10_000, 40.0, 55.0));
        assert_eq!((grown.found.as_str(), grown.met), ("10.0 %", Some(false)));
    }
}
