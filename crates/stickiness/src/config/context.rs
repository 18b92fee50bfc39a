//! Carries what a block needs while it is resolved: its place, the options that it inherits, and the list of warnings.

use super::error::{ConfigError, Segment};
use crate::policy::CookieOptions;

pub(super) struct Context<'a> {
    /// The cookie options that hold where the block gives no others.
    pub(super) inherited: &'a CookieOptions,
    /// The path from the document to the block.
    pub(super) place: Vec<Segment>,
    warnings: &'a mut Vec<String>,
}

impl<'a> Context<'a> {
    /// The context of the document itself.
    pub(super) fn new(inherited: &'a CookieOptions, warnings: &'a mut Vec<String>) -> Self {
        Self { inherited, place: Vec::new(), warnings }
    }

    /// The context of a block of this one.
    pub(super) fn below(&mut self, segment: impl Into<Segment>) -> Context<'_> {
        let mut place = self.place.clone();
        place.push(segment.into());
        Context { inherited: self.inherited, place, warnings: self.warnings }
    }

    /// Warns of the value under `key` of the block.
    pub(super) fn warn(&mut self, key: &str, why: &str) {
        self.warnings.push(ConfigError::new(why).under(key).at(&self.place).to_string());
    }
}
