//! Does the demo work in containers, and leave nothing behind?

use anyhow::{Context, Result, bail};
use local_demo::{Compose, Ports};
use local_envoy::child;

use super::ground::Ground;
use super::plan::Chosen;
use super::runner::Runner;
use super::suites::{Envoys, PAGE};
use crate::{cleanup, sh};

/// Not that of the demo itself, which may run beside the tests.
const PROJECT: &str = "sticky-sessions-test";

/// Brings the demo up, runs its tests against it, and takes it down whatever happens. What has passed: nothing when there is no
/// test of these names.
pub(crate) fn run(chosen: &Chosen, names: &[String], ground: &Ground) -> Result<Option<String>> {
    let runners = runners(chosen, names, ground)?;
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
    passed?;
    down?;
    let left_behind = compose.left_behind()?;
    if !left_behind.is_empty() {
        bail!("`docker compose down` left behind: {}", left_behind.join(", "));
    }
    Ok(Some(chosen.suite.name.to_owned()))
}

/// The tests of the containers themselves, and those of the page that they serve.
fn runners(chosen: &Chosen, names: &[String], ground: &Ground) -> Result<Vec<Runner>> {
    let mut runners = Vec::from_iter(Runner::target(chosen.suite.name).named(names)?);
    if !chosen.skipped.contains(&PAGE)
        && let Some(page) = page_tests(names)?
    {
        // A page over TLS is that of an Envoy beside the containers.
        let page = ground.with_demo(page)?;
        let envoys = ground.envoys(Envoys::Newest)?.iter();
        runners.extend(envoys.map(|(_, binary)| page.clone().variable("ENVOY_BIN", binary)));
    }
    Ok(runners)
}

fn page_tests(names: &[String]) -> Result<Option<Runner>> {
    let browser = Runner::target("browser");
    if names.is_empty() {
        return Ok(Some(browser.with([PAGE])));
    }
    // Of several filters the test runner takes what passes any, not all.
    let page = browser.clone().with([PAGE]).tests()?;
    let page: Vec<_> = page.into_iter().filter(|test| names.iter().any(|name| test.contains(name.as_str()))).collect();
    Ok(if page.is_empty() { None } else { Some(browser.with(["--exact"]).with(page)) })
}

fn up(compose: &Compose) -> Result<()> {
    sh::step("the demo in containers");
    sh::run(&mut compose.command(&["up", "--build", "--wait", "--detach"]))
        .context("the demo in containers does not start")
}

fn run_against(compose: &Compose, runners: &[Runner]) -> Result<()> {
    sh::step("tests of the demo in containers");
    for runner in runners {
        // One demo for all: what a test stops must not be missed by another.
        let runner = runner.clone().with(["--test-threads", "1"]);
        let variables = compose.variables();
        let runner = variables.iter().fold(runner, |runner, (name, value)| runner.variable(name, value));
        runner.run().context("the tests of the demo in containers failed")?;
    }
    Ok(())
}
