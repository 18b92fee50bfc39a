//! What the operator asked for: the plugin configuration, checked and ready to use.
//!
//! A document goes through four steps: [`tree`] reads JSON or a protobuf `Struct` into one shape, [`dotted`] nests the
//! attributes that AWS writes with dots, [`reader`] knows where each value stands, and [`schema`] says which keys there
//! are and what they may be.

mod dotted;
mod error;
mod reader;
mod schema;
mod tree;

use std::collections::HashMap;
use std::time::Duration;

pub use error::ConfigError;

use crate::seal::KeyRing;
use schema::Document;
use tree::Tree;

/// The name that stands for every target group that is not named.
pub const EVERY_OTHER: &str = "*";

/// A checked configuration.
#[derive(Debug, Default)]
pub struct Config {
    target_groups: TargetGroups,
    /// How Envoy is told which target to take.
    pub mechanism: Mechanism,
    /// What the cookies look like.
    pub cookie: CookieOptions,
}

/// Which target groups are sticky, and how.
#[derive(Debug, Default)]
enum TargetGroups {
    /// Nothing was said: all of them, for a day.
    #[default]
    All,
    /// By name, [`EVERY_OTHER`] for the rest; `None` for one that is not sticky.
    Named(HashMap<String, Option<Stickiness>>),
}

/// How a target group is sticky.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stickiness {
    /// Duration-based: the load balancer's own cookie.
    LbCookie {
        /// How long a client may stay away before its session ends: 1 second to 7 days.
        duration: Duration,
    },
}

impl Stickiness {
    /// AWS's defaults: the load balancer's cookie, for a day.
    pub const DEFAULT: Self = Self::LbCookie { duration: Duration::from_secs(schema::DEFAULT_DURATION_SECONDS) };
}

/// How Envoy is told which target to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mechanism {
    /// A header for Envoy's `stateful_session` filter.
    #[default]
    StatefulSession,
    /// A header for Envoy's `override_host` load-balancing policy.
    OverrideHost,
}

/// What the cookies look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CookieOptions {
    /// What `Expires` shows.
    pub expires: Expires,
}

/// What a cookie's `Expires` shows. The load balancer judges by the time sealed inside, whatever it shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expires {
    /// The end of the stickiness.
    #[default]
    Duration,
    /// Seven days from now, as AWS's own cookies.
    SevenDays,
    /// Nothing: the cookie lasts as long as the browser runs.
    Session,
}

impl Config {
    /// Reads a plugin configuration, and the ring of keys if it holds one: JSON text, a serialized
    /// `google.protobuf.Struct`, or nothing.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] says where, which value, and what is allowed.
    pub fn parse(bytes: &[u8]) -> Result<(Self, Option<KeyRing>), ConfigError> {
        let tree = Tree::parse(bytes)?;
        if !matches!(tree, Tree::Object(_)) {
            // Not the value itself: it may be a secret.
            return Err(ConfigError::new("the configuration is not an object"));
        }
        let tree = dotted::nest(tree)?;
        let document: Document = reader::read(&tree)?;
        document.check()
    }

    /// How this target group is sticky; `None` when it is not.
    #[must_use]
    pub fn stickiness(&self, target_group: &str) -> Option<&Stickiness> {
        match &self.target_groups {
            TargetGroups::All => Some(&Stickiness::DEFAULT),
            TargetGroups::Named(by_name) => by_name.get(target_group).or_else(|| by_name.get(EVERY_OTHER))?.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests;
