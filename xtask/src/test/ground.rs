//! On what do the tests of an Envoy run?

use std::cell::OnceCell;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::needs;
use super::reports;
use super::runner::Runner;
use super::selection::Selection;
use super::suites::Envoys;
use crate::{sh, wasm};

/// What is fetched or built when the first suite asks for it.
pub(crate) struct Ground<'a> {
    selection: &'a Selection,
    envoys: OnceCell<Vec<(String, PathBuf)>>,
    filter: OnceCell<PathBuf>,
    backend: OnceCell<PathBuf>,
}

impl<'a> Ground<'a> {
    pub(crate) fn new(selection: &'a Selection) -> Self {
        Self { selection, envoys: OnceCell::new(), filter: OnceCell::new(), backend: OnceCell::new() }
    }

    /// What to call each Envoy, and where it is.
    pub(crate) fn envoys(&self, which: Envoys) -> Result<&[(String, PathBuf)]> {
        let all = once(&self.envoys, || self.selection.envoys())?;
        Ok(match which {
            Envoys::NewestAndOldest => all,
            Envoys::Newest => all.get(..1).unwrap_or_default(),
        })
    }

    /// Tells the tests where the filter is.
    pub(crate) fn with_filter(&self, runner: Runner) -> Result<Runner> {
        let filter = once(&self.filter, || {
            sh::step("the filter, as it ships");
            wasm::build().context("building the filter failed")
        })?;
        let runner =
            runner.variable("STICKY_SESSIONS_WASM", filter).variable("STICKY_SESSIONS_PLAIN_WASM", wasm::plain());
        Ok(runner.variable(report::FOLDER, reports::folder()))
    }

    /// Tells them also where the application of the demo is, and the browser before it.
    pub(crate) fn with_demo(&self, runner: Runner) -> Result<Runner> {
        let backend = once(&self.backend, || {
            sh::step("the application of the demo");
            sh::demo_backend().context("building the application of the demo failed")
        })?;
        let programs = [("CHROMIUM_BIN", needs::chromium()), ("CHROMEDRIVER_BIN", needs::chromedriver())];
        let programs = programs.into_iter().filter_map(|(name, program)| Some((name, program?)));
        let runner = self.with_filter(runner)?.variable("DEMO_BACKEND", backend);
        Ok(programs.fold(runner, |runner, (name, program)| runner.variable(name, program)))
    }
}

fn once<T>(cell: &OnceCell<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    if let Some(made) = cell.get() {
        return Ok(made);
    }
    let made = make()?;
    Ok(cell.get_or_init(|| made))
}
