//! Runs the compiled filter in an interpreter, on a host that answers like Envoy, fails on demand, and records every call.
//!
//! Envoy cannot be made to answer every call with every status, and it does not count its calls.

#![allow(
    clippy::missing_panics_doc,
    reason = "a panic means that the filter has made a call that no host could answer"
)]

mod answers;
mod record;
mod scenario;
mod vm;

pub use answers::{DATA, Fault, Headers, Host};
pub use record::Crossing;
pub use scenario::{Scenario, calls_of, crossings_of};
pub use vm::Vm;
pub use wasmi::{Error, Module};
