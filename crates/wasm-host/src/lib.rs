//! What takes Envoy's place where Envoy cannot be made to answer every call with every status, or does not count its calls?
//!
//! The filter as it ships runs in an interpreter, on a host that answers as Envoy does, unless it is told to fail, and keeps a
//! record of all that passes between the two.

#![allow(
    clippy::missing_panics_doc,
    reason = "a panic is a call that no host could answer: a filter that asks for what is not its business"
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
