//! The proxies under comparison. Each turns the pools of a scenario into its own configuration, and knows nothing of the
//! expectations.

mod caddy;
mod envoy;
mod haproxy;
mod native;
mod nginx;
mod ours;
mod server;

use std::net::SocketAddr;

use crate::backends::Backends;
use crate::pools::Pools;
use crate::scenario::{Options, Origin};

/// The surroundings of a proxy in a run.
pub(crate) struct Fixture<'a> {
    pub(crate) pools: &'a Pools,
    pub(crate) backends: &'a Backends,
    /// The address of the DNS server.
    pub(crate) name_server: SocketAddr,
    /// Options for our filter; other proxies ignore them.
    pub(crate) options: Option<&'a Options>,
}

/// The reason why a proxy does not run with these pools.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It has no such feature.
    Unsupported(String),
    /// It did not start.
    Broken(String),
}

/// A proxy that can be compared.
pub(crate) trait Proxy: Sync {
    /// The head of its column on the page.
    fn name(&self) -> &'static str;

    /// Its name and version; `None` when it is not installed.
    fn version(&self) -> Option<String>;

    /// The text in place of its version when it is not installed.
    fn absent(&self) -> &'static str {
        "not installed, not run: docs/compatibility.md keeps its cells of an earlier run"
    }

    /// The origin of the scenarios that it must pass.
    fn origin(&self) -> Option<Origin>;

    /// # Errors
    ///
    /// When it lacks a feature that the pools ask for, or does not start.
    fn start(&self, fixture: &Fixture<'_>) -> Result<Box<dyn Running>, Refusal>;

    /// A cookie for a backend of the pool `web` as the proxy would have set it so many seconds ago; `None` when its cookies
    /// hold no date.
    fn dated(&self, _ground: &Fixture<'_>, _backend: &str, _seconds_ago: i64) -> Option<String> {
        None
    }
}

/// A proxy that runs. It ends when this is dropped.
pub(crate) trait Running {
    fn address(&self) -> SocketAddr;

    /// Changes the pools while the process goes on; `None` when it must be started again.
    fn reload(&mut self, _ground: &Fixture<'_>) -> Option<Result<(), Refusal>> {
        None
    }
}

impl Refusal {
    fn unsupported(for_what: impl Into<String>) -> Self {
        Self::Unsupported(for_what.into())
    }
}

/// Our filter comes first. The others are sorted by their similarity to it.
pub(crate) const PROXIES: [&dyn Proxy; 5] =
    [&ours::StickySessions, &native::StatefulSession, &haproxy::Haproxy, &nginx::Nginx, &caddy::Caddy];
