//! `cargo xtask bench` runs this: what does stickiness cost?
//!
//! One run measures everything that `docs/performance.md` says, and writes it.

mod backend;
mod calls;
mod chart;
mod check;
mod client;
mod cookies;
mod cpu;
mod envoys;
mod figures;
mod ground;
mod growth;
mod load;
mod machine;
mod main_table;
mod matrix;
mod memory;
mod noop;
mod options;
mod others;
mod page;
mod proxy;
mod pure;
mod rounds;
mod run;
mod smoke;
mod startup;
mod steps;
mod table;
mod targets;
mod variant;

use std::process::ExitCode;

use anyhow::{Context, Result};

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
    if !options.whole() {
        return run::parts(&ground, &options);
    }
    let run = run::whole(&ground, &options)?;
    let docs = local_envoy::workspace_root().join("docs");
    std::fs::write(docs.join("performance.md"), page::whole(&run)).context("docs/performance.md")?;
    std::fs::write(docs.join("performance.svg"), page::chart(&run.main)).context("docs/performance.svg")?;
    println!("{}\n{}", page::main_table(&run.main), targets::table(&run));
    say(&format!(
        "docs/performance.md and docs/performance.svg say what came of it, after {} minutes",
        run.took.as_secs() / 60
    ));
    Ok(())
}

/// Says on standard error what is under way.
fn say(what: &str) {
    eprintln!("bench: {what}");
}
