//! A whole run: everything that the page says.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::calls::{self, Counted};
use crate::ground::Ground;
use crate::growth::{self, Growth};
use crate::machine::Machine;
use crate::main_table::{self, MainTable};
use crate::matrix::{self, Line};
use crate::memory::{self, Memory};
use crate::options::Options;
use crate::pure::{self, Operation};
use crate::startup::{self, Startup};
use crate::steps::{self, Step};
use crate::{page, say};

/// What a run has found.
pub(crate) struct Run {
    pub(crate) machine: Machine,
    pub(crate) calls: Vec<Counted>,
    pub(crate) startup: Startup,
    pub(crate) main: MainTable,
    pub(crate) steps: Vec<Step>,
    pub(crate) matrix: Vec<Line>,
    pub(crate) growth: Vec<Growth>,
    pub(crate) memory: Memory,
    pub(crate) pure: Option<Vec<Operation>>,
    pub(crate) took: Duration,
}

/// Measures everything.
pub(crate) fn whole(ground: &Ground, options: &Options) -> Result<Run> {
    let start = Instant::now();
    let calls = calls::count(ground)?;
    let startup = startup::measure(ground)?;
    let main = main_table::measure(ground, options)?;
    let steps = steps::measure(ground)?;
    let matrix = matrix::measure(ground)?;
    let growth = growth::measure(ground)?;
    let memory = memory::measure(ground)?;
    let machine = Machine::describe(ground, &main.versions)?;
    Ok(Run { machine, calls, startup, main, steps, matrix, growth, memory, pure: pure::read()?, took: start.elapsed() })
}

/// Measures the sections that are asked for, and prints each.
pub(crate) fn parts(ground: &Ground, options: &Options) -> Result<()> {
    let mut printed = false;
    let mut print = |text: String| {
        printed = true;
        println!("{text}");
    };
    if options.section("calls") {
        print(calls::table(&calls::count(ground)?));
    }
    if options.section("start") {
        print(page::startup(&startup::measure(ground)?));
    }
    if main_table::wanted(options) {
        print(page::main_table(&main_table::measure(ground, options)?));
    }
    if options.section("steps") {
        print(page::steps(&steps::measure(ground)?));
    }
    if options.section("matrix") {
        print(page::matrix(&matrix::measure(ground)?));
    }
    if options.section("growth") {
        print(page::growth(&growth::measure(ground)?));
    }
    if options.section("memory") {
        print(page::memory(&memory::measure(ground)?));
    }
    if !printed {
        say(
            "no section (calls, start, main, steps, matrix, growth, memory) and no variant has any of these words in its name",
        );
    }
    Ok(())
}
