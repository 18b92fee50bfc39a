//! A proxy at work, whichever it is.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use local_envoy::{Config, Envoy, Settings};

use crate::envoys::{self, Kind};
use crate::ground::Ground;
use crate::load::{self, Request};
use crate::others;
use crate::variant::Setup;
use crate::{cpu, others::Other};

/// A proxy at work. It ends when this is dropped.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    held: Held,
}

enum Held {
    Envoy(Box<Envoy>),
    Other(others::Running),
}

/// What one visit of the load found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Of the process for each request, in microseconds.
    pub(crate) cpu: f64,
    /// Requests per second.
    pub(crate) rate: f64,
}

impl Proxy {
    /// Starts it, with one worker.
    pub(crate) fn start(ground: &Ground, setup: Setup) -> Result<Self> {
        match setup {
            Setup::Envoy(kind) => Self::start_envoy(ground, kind, 1),
            Setup::Other { proxy, sticky } => Self::start_other(ground, proxy, sticky),
        }
    }

    /// Starts an Envoy with so many workers.
    pub(crate) fn start_envoy(ground: &Ground, kind: Kind, workers: u32) -> Result<Self> {
        Self::start_with(ground, &envoys::config(ground, kind)?, workers).with_context(|| format!("{kind:?}"))
    }

    /// Starts an Envoy with this configuration and so many workers.
    pub(crate) fn start_with(ground: &Ground, config: &Config, workers: u32) -> Result<Self> {
        let environment = vec![("STICKY_SESSIONS_KEYS".to_owned(), harness::KEY.to_owned())];
        let settings = Settings { concurrency: workers, environment, ..Settings::default() };
        let envoy = Envoy::start(&ground.envoy, config, settings)?;
        Ok(Self { address: envoy.address("sticky")?, held: Held::Envoy(Box::new(envoy)) })
    }

    fn start_other(ground: &Ground, proxy: Other, sticky: bool) -> Result<Self> {
        let running = proxy.start(ground, sticky)?;
        Ok(Self { address: running.address, held: Held::Other(running) })
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        match &self.held {
            Held::Envoy(envoy) => envoy.id(),
            Held::Other(running) => running.child.id(),
        }
    }

    /// The Envoy, if it is one.
    pub(crate) fn envoy(&self) -> Option<&Envoy> {
        match &self.held {
            Held::Envoy(envoy) => Some(envoy),
            Held::Other(_) => None,
        }
    }

    /// Puts it under load and sees what that costs it.
    pub(crate) fn measure(&self, request: &Request, seconds: u32) -> Result<Sample> {
        let before = cpu::time_of(self.id())?;
        let answered = load::put(self.address, request, seconds)?;
        let spent = cpu::time_of(self.id())?.saturating_sub(before);
        #[allow(clippy::cast_precision_loss, reason = "there are not 2^52 requests")]
        let cpu = spent.as_secs_f64() * 1e6 / answered.requests as f64;
        Ok(Sample { cpu, rate: answered.per_second })
    }
}
