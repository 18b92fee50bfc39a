//! Provides the Envoys and the programs that the end-to-end tests need.

use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::{Context, Result};

use super::needs;
use super::reports;
use super::runner::Runner;
use super::selection::Selection;
use super::suites::Envoys;
use crate::{sh, wasm};

/// Each part is downloaded or built once, when it is first asked for.
pub(crate) struct Fixture<'a> {
    selection: &'a Selection,
    envoys: OnceLock<Vec<(String, PathBuf)>>,
    filter: OnceLock<PathBuf>,
    backend: OnceLock<PathBuf>,
    target: OnceLock<PathBuf>,
}

impl<'a> Fixture<'a> {
    pub(crate) fn new(selection: &'a Selection) -> Self {
        let [filter, backend, target] = [const { OnceLock::new() }; 3];
        Self { selection, envoys: OnceLock::new(), filter, backend, target }
    }

    /// The Envoys to run on, each with a name for the reader.
    pub(crate) fn envoys(&self, which: Envoys) -> Result<&[(String, PathBuf)]> {
        let all = once(&self.envoys, || self.selection.envoys())?;
        Ok(match which {
            Envoys::All => all,
            Envoys::Newest => all.get(..1).unwrap_or_default(),
        })
    }

    /// The filter as it ships.
    pub(crate) fn filter(&self) -> Result<&PathBuf> {
        once(&self.filter, || wasm::build().context("building the filter failed"))
    }

    /// Tells the tests where the program of a target that fails is.
    pub(crate) fn with_target(&self, runner: Runner) -> Result<Runner> {
        // The suite `host` needs nothing, so its tests are built in every whole run.
        let target = once(&self.target, || {
            sh::beside_test("host", "traffic-target").context("building the program of a target failed")
        })?;
        Ok(runner.variable("TRAFFIC_TARGET", target))
    }

    /// Tells the tests where the filter is.
    pub(crate) fn with_filter(&self, runner: Runner) -> Result<Runner> {
        let runner = runner.variable("STICKY_SESSIONS_WASM", self.filter()?);
        let runner = runner.variable("STICKY_SESSIONS_PLAIN_WASM", wasm::plain());
        Ok(runner.variable(report::FOLDER, reports::folder()))
    }

    /// Also tells the tests where the demo's application and the browser are.
    pub(crate) fn with_demo(&self, runner: Runner) -> Result<Runner> {
        let backend = once(&self.backend, || {
            sh::step("the application of the demo");
            sh::beside_test("browser", "demo-backend").context("building the application of the demo failed")
        })?;
        let programs = [("CHROMIUM_BIN", needs::chromium()), ("CHROMEDRIVER_BIN", needs::chromedriver())];
        let programs = programs.into_iter().filter_map(|(name, program)| Some((name, program?)));
        let runner = self.with_filter(runner)?.variable("DEMO_BACKEND", backend);
        Ok(programs.fold(runner, |runner, (name, program)| runner.variable(name, program)))
    }
}

/// No two threads ask for the same part at once.
fn once<T>(cell: &OnceLock<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    if let Some(made) = cell.get() {
        return Ok(made);
    }
    let made = make()?;
    Ok(cell.get_or_init(|| made))
}
