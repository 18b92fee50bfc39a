//! Reads the plugin configuration, checks it, and resolves it into policies and rules.
//!
//! A document goes through these steps:
//!
//! 1. `tree` reads JSON into one shape, and `protobuf` reads messages into it.
//! 2. `aws` spells out what was pasted from AWS's tools.
//! 3. `dotted` nests the attributes that AWS writes with dots.
//! 4. `reader` reads the tree into blocks: the structs of `document`, `target_group`, `rule` and `cookie`. Their
//!    single values are read by `values`.
//! 5. Each block is resolved, in its `context`, into a part of the `resolved` configuration.
//! 6. `name_clashes` checks the whole, and `shared_cookies` warns of it.

mod aws;
mod context;
mod cookie;
mod document;
mod dotted;
mod error;
mod name_clashes;
mod protobuf;
mod reader;
mod resolved;
mod rule;
mod shared_cookies;
mod target_group;
mod tree;
mod values;

use document::Document;
use tree::Tree;

pub use error::ConfigError;
pub use resolved::{Config, Mechanism, Parsed};

impl Config {
    /// Reads a plugin configuration: JSON text, a serialized `google.protobuf.Struct` or a message that holds one, or nothing.
    ///
    /// ```
    /// use std::time::Duration;
    /// use stickiness::config::Config;
    /// use stickiness::policy::Stickiness;
    ///
    /// let json = r#"{"target_groups": {"web": {"stickiness.lb_cookie.duration_seconds": "3600"}}}"#;
    /// let config = Config::parse(json.as_bytes())?.config;
    /// let policy = config.policy("web").ok_or("web is sticky")?;
    /// assert_eq!(policy.stickiness, Stickiness::LbCookie { duration: Duration::from_hours(1) });
    /// assert!(config.policy("api").is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] tells the place, the value there, and what is allowed.
    ///
    /// ```
    /// # use stickiness::config::Config;
    /// let json = r#"{"target_groups": {"web": {"stickiness": {"type": "lb_cokie"}}}}"#;
    /// let error = Config::parse(json.as_bytes()).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "target_groups.web.stickiness.type: \"lb_cokie\" is not one of lb_cookie, app_cookie, classic_lb_cookie, \
    ///      classic_app_cookie; did you mean lb_cookie?"
    /// );
    /// ```
    pub fn parse(bytes: &[u8]) -> Result<Parsed, ConfigError> {
        let mut tree = Tree::parse(bytes)?;
        if !matches!(tree, Tree::Object(_)) {
            // The value is not shown: it may be a secret.
            return Err(ConfigError::new("the configuration is not an object"));
        }
        aws::spell_out(&mut tree)?;
        dotted::nest(&mut tree)?;
        let document: Document = reader::read(&tree)?;
        document.resolve()
    }
}

#[cfg(test)]
mod tests;
