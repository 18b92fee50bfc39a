//! Runs the tests of the demo in containers, and checks that nothing stays behind.

use anyhow::{Context, Result, bail};
use local_demo::{Compose, Ports};
use local_envoy::child;

use super::Passed;
use super::fixture::Fixture;
use super::plan::Chosen;
use super::runner::Runner;
use super::suites::{Envoys, PAGE};
use crate::{cleanup, sh};

/// Another name than the demo's own, which may run beside the tests.
const PROJECT: &str = "sticky-sessions-test";

/// The suite whose tests of the page run here too.
pub(crate) const PAGE_SUITE: &str = "browser";

/// Starts the demo, runs its tests, and always takes the demo down again. Returns what passed, or `None` when no test has one of
/// these names.
pub(crate) fn run(chosen: &Chosen, names: &[String], fixture: &Fixture<'_>) -> Result<Option<Passed>> {
    let runners = runners(chosen, names, fixture)?;
    if runners.is_empty() {
        return Ok(None);
    }
    let compose = Compose::new(PROJECT, Ports::free()?);
    let open = cleanup::open();
    let passed = up(&compose).and_then(|()| run_against(&compose, &runners));
    if passed.is_err() && !child::ending() {
        sh::step("what the containers printed");
        // The first error is the one to show.
        let _ = sh::run(&mut compose.command(&["logs", "--no-color", "--tail", "200"]));
    }
    sh::step("the demo in containers ends");
    let down = cleanup::run(&mut compose.command(&["down", "--volumes", "--remove-orphans", "--rmi", "local"]));
    drop(open);
    let tests = passed?;
    down?;
    let left_behind = compose.left_behind()?;
    if !left_behind.is_empty() {
        bail!("`docker compose down` left behind: {}", left_behind.join(", "));
    }
    Ok(Some(Passed::tests(chosen.suite.name, tests)))
}

/// The tests of the containers themselves, and those of the page that they serve.
fn runners(chosen: &Chosen, names: &[String], fixture: &Fixture<'_>) -> Result<Vec<Runner>> {
    let mut runners = Vec::from_iter(Runner::target(chosen.suite.name).named(names)?);
    if !chosen.skipped.contains(&PAGE)
        && let Some(page) = page_tests(names)?
    {
        // The tests of the page over TLS start an Envoy beside the containers.
        let page = fixture.with_demo(page)?;
        let envoys = fixture.envoys(Envoys::Newest)?.iter();
        runners.extend(envoys.map(|(_, binary)| page.clone().variable("ENVOY_BIN", binary)));
    }
    Ok(runners)
}

fn page_tests(names: &[String]) -> Result<Option<Runner>> {
    let browser = Runner::target(PAGE_SUITE);
    if names.is_empty() {
        return Ok(Some(browser.with([PAGE])));
    }
    // The test runner takes a test that matches any of its filters. Here a test must be one of the page and have the name.
    let page = browser.clone().with([PAGE]).tests()?;
    let page: Vec<_> = page.into_iter().filter(|test| names.iter().any(|name| test.contains(name.as_str()))).collect();
    Ok(if page.is_empty() { None } else { Some(browser.with(["--exact"]).with(page)) })
}

fn up(compose: &Compose) -> Result<()> {
    sh::step("the demo in containers");
    sh::run(&mut compose.command(&["up", "--build", "--wait", "--detach"]))
        .context("the demo in containers does not start")
}

/// Returns how many tests passed.
fn run_against(compose: &Compose, runners: &[Runner]) -> Result<usize> {
    sh::step("tests of the demo in containers");
    let mut passed = 0;
    for runner in runners {
        // One demo serves all tests, and a test may stop an instance that another test needs.
        let runner = runner.clone().with(["--test-threads", "1"]);
        let variables = compose.variables();
        let runner = variables.iter().fold(runner, |runner, (name, value)| runner.variable(name, value));
        passed += runner.run().context("the tests of the demo in containers failed")?;
    }
    Ok(passed)
}
