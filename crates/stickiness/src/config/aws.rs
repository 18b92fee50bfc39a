//! Spells out what AWS's own tools print, pasted as it is: a target group's attributes and a rule's forward action.
//!
//! Both become the keys of [`document`](super::document) that they mean, so that what is checked of those keys is written
//! once. They are turned back into a [`Tree`] and read a second time for that reason. An error in a value that only AWS
//! writes is told at its place in what was pasted; every other error is told of the key.

mod action;
mod attributes;

use super::document::{BY_NAME, RULES};
use super::error::ConfigError;
use super::tree::Tree;

/// Spells out everything that was pasted into the document.
///
/// Dotted keys are not nested yet: a target group stands under `target_groups` or under a key like `target_groups.web`.
///
/// # Errors
///
/// An error in a value that only AWS writes, at its place in what was pasted.
pub(super) fn spell_out(document: &mut Tree) -> Result<(), ConfigError> {
    let Tree::Object(entries) = document else { return Ok(()) };
    for (key, value) in entries {
        let (list, name) = key.split_once('.').map_or((key.as_str(), None), |(list, name)| (list, Some(name)));
        let spelled_out = match (name, value) {
            (Some(name), block) if BY_NAME.contains(&list) => {
                attributes::spell_out(block).map_err(|error| error.under(name))
            }
            (None, Tree::Object(blocks)) if BY_NAME.contains(&list) => blocks
                .iter_mut()
                .try_for_each(|(name, block)| attributes::spell_out(block).map_err(|error| error.under(name.as_str()))),
            (None, Tree::List(rules)) if list == RULES => rules
                .iter_mut()
                .enumerate()
                .try_for_each(|(index, rule)| action::spell_out(rule).map_err(|error| error.under(index))),
            _ => Ok(()),
        };
        spelled_out.map_err(|error| error.under(list))?;
    }
    Ok(())
}
