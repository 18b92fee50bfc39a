//! Demo machinery: runs the demo on this machine or in containers.
//!
//! The demo is a small web application in two instances, `a` and `b`, behind an Envoy with the filter and the shipped
//! configuration. `cargo xtask demo` and the browser tests use this crate.
//!
//! ```no_run
//! # fn main() -> local_envoy::Result<()> {
//! use local_demo::{Demo, Ports, Settings};
//!
//! let mut demo = Demo::start(Settings {
//!     envoy: local_envoy::binary()?,
//!     filter: "dist/sticky_sessions.wasm".into(),
//!     backend: "target/release/demo-backend".into(),
//!     ports: Ports::free()?,
//!     ..Settings::default()
//! })?;
//! println!("http://localhost:{}", demo.ports().sticky);
//! demo.stop("a")?;
//! demo.start_again("a")?;
//! # Ok(()) }
//! ```
//!
//! [`Compose`] is the same demo in containers.

mod compose;
mod demo;
mod free_ports;
mod instance;
mod key;
mod ports;

pub use compose::Compose;
pub use demo::{Demo, Edit, Settings};
pub use free_ports::free_ports;
pub use ports::Ports;
