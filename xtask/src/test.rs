//! `cargo xtask test`: builds all tests at once, runs suite after suite, and prints one report.

mod containers;
mod fixture;
mod fuzz;
mod needs;
mod plan;
mod reports;
mod runner;
mod selection;
mod suites;

use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};

use self::fixture::Fixture;
use self::plan::{Chosen, Plan};
use self::runner::Runner;
pub(crate) use self::selection::{Selection, arguments};
use self::suites::{Envoys, Kind, OnEnvoy, Program};
use crate::sh;

/// A suite that passed.
struct Passed {
    /// The suite and what it ran on, for the reader.
    what: String,
    /// The number of tests, or another measure of them.
    tests: String,
}

impl Passed {
    fn tests(what: impl Into<String>, tests: usize) -> Self {
        Self { what: what.into(), tests: tests.to_string() }
    }
}

/// Runs the chosen suites.
pub(crate) fn run(selection: &Selection) -> Result<()> {
    let start = Instant::now();
    let plan = Plan::of(selection.suites(), |need| (need.is_met)());
    let plan = if selection.suites.is_empty() { plan } else { plan.whole()? };

    reports::clear()?;
    let passed = run_chosen(&plan, selection);
    // Also after a failure: the figures help to understand it.
    reports::print()?;
    let passed = passed?;

    let left_out: String = plan.left_out.iter().map(|suite| format!("\nLeft out: {suite}.")).collect();
    let names = selection.names.join(" or ");
    if passed.is_empty() {
        let suites: Vec<_> = plan.chosen.iter().map(|chosen| chosen.suite.name).collect();
        bail!("no test of the suites {} has {names} in its name{left_out}", suites.join(", "));
    }
    let with_names = if names.is_empty() { String::new() } else { format!(", with {names} in the name") };
    println!("\nPassed in {} s{with_names}: {}.{left_out}", start.elapsed().as_secs(), passed.join("; "));
    Ok(())
}

/// Returns the suites that passed, each in words.
fn run_chosen(plan: &Plan, selection: &Selection) -> Result<Vec<String>> {
    let fixture = Fixture::new(selection);
    let start = Instant::now();
    build(plan, &fixture)?;
    reports::suite("(builds and downloads)", "", start.elapsed())?;
    let mut all = Vec::new();
    for chosen in &plan.chosen {
        let start = Instant::now();
        let passed = match chosen.suite.kind {
            Kind::Unit => run_units(&selection.names, &fixture)?,
            Kind::Host => run_on_host(chosen, &selection.names, &fixture)?,
            Kind::Envoy(how) => run_on_envoys(chosen, how, &selection.names, &fixture)?,
            Kind::Containers => containers::run(chosen, &selection.names, &fixture)?,
            Kind::Fuzz => fuzz::run(&selection.names, selection.runs)?,
        };
        if let Some(Passed { what, tests }) = passed {
            reports::suite(&what, &tests, start.elapsed())?;
            all.push(what);
        }
    }
    Ok(all)
}

/// Builds the tests, and at the same time gets what they run on: the Envoys, the filter and the fuzz targets. Each of the builds
/// has a stage that keeps only one processor busy.
fn build(plan: &Plan, fixture: &Fixture<'_>) -> Result<()> {
    let has = |is_meant: fn(Kind) -> bool| plan.chosen.iter().any(|chosen| is_meant(chosen.suite.kind));
    let get_the_rest = || -> Result<()> {
        if has(|kind| matches!(kind, Kind::Envoy(_))) {
            fixture.envoys(Envoys::All)?;
        }
        if has(|kind| matches!(kind, Kind::Envoy(_) | Kind::Host)) {
            fixture.filter()?;
        }
        if has(|kind| matches!(kind, Kind::Fuzz)) {
            fuzz::build()?;
        }
        Ok(())
    };
    sh::step("the tests, the filter as it ships, and Envoy");
    thread::scope(|scope| {
        let rest = scope.spawn(get_the_rest);
        let tests = Runner::build(&plan.chosen).run().context("building the tests failed");
        let rest = rest.join().unwrap_or_else(|_| Err(anyhow!("getting the filter and Envoy failed")));
        tests.and(rest)
    })
}

/// The suites that can be asked for.
#[cfg(test)]
pub(crate) fn suite_names() -> impl Iterator<Item = &'static str> {
    suites::SUITES.iter().map(|suite| suite.name)
}

/// Returns `None` when no test has one of these names.
fn run_units(names: &[String], fixture: &Fixture<'_>) -> Result<Option<Passed>> {
    let Some(runner) = Runner::unit().named(names)? else {
        return Ok(None);
    };
    let runner = fixture.with_target(runner)?;
    sh::step("unit tests");
    let mut passed = runner.run().context("the unit tests failed")?;
    // Examples have no names of their own.
    if names.is_empty() {
        passed += Runner::examples().run().context("the examples in the documentation failed")?;
    }
    Ok(Some(Passed::tests("unit", passed)))
}

/// As [`run_units`].
fn run_on_host(chosen: &Chosen, names: &[String], fixture: &Fixture<'_>) -> Result<Option<Passed>> {
    let suite = chosen.suite.name;
    let Some(runner) = Runner::target(suite).without(&chosen.skipped).named(names)? else {
        return Ok(None);
    };
    let runner = fixture.with_filter(runner)?;
    sh::step(&format!("{suite} tests"));
    let passed = runner.run().with_context(|| format!("the {suite} tests failed"))?;
    Ok(Some(Passed::tests(suite, passed)))
}

/// As [`run_units`].
fn run_on_envoys(chosen: &Chosen, how: OnEnvoy, names: &[String], fixture: &Fixture<'_>) -> Result<Option<Passed>> {
    let suite = chosen.suite.name;
    let Some(runner) = Runner::target(suite).without(&chosen.skipped).named(names)? else {
        return Ok(None);
    };
    let runner = runner.with(["--test-threads", &how.threads.count().to_string()]);
    let runner = match how.program {
        Program::None => fixture.with_filter(runner)?,
        Program::Demo => fixture.with_demo(runner)?,
        Program::Target => fixture.with_target(fixture.with_filter(runner)?)?,
    };
    let envoys = fixture.envoys(how.envoys)?;
    let mut passed = 0;
    for (name, binary) in envoys {
        sh::step(&format!("{suite} tests on {name}"));
        let runner = runner.clone().variable("ENVOY_BIN", binary);
        passed += runner.run().with_context(|| format!("the {suite} tests on {name} failed"))?;
    }
    let names: Vec<_> = envoys.iter().map(|(name, _)| name.as_str()).collect();
    Ok(Some(Passed::tests(format!("{suite} on {}", names.join(" and ")), passed)))
}
