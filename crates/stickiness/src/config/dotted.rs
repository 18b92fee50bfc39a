//! Nests keys with dots: AWS writes `"stickiness.type": …` for `"stickiness": {"type": …}`.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{BY_NAME, RULES};
use super::error::ConfigError;
use super::reader::SECRET;
use super::tree::Tree;

/// The most levels of a dotted key. No path of a configuration has as many.
const MAX_LEVELS: usize = 8;

type Entries = Vec<(String, Tree)>;

/// Nests every dotted key of the document: `{"a.b": 1, "a": {"c": 2}}` becomes `{"a": {"c": 2, "b": 1}}`.
///
/// # Errors
///
/// A key that stands there twice, in whatever form; a key of too many levels.
pub(super) fn nest(document: Tree) -> Result<Tree, ConfigError> {
    let Tree::Object(entries) = document else { return Ok(document) };
    map_values(nest_keys(entries)?, |key, value| match value {
        Tree::Object(by_name) if BY_NAME.contains(&key) => map_values(by_name, |_, block| nest_all(block)),
        Tree::List(rules) if key == RULES => {
            let rules = rules.into_iter().enumerate();
            let nested = rules.map(|(index, rule)| nest_all(rule).map_err(|error| error.under(index)));
            nested.collect::<Result<_, _>>().map(Tree::List)
        }
        // No attributes stand there, and an error of this file would show a key that the reader hides.
        value if SECRET.contains(&key) => Ok(value),
        value => nest_all(value),
    })
}

fn nest_all(tree: Tree) -> Result<Tree, ConfigError> {
    match tree {
        Tree::Object(entries) => map_values(nest_keys(entries)?, |_, value| nest_all(value)),
        value => Ok(value),
    }
}

/// Nests the keys of one object by one level.
fn nest_keys(entries: Entries) -> Result<Entries, ConfigError> {
    let mut nested = Entries::new();
    let mut dotted = BTreeMap::<String, Entries>::new();
    for (key, value) in entries {
        if key.split('.').count() > MAX_LEVELS {
            return Err(ConfigError::new(format!("a key has at most {MAX_LEVELS} levels")).under(key.as_str()));
        }
        match key.split_once('.') {
            None => nested.push((key, value)),
            Some((first, rest)) => dotted.entry(first.to_owned()).or_default().push((rest.to_owned(), value)),
        }
    }
    for (key, value) in &mut nested {
        let Some(entries) = dotted.remove(key) else { continue };
        let Tree::Object(present) = value else { return Err(ConfigError::given_twice(key)) };
        present.extend(entries);
    }
    nested.extend(dotted.into_iter().map(|(key, entries)| (key, Tree::Object(entries))));
    Ok(nested)
}

/// Changes each value of an object in which no key stands twice.
fn map_values(entries: Entries, change: impl Fn(&str, Tree) -> Result<Tree, ConfigError>) -> Result<Tree, ConfigError> {
    let mut keys = BTreeSet::new();
    if let Some((key, _)) = entries.iter().find(|(key, _)| !keys.insert(key.as_str())) {
        return Err(ConfigError::given_twice(key));
    }
    let mut changed = Entries::with_capacity(entries.len());
    for (key, value) in entries {
        let value = change(&key, value).map_err(|error| error.under(key.as_str()))?;
        changed.push((key, value));
    }
    Ok(Tree::Object(changed))
}
