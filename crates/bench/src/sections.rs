//! The sections of a run: each module measures one.

pub(crate) mod calls;
mod check;
pub(crate) mod growth;
pub(crate) mod machine;
pub(crate) mod main_table;
pub(crate) mod matrix;
pub(crate) mod memory;
pub(crate) mod pure;
pub(crate) mod startup;
pub(crate) mod steps;
pub(crate) mod variants;

use std::time::{Duration, Instant};

use anyhow::Result;
use wasm_host::Scenario;

use self::calls::Counted;
use self::growth::Growth;
use self::machine::Machine;
use self::main_table::MainTable;
use self::memory::Memory;
use self::pure::Operation;
use self::startup::Startup;
use self::steps::Step;
use crate::fixture::Fixture;
use crate::options::Options;

/// The results of a whole run.
pub(crate) struct Run {
    pub(crate) machine: Machine,
    pub(crate) calls: Vec<Counted>,
    pub(crate) startup: Startup,
    pub(crate) main: MainTable,
    pub(crate) steps: Vec<Step>,
    pub(crate) matrix: Vec<matrix::Line>,
    pub(crate) growth: Vec<Growth>,
    pub(crate) memory: Memory,
    /// `None` if `cargo bench` did not run before.
    pub(crate) pure: Option<Vec<Operation>>,
    pub(crate) duration: Duration,
}

impl Run {
    /// Measures every section.
    pub(crate) fn measure(fixture: &Fixture, options: &Options) -> Result<Self> {
        let start = Instant::now();
        let calls = calls::count(fixture, &Scenario::ALL)?;
        let startup = startup::measure(fixture)?;
        let main = main_table::measure(fixture, options)?;
        let steps = steps::measure(fixture)?;
        let matrix = matrix::measure(fixture)?;
        let growth = growth::measure(fixture)?;
        let memory = memory::measure(fixture)?;
        let machine = Machine::describe(fixture, &main.versions)?;
        let pure = pure::read()?;
        Ok(Self { machine, calls, startup, main, steps, matrix, growth, memory, pure, duration: start.elapsed() })
    }
}
