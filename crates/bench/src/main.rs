//! Measures the cost of stickiness: this filter beside other filters of Envoy and beside other proxies.
//!
//! `cargo xtask bench` runs it. A whole run writes `docs/performance.md` and `docs/performance.svg`.

mod figures;
mod fixture;
mod hand_written;
mod options;
mod page;
mod proxy;
mod requests;
mod rounds;
mod sections;

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result};
use wasm_host::Scenario;

use crate::fixture::Fixture;
use crate::options::{Options, Section};
use crate::page::{chart, goals, tables};
use crate::rounds::say;
use crate::sections::{Run, calls, growth, main_table, matrix, memory, startup, steps};

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        // Prints the message, or the help, and ends the process.
        Err(error) => error.exit(),
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    if options.redraw {
        return redraw();
    }
    let fixture = Fixture::prepare()?;
    if options.smoke {
        main_table::smoke(&fixture, options)
    } else if options.is_whole_run() {
        write_page(&Run::measure(&fixture, options)?)
    } else {
        print_sections(&fixture, options)
    }
}

/// Writes the page and its chart, and prints the most important tables.
fn write_page(run: &Run) -> Result<()> {
    let docs = local_envoy::workspace_root().join("docs");
    let page = page::page(run);
    fs::write(docs.join("performance.md"), &page).context("docs/performance.md")?;
    fs::write(docs.join("performance.svg"), chart::of_page(&page)).context("docs/performance.svg")?;
    println!("{}\n{}", tables::main_table(&run.main), goals::table(run));
    say(&format!(
        "docs/performance.md and docs/performance.svg are written, after {} minutes",
        run.duration.as_secs() / 60
    ));
    Ok(())
}

/// Draws the chart again from the page, after a change of its words or its form.
fn redraw() -> Result<()> {
    let docs = local_envoy::workspace_root().join("docs");
    let page = fs::read_to_string(docs.join("performance.md")).context("docs/performance.md")?;
    fs::write(docs.join("performance.svg"), chart::of_page(&page)).context("docs/performance.svg")
}

/// Measures the selected sections, and prints each.
fn print_sections(fixture: &Fixture, options: &Options) -> Result<()> {
    let mut printed = false;
    let mut print = |text: String| {
        printed = true;
        println!("{text}");
    };
    if options.selects(Section::Calls) {
        print(tables::calls(&calls::count(fixture, &Scenario::ALL)?));
    }
    if options.selects(Section::Pinned) {
        print(tables::calls(&calls::count(fixture, &[Scenario::Pinned])?));
    }
    if options.selects(Section::Start) {
        print(tables::startup(&startup::measure(fixture)?));
    }
    if main_table::is_selected(options) {
        print(tables::main_table(&main_table::measure(fixture, options)?));
    }
    if options.selects(Section::Steps) {
        print(tables::steps(&steps::measure(fixture)?));
    }
    if options.selects(Section::Matrix) {
        print(tables::matrix(&matrix::measure(fixture)?));
    }
    if options.selects(Section::Growth) {
        print(tables::growth(&growth::measure(fixture)?));
    }
    if options.selects(Section::Memory) {
        print(tables::memory(&memory::measure(fixture)?));
    }
    if !printed {
        say(&format!("no section ({}) and no variant has such a name", Section::names()));
    }
    Ok(())
}
