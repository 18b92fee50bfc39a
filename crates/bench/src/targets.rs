//! What was to be reached, and was it?

use wasm_host::Scenario;

use crate::calls::Counted;
use crate::figures::Figure;
use crate::growth::{self, Growth, OF_SESSIONS, OF_TARGETS};
use crate::run::Run;
use crate::startup::RELOAD;
use crate::table::Table;
use crate::variant::{NATIVE_NEW, NEW, NOOP, PINNED};

/// Bytes of the module that are asked for.
const SIZE: u64 = 250_000;

/// Something that can be reached.
struct Target {
    what: &'static str,
    asked: String,
    found: String,
    /// `None` where there is no limit, and the figure is what is asked for.
    met: Option<bool>,
}

/// All of them, for the page.
pub(crate) fn table(run: &Run) -> String {
    let mut table = Table::of(&["what", "asked", "found", "met"]);
    for Target { what, asked, found, met } in all(run) {
        let met = met.map_or("stated", |met| if met { "yes" } else { "**no**" });
        table.row([what.to_owned(), asked, found, met.to_owned()]);
    }
    table.to_string()
}

fn all(run: &Run) -> Vec<Target> {
    let pinned = run.main.row(PINNED);
    let new = run.main.row(NEW).zip(run.main.row(NATIVE_NEW));
    let first = run.startup.firsts.iter().find(|first| first.after == RELOAD).map(|first| first.request);
    let targets = [
        at_most(
            "CPU of a pinned request, × Envoy's cookie sessions",
            1.25,
            pinned.and_then(|row| run.main.times_native(row)),
        ),
        at_most(
            "CPU of a new session, × a new one of Envoy's cookie sessions",
            1.3,
            new.and_then(|(ours, native)| Figure::ratio(&ours.cpu, &native.cpu)),
        ),
        at_most(
            "what the filter adds to a pinned request, × the one that does nothing",
            1.8,
            run.main.row(NOOP).and(pinned).and_then(|row| run.main.times_noop(row)),
        ),
        calls(&run.calls, "calls of Envoy for a pinned request", Scenario::Pinned, 5),
        calls(&run.calls, "calls of Envoy for a new session", Scenario::New, 6),
        seals(&run.calls),
        logs(&run.calls),
        flat("growth from 2 to 10,000 targets, beyond Envoy's own", OF_TARGETS, &run.growth),
        flat("growth from 1 to 1,000,000 sessions, beyond Envoy's own", OF_SESSIONS, &run.growth),
        foreign_cookies(&run.growth),
        Some(Target {
            what: "size of the module, bytes",
            asked: format!("≤ {SIZE}"),
            found: run.startup.size.to_string(),
            met: Some(run.startup.size <= SIZE),
        }),
        at_most("first request after a reload, ms", 2.0, first),
    ];
    targets.into_iter().flatten().collect()
}

fn at_most(what: &'static str, limit: f64, found: Option<Figure>) -> Option<Target> {
    let found = found?;
    Some(Target { what, asked: format!("≤ {limit}"), found: format!("{found:.2}"), met: Some(found.median <= limit) })
}

fn of(calls: &[Counted], scenario: Scenario) -> Option<&Counted> {
    calls.iter().find(|counted| counted.scenario == scenario)
}

fn calls(all: &[Counted], what: &'static str, scenario: Scenario, limit: usize) -> Option<Target> {
    let found = of(all, scenario)?.calls();
    Some(Target { what, asked: format!("≤ {limit}"), found: found.to_string(), met: Some(found <= limit) })
}

fn seals(all: &[Counted]) -> Option<Target> {
    let seals = of(all, Scenario::Pinned)?.seals();
    let found = usize::from(seals);
    Some(Target {
        what: "cookies sealed for a pinned request, but for the first of a second",
        asked: "0".into(),
        found: found.to_string(),
        met: Some(!seals),
    })
}

fn logs(all: &[Counted]) -> Option<Target> {
    let calls = all.iter().flat_map(|counted| &counted.calls);
    let found: usize = calls.filter(|(name, _)| name == "log").map(|(_, count)| count).sum();
    (!all.is_empty()).then(|| Target {
        what: "lines logged, for any request",
        asked: "0".into(),
        found: found.to_string(),
        met: Some(found == 0),
    })
}

/// How much more the last step of a growth costs than the first, beyond what it costs without the filter, in percent of the first.
fn flat(what: &'static str, of: &'static str, steps: &[Growth]) -> Option<Target> {
    const LIMIT: f64 = 5.0;
    let mut steps = steps.iter().filter(|step| step.what == of);
    let (first, last) = (steps.next()?, steps.next_back()?);
    let whole = Figure::of(first.ours.iter().copied())?.median;
    let growth = (last.price()?.median - first.price()?.median) / whole * 100.0;
    Some(Target {
        what,
        asked: format!("≤ {LIMIT} % of a request"),
        found: format!("{growth:.1} %"),
        met: Some(growth <= LIMIT),
    })
}

/// What a byte costs that is not for the filter, and has to be looked at all the same.
fn foreign_cookies(steps: &[Growth]) -> Option<Target> {
    let nanoseconds = growth::per_byte(steps)?;
    Some(Target {
        what: "a byte of foreign cookies, beyond Envoy's own",
        asked: "what looking at it costs".into(),
        found: format!("{nanoseconds:.2} ns"),
        met: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_is_reached_is_met_and_one_that_is_passed_is_not() {
        let figure = |median| Figure::of([median]);
        assert!(at_most("x", 1.25, figure(1.25)).unwrap().met == Some(true));
        assert!(at_most("x", 1.25, figure(1.26)).unwrap().met == Some(false));
        assert!(at_most("x", 1.25, None).is_none());
    }

    #[test]
    fn a_growth_that_is_envoys_own_does_not_count() {
        let step = |count, bare: f64, ours: f64| Growth { what: OF_TARGETS, count, bare: vec![bare], ours: vec![ours] };
        let found = |last| flat("x", OF_TARGETS, &[step(2, 40.0, 50.0), step(100, 40.0, 50.0), last]).unwrap();
        assert_eq!(found(step(10_000, 60.0, 70.0)).met, Some(true));
        let grown = found(step(10_000, 40.0, 55.0));
        assert_eq!((grown.found.as_str(), grown.met), ("10.0 %", Some(false)));
    }
}
