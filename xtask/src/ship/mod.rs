//! Makes the module that ships out of the module that cargo builds.

mod names;
mod prune;
mod twins;
mod uncalled;

use anyhow::Result;
use walrus::Module;

/// The module that ships.
pub(crate) fn shipped(built: &[u8]) -> Result<Vec<u8>> {
    let mut module = Module::from_buffer(built)?;
    let passes = std::env::var("PASSES").unwrap_or("pune t".into());
    if passes.contains('p') {
        prune::prune(&mut module)?;
    }
    if passes.contains('u') {
        uncalled::remove(&mut module);
    }
    if passes.contains('n') {
        names::shorten(&mut module);
    }
    if passes.contains('t') {
        twins::merge(&mut module);
    }
    Ok(module.emit_wasm())
}
