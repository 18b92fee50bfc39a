//! The proxies: each knows its own words for a setup, and nothing of what is expected of it.

mod caddy;
mod envoy;
mod haproxy;
mod native;
mod nginx;
mod ours;
mod server;

use std::net::SocketAddr;

use crate::backends::Backends;
use crate::scenario::{Options, Origin};
use crate::setup::Setup;

/// What a proxy is given.
pub(crate) struct Ground<'a> {
    pub(crate) setup: &'a Setup,
    pub(crate) backends: &'a Backends,
    /// Where names are looked up.
    pub(crate) names: SocketAddr,
    /// For our filter.
    pub(crate) options: Option<&'a Options>,
}

/// Why there is no proxy for a setup.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It cannot be asked for this.
    NoWords(String),
    /// It was asked and did not start.
    Broken(String),
}

/// One of those that are compared.
pub(crate) trait Proxy: Sync {
    /// As the matrix heads its column.
    fn name(&self) -> &'static str;

    /// What it says of itself; `None` when it is not at hand.
    fn version(&self) -> Option<String>;

    /// What to say when it is not at hand.
    fn absent(&self) -> &'static str {
        "not at hand, not run: docs/compatibility.md keeps its cells of an earlier run"
    }

    /// Whose scenarios it has to pass.
    fn origin(&self) -> Option<Origin>;

    /// # Errors
    ///
    /// When it has no words for the setup, or does not start.
    fn start(&self, ground: &Ground<'_>) -> Result<Box<dyn Running>, Refusal>;

    /// A cookie as it would have been given so many seconds ago with an answer of a backend of the pool `web`, if its
    /// cookies are dated.
    fn dated(&self, _ground: &Ground<'_>, _backend: &str, _seconds_ago: i64) -> Option<String> {
        None
    }
}

/// A proxy that runs. It ends when this is dropped.
pub(crate) trait Running {
    fn address(&self) -> SocketAddr;

    /// Takes over another setup without an end of its process; `None` when it can only be started again.
    fn reload(&mut self, _ground: &Ground<'_>) -> Option<Result<(), Refusal>> {
        None
    }
}

impl Refusal {
    fn no_words(for_what: impl Into<String>) -> Self {
        Self::NoWords(for_what.into())
    }
}

/// Ours first, and then by how close they are to it.
pub(crate) const PROXIES: [&dyn Proxy; 5] =
    [&ours::StickySessions, &native::StatefulSession, &haproxy::Haproxy, &nginx::Nginx, &caddy::Caddy];
