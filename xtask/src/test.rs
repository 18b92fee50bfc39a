//! What has to pass before a change is good?

mod containers;
mod fuzz;
mod ground;
mod needs;
mod plan;
mod reports;
mod runner;
mod selection;
mod suites;

use std::time::Instant;

use anyhow::{Context, Result, bail};

use self::ground::Ground;
use self::plan::{Chosen, Plan};
use self::runner::Runner;
pub(crate) use self::selection::Selection;
use self::suites::{Kind, OnEnvoy};
use crate::sh;

/// `cargo xtask test`.
pub(crate) fn run(selection: &Selection) -> Result<()> {
    let start = Instant::now();
    let plan = Plan::of(selection.suites(), |need| (need.is_met)());
    let plan = if selection.suites.is_empty() { plan } else { plan.whole()? };

    reports::clear()?;
    let passed = run_chosen(&plan, selection);
    // Also of tests that failed: what was measured says more than that it was too much.
    reports::print()?;
    let passed = passed?;

    let left_out: String = plan.left_out.iter().map(|which| format!("\nLeft out: {which}.")).collect();
    let names = selection.names.join(" or ");
    if passed.is_empty() {
        let suites: Vec<_> = plan.chosen.iter().map(|chosen| chosen.suite.name).collect();
        bail!("no test of the suites {} has {names} in its name{left_out}", suites.join(", "));
    }
    let which = if names.is_empty() { String::new() } else { format!(", with {names} in the name") };
    println!("\nPassed in {} s{which}: {}.{left_out}", start.elapsed().as_secs(), passed.join("; "));
    Ok(())
}

/// What has passed, suite by suite.
fn run_chosen(plan: &Plan, selection: &Selection) -> Result<Vec<String>> {
    let ground = Ground::new(selection);
    let mut passed = Vec::new();
    for chosen in &plan.chosen {
        passed.extend(match chosen.suite.kind {
            Kind::Unit => run_units(&selection.names)?,
            Kind::Host => run_on_host(chosen, &selection.names, &ground)?,
            Kind::Envoy(how) => run_on_envoys(chosen, how, &selection.names, &ground)?,
            Kind::Containers => containers::run(chosen, &selection.names, &ground)?,
            Kind::Fuzz => fuzz::run(&selection.names, selection.runs)?,
        });
    }
    Ok(passed)
}

/// The suites that can be asked for.
#[cfg(test)]
pub(crate) fn suite_names() -> impl Iterator<Item = &'static str> {
    suites::SUITES.iter().map(|suite| suite.name)
}

/// What has passed: nothing when there is no test of these names.
fn run_units(names: &[String]) -> Result<Option<String>> {
    let Some(runner) = Runner::unit().named(names)? else {
        return Ok(None);
    };
    sh::step("unit tests");
    runner.run().context("the unit tests failed")?;
    // Examples have no names of their own.
    if names.is_empty() {
        Runner::examples().run().context("the examples in the documentation failed")?;
    }
    Ok(Some("unit".to_owned()))
}

/// As [`run_units`].
fn run_on_host(chosen: &Chosen, names: &[String], ground: &Ground) -> Result<Option<String>> {
    let suite = chosen.suite.name;
    let Some(runner) = Runner::target(suite).without(&chosen.skipped).named(names)? else {
        return Ok(None);
    };
    let runner = ground.with_filter(runner)?;
    sh::step(&format!("{suite} tests"));
    runner.run().with_context(|| format!("the {suite} tests failed"))?;
    Ok(Some(suite.to_owned()))
}

/// As [`run_units`].
fn run_on_envoys(chosen: &Chosen, how: OnEnvoy, names: &[String], ground: &Ground) -> Result<Option<String>> {
    let suite = chosen.suite.name;
    let Some(runner) = Runner::target(suite).without(&chosen.skipped).named(names)? else {
        return Ok(None);
    };
    let runner = runner.with(how.arguments);
    let runner = if how.demo { ground.with_demo(runner)? } else { ground.with_filter(runner)? };
    let envoys = ground.envoys(how.envoys)?;
    for (name, binary) in envoys {
        sh::step(&format!("{suite} tests on {name}"));
        let runner = runner.clone().variable("ENVOY_BIN", binary);
        runner.run().with_context(|| format!("the {suite} tests on {name} failed"))?;
    }
    let names: Vec<_> = envoys.iter().map(|(name, _)| name.as_str()).collect();
    Ok(Some(format!("{suite} on {}", names.join(" and "))))
}
