//! Reads the plugin configuration, checks it, and resolves it into policies and rules.
//!
//! A document goes through these steps:
//!
//! 1. [`tree`] reads JSON or a protobuf `Struct` into one shape.
//! 2. [`aws`] spells out what was pasted from AWS's tools.
//! 3. [`dotted`] nests the attributes that AWS writes with dots.
//! 4. [`reader`] reads the tree into blocks: the structs of [`document`], [`target_group`], [`rule`] and [`cookie`]. Their
//!    single values are read by [`values`].
//! 5. Each block is resolved, in its [`context`], into a part of the [`resolved`] configuration.
//! 6. [`name_clashes`] checks the whole.

mod aws;
mod context;
mod cookie;
mod document;
mod dotted;
mod error;
mod name_clashes;
mod reader;
mod resolved;
mod rule;
mod target_group;
mod tree;
mod values;

use document::Document;
use tree::Tree;

pub use error::ConfigError;
pub use resolved::{Config, Mechanism, Parsed};

impl Config {
    /// Reads a plugin configuration: JSON text, a serialized `google.protobuf.Struct`, or nothing.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] says where, which value, and what is allowed.
    pub fn parse(bytes: &[u8]) -> Result<Parsed, ConfigError> {
        let tree = Tree::parse(bytes)?;
        if !matches!(tree, Tree::Object(_)) {
            // Not the value itself: it may be a secret.
            return Err(ConfigError::new("the configuration is not an object"));
        }
        let tree = dotted::nest(aws::spell_out(tree)?)?;
        let document: Document = reader::read(&tree)?;
        document.resolve()
    }
}

#[cfg(test)]
mod tests;
