//! What the operator asked for: the plugin configuration, checked and ready to use.
//!
//! A document goes through these steps: [`tree`] reads JSON or a protobuf `Struct` into one shape, [`dotted`] nests the
//! attributes that AWS writes with dots, after [`aws`] has spelled out what was pasted from AWS's tools, [`reader`] knows
//! where each value stands, and [`document`] says which keys there are: [`target_group`], [`rule`] and [`cookie`] its
//! parts, [`values`] what a single value may be.

mod aws;
mod cookie;
mod document;
mod dotted;
mod error;
mod name_clashes;
mod reader;
mod rule;
mod target_group;
mod tree;
mod values;

use std::collections::BTreeMap;
use std::rc::Rc;

pub use error::ConfigError;

use crate::policy::{Policy, Rule};
use crate::seal::KeyRing;
use document::Document;
use tree::Tree;

/// The name that stands for every target group that is not named.
pub const EVERY_OTHER: &str = "*";

/// What a configuration says.
#[derive(Debug)]
pub struct Parsed {
    /// The configuration.
    pub config: Config,
    /// Its keys, if it holds any.
    pub key_ring: Option<KeyRing>,
    /// What works, but not in every browser as it says: a line each.
    pub warnings: Vec<String>,
}

/// A checked configuration. Everything is decided: asking it for a policy is looking up a name.
#[derive(Debug)]
pub struct Config {
    target_groups: Policies,
    every_other_target_group: Option<Rc<Policy>>,
    policies: Option<Policies>,
    rules: Vec<Rc<Rule>>,
    /// How Envoy is told which target to take.
    pub mechanism: Mechanism,
    /// The target group of every request, if the operator says that there is no other: nobody needs to ask for it.
    pub only_target_group: Option<String>,
}

/// Policies by name; `None` where stickiness is off.
type Policies = BTreeMap<String, Option<Rc<Policy>>>;

/// How Envoy is told which target to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mechanism {
    /// A header for Envoy's `stateful_session` filter.
    #[default]
    StatefulSession,
    /// A header for Envoy's `override_host` load-balancing policy.
    OverrideHost,
}

impl Default for Config {
    /// Every target group is sticky, as AWS's are by default once stickiness is on.
    fn default() -> Self {
        Self {
            target_groups: Policies::new(),
            every_other_target_group: Some(Rc::default()),
            policies: None,
            rules: Vec::new(),
            mechanism: Mechanism::default(),
            only_target_group: None,
        }
    }
}

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
        let tree = dotted::nest(tree)?;
        let document: Document = reader::read(&tree)?;
        document.check()
    }

    /// How this target group is sticky by itself; `None` when it is not.
    #[must_use]
    pub fn policy(&self, target_group: &str) -> Option<&Rc<Policy>> {
        self.target_groups.get(target_group).unwrap_or(&self.every_other_target_group).as_ref()
    }

    /// Whether any policy follows a cookie of the application.
    #[must_use]
    pub fn follows_applications(&self) -> bool {
        let named = self.target_groups.values().chain(self.policies.iter().flat_map(BTreeMap::values));
        let all = named.chain(std::iter::once(&self.every_other_target_group)).flatten();
        all.into_iter().any(|policy| policy.stickiness.follows_application())
    }

    /// Whether routes may choose a policy: there are named policies, if only an empty list of them.
    #[must_use]
    pub fn routes_choose(&self) -> bool {
        self.policies.is_some()
    }

    /// The policy with this name: `None` when there is no such name, `Some(None)` when it turns stickiness off.
    #[must_use]
    pub fn named_policy(&self, name: &str) -> Option<Option<&Rc<Policy>>> {
        self.policies.as_ref()?.get(name).map(Option::as_ref)
    }

    /// The rules, in their order.
    #[must_use]
    pub fn rules(&self) -> &[Rc<Rule>] {
        &self.rules
    }
}

#[cfg(test)]
mod tests;
