//! Carries what a block needs while it is resolved: its place, the options that it inherits, and the list of warnings.

use std::iter;

use super::error::{ConfigError, Segment};
use crate::policy::CookieOptions;

pub(super) struct Context<'a> {
    /// The cookie options that hold where the block gives no others.
    pub(super) inherited: &'a CookieOptions,
    /// The place of the block.
    pub(super) place: Place<'a>,
    warnings: &'a mut Vec<String>,
}

/// A place in the document: the last step to it, and the place that the step begins at. It is written out only for an error.
#[derive(Clone, Copy)]
pub(super) struct Place<'a>(Option<(&'a Place<'a>, Step<'a>)>);

/// A key of an object, or a position in a list.
#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

impl<'a> Context<'a> {
    /// The context of the document itself.
    pub(super) fn new(inherited: &'a CookieOptions, warnings: &'a mut Vec<String>) -> Self {
        Self { inherited, place: Place(None), warnings }
    }

    /// The context of a block of this one.
    pub(super) fn below<'b>(&'b mut self, step: impl Into<Step<'b>>) -> Context<'b> {
        let place = Place(Some((&self.place, step.into())));
        Context { inherited: self.inherited, place, warnings: self.warnings }
    }

    /// Warns of the value under `key` of the block.
    pub(super) fn warn(&mut self, key: &str, why: &str) {
        self.below(key).warn_here(why);
    }

    /// Warns of the block.
    pub(super) fn warn_here(&mut self, why: &str) {
        self.warnings.push(ConfigError::new(why).at(self.place).to_string());
    }
}

impl Place<'_> {
    /// The steps from here up to the document.
    pub(super) fn upwards(mut self) -> impl Iterator<Item = Segment> {
        iter::from_fn(move || {
            let (above, step) = self.0?;
            self = *above;
            Some(match step {
                Step::Key(key) => key.into(),
                Step::Index(index) => index.into(),
            })
        })
    }
}

impl<'a> From<&'a str> for Step<'a> {
    fn from(key: &'a str) -> Self {
        Self::Key(key)
    }
}

impl From<usize> for Step<'_> {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}
