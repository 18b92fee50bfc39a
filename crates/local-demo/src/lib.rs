//! How does a program on this machine run the demo: two instances of a small web application, `a` and `b`, behind an Envoy with
//! the filter and the shipped configuration?
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
//! The same demo in containers is a [`Compose`].

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
