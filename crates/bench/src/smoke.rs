//! Does everything work that is measured?

use std::time::Instant;

use anyhow::{Context, Result};

use crate::ground::Ground;
use crate::load::{self, Protocol, Request};
use crate::main_table::Lineup;
use crate::options::Options;
use crate::say;
use crate::table::Table;

/// Requests to each variant, all of whose answers are looked at.
const LOOKS: usize = 300;

/// Every variant, and no figure that depends on time.
pub(crate) fn run(ground: &Ground, options: &Options) -> Result<()> {
    let start = Instant::now();
    let lineup = Lineup::start(ground, options, LOOKS)?;
    let mut table = Table::of(&["variant", "requests that kept their promise"]);
    for ready in &lineup.ready {
        table.row([ready.variant.name.to_owned(), LOOKS.to_string()]);
    }
    // The load generators themselves: one second each.
    if let Some(ready) = lineup.ready.first() {
        let proxy = &lineup.proxies[ready.proxy];
        for protocol in [Protocol::Http1, Protocol::Http2] {
            let request = Request { protocol, ..ready.request.clone() };
            load::put(proxy.address, &request, 1).with_context(|| protocol.name())?;
            table.row([format!("a load over {}", protocol.name()), "all".to_owned()]);
        }
    }
    println!("{table}");
    for why in &lineup.absent {
        println!("NOT TESTED: {why}");
    }
    say(&format!("{} variants kept their promises in {:?}", lineup.ready.len(), start.elapsed()));
    Ok(())
}
