//! Test machinery: downloads, starts, watches and ends a real Envoy with the shipped configuration.
//!
//! The tests, the benchmark, the demo and `xtask` use it. It also has the child processes, waits and requests that they share.
//!
//! ```no_run
//! # fn main() -> local_envoy::Result<()> {
//! use local_envoy::{Config, Envoy, Plugin, Settings};
//!
//! let mut config = Config::shipped()?;
//! config.free_ports()?;
//! config.wasm_file("dist/sticky_sessions.wasm".as_ref())?;
//! config.endpoints("web", &["127.0.0.1:40123".parse().unwrap()])?;
//! config.plugin(Plugin::Json(r#"{"target_groups": {}}"#))?;
//!
//! let envoy = Envoy::start(&local_envoy::binary()?, &config, Settings::default())?;
//! println!("{} {}", envoy.address("sticky")?, envoy.admin().counter("server.total_connections")?);
//! # Ok(()) }
//! ```

mod admin;
mod binary;
pub mod child;
mod config;
mod ending;
mod error;
mod hot_restart;
pub mod http;
mod log;
mod process;
mod wait;
mod workspace;

pub use admin::Admin;
pub use binary::{DEFAULT_VERSION, OLDEST_VERSION, binary, binary_of, named_binary};
pub use child::Child;
pub use config::{Config, Plugin};
pub use error::{Error, Result};
pub use log::{Log, Stream};
pub use process::{Envoy, OnLine, Settings, Validation, validate};
pub use wait::{try_until, wait_until};
pub use workspace::{build_program, workspace_root};
