//! `cargo xtask bench` runs this: what does stickiness cost?
//!
//! One run measures everything that `docs/performance.md` says, and writes it.

mod backend;
mod check;
mod client;
mod cpu;
mod envoys;
mod figures;
mod ground;
mod load;
mod main_table;
mod noop;
mod options;
mod others;
mod proxy;
mod rounds;
mod smoke;
mod table;
mod variant;

use std::process::ExitCode;

use anyhow::Result;

use crate::options::Options;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let options = Options::parse(std::env::args().skip(1))?;
    let ground = ground::Ground::prepare()?;
    if options.smoke {
        return smoke::run(&ground, &options);
    }
    let table = main_table::measure(&ground, &options)?;
    println!("{}", table::main_table(&table));
    Ok(())
}

/// Says on standard error what is under way.
fn say(what: &str) {
    eprintln!("bench: {what}");
}
