//! Nests keys with dots: AWS writes `"stickiness.type": …` for `"stickiness": {"type": …}`.

use std::mem;

use super::document::{BY_NAME, RULES};
use super::error::ConfigError;
use super::reader::SECRET;
use super::tree::Tree;
use crate::by_name::{compare, first_repeated, in_order};

/// The most levels of a dotted key. No path of a configuration has as many.
const MAX_LEVELS: usize = 8;

type Entries = Vec<(String, Tree)>;

/// Nests every dotted key of the document: `{"a.b": 1, "a": {"c": 2}}` becomes `{"a": {"c": 2, "b": 1}}`.
///
/// # Errors
///
/// A key that stands there twice, in whatever form; a key of too many levels.
pub(super) fn nest(document: &mut Tree) -> Result<(), ConfigError> {
    let Tree::Object(entries) = document else { return Ok(()) };
    nest_keys(entries)?;
    change_values(entries, |key, value| match value {
        Tree::Object(by_name) if BY_NAME.contains(&key) => change_values(by_name, |_, block| nest_all(block)),
        Tree::List(rules) if key == RULES => rules
            .iter_mut()
            .enumerate()
            .try_for_each(|(index, rule)| nest_all(rule).map_err(|error| error.under(index))),
        // No attributes stand there, and an error of this file would show a key that the reader hides.
        _ if SECRET.contains(&key) => Ok(()),
        value => nest_all(value),
    })
}

fn nest_all(tree: &mut Tree) -> Result<(), ConfigError> {
    let Tree::Object(entries) = tree else { return Ok(()) };
    nest_keys(entries)?;
    change_values(entries, |_, value| nest_all(value))
}

/// Nests the keys of one object by one level.
fn nest_keys(entries: &mut Entries) -> Result<(), ConfigError> {
    let is_dotted = |key: &str| key.contains('.');
    if !entries.iter().any(|(key, _)| is_dotted(key)) {
        return Ok(());
    }
    if let Some((key, _)) = entries.iter().find(|(key, _)| key.split('.').count() > MAX_LEVELS) {
        return Err(ConfigError::new(format!("a key has at most {MAX_LEVELS} levels")).under(key.as_str()));
    }
    let mut nested = by_first_level(entries.extract_if(.., |(key, _)| is_dotted(key)).collect());
    for (key, value) in &mut *entries {
        let Ok(place) = nested.binary_search_by(|(first, _)| compare(first, key)) else { continue };
        let nested = nested.get_mut(place).map(|(_, nested)| mem::take(nested)).unwrap_or_default();
        match value {
            // Nested under an equal key before, which is refused later.
            _ if nested.is_empty() => {}
            Tree::Object(present) => present.extend(nested),
            _ => return Err(ConfigError::given_twice(key)),
        }
    }
    let left = nested.into_iter().filter(|(_, nested)| !nested.is_empty());
    entries.extend(left.map(|(key, nested)| (key, Tree::Object(nested))));
    Ok(())
}

/// The entries of dotted keys under the first levels of their keys, in the order of these.
fn by_first_level(mut dotted: Entries) -> Vec<(String, Entries)> {
    let firsts: Vec<&str> = dotted.iter().map(|(key, _)| key.split('.').next().unwrap_or_default()).collect();
    let order = in_order(&firsts);
    let mut nested: Vec<(String, Entries)> = Vec::new();
    for (key, value) in order.into_iter().filter_map(|place| dotted.get_mut(place).map(mem::take)) {
        let Some((first, rest)) = key.split_once('.') else { continue };
        let entry = (rest.to_owned(), value);
        match nested.last_mut() {
            Some((last, entries)) if last == first => entries.push(entry),
            _ => nested.push((first.to_owned(), vec![entry])),
        }
    }
    nested
}

/// Changes each value of an object in which no key stands twice.
fn change_values(
    entries: &mut Entries,
    change: impl Fn(&str, &mut Tree) -> Result<(), ConfigError>,
) -> Result<(), ConfigError> {
    let keys: Vec<&str> = entries.iter().map(|(key, _)| key.as_str()).collect();
    if let Some(repeated) = first_repeated(&keys).and_then(|place| keys.get(place)) {
        return Err(ConfigError::given_twice(repeated));
    }
    entries.iter_mut().try_for_each(|(key, value)| change(key, value).map_err(|error| error.under(key.as_str())))
}
