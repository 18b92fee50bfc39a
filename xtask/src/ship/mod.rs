//! Makes the module that ships out of the module that cargo builds.
//!
//! The module of cargo is as safe: tests/host plays every test on both. The passes make the filter cheaper. Measured on the filter of
//! 25 November 2026, which has 460,016 bytes when cargo has built it, and 436,110 after walrus has read and written it:
//!
//! | Pass | Reason | Bytes afterwards |
//! |---|---|---|
//! | [`prune`] | CPU: Envoy calls every callback that a module exports, and the SDK exports all. Without those that the filter leaves empty, Envoy used 53.2 µs instead of 56.6 for a pinned request. | 417,844 |
//! | [`names`] | Size: every worker reads the names at its start. | 352,183 |
//! | [`twins`] | Size: `wasm.rs` has a budget. | 345,390 |
//!
//! A pass that took functions out of the table of which no code calls the type saved 2,397 bytes more, 0.7 %. That is less than its
//! 150 lines are worth, so it is gone. A pass that rewrote the statuses of the host is gone too: the source takes every status
//! (`crates/hostcalls`).
//!
//! `wasm-opt -Os` of binaryen 108 is better than [`twins`]: behind [`prune`] and [`names`] it leaves 332,621 bytes (`-O3`: 333,018),
//! in one second. It changes nothing in CPU. It is not used, because the crate `wasm-opt` compiles binaryen from C++ for everybody
//! who builds the filter, and a `wasm-opt` of the system would make another module on every machine.
//!
//! To measure it again, comment passes out in [`shipped`] and run `cargo xtask wasm`, and then
//! `wasm-opt -Os -g --enable-simd --enable-bulk-memory --enable-nontrapping-float-to-int dist/sticky_sessions.wasm -o /dev/shm/opt.wasm`.

mod names;
mod prune;
mod twins;

use anyhow::Result;
use walrus::Module;

/// The module that ships.
///
/// # Errors
///
/// When cargo's is no module, or lacks a callback that the filter implements.
pub(crate) fn shipped(built: &[u8]) -> Result<Vec<u8>> {
    let mut module = Module::from_buffer(built)?;
    prune::prune(&mut module)?;
    names::shorten(&mut module);
    twins::merge(&mut module);
    Ok(module.emit_wasm())
}
