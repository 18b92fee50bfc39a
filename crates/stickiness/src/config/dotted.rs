//! AWS writes attributes with dots: `"stickiness.type": …` means `"stickiness": {"type": …}`.

use super::aws;
use super::document::{BY_NAME, RULES};
use super::error::ConfigError;
use super::reader::SECRET;
use super::tree::Tree;

/// The most levels of a dotted key; the schema has fewer.
const MAX_LEVELS: usize = 8;

type Entries = Vec<(String, Tree)>;

/// Nests every dotted key of the document: `{"a.b": 1, "a": {"c": 2}}` becomes `{"a": {"c": 2, "b": 1}}`. What was
/// pasted from AWS is spelled out on the way: its attributes are dotted keys.
///
/// # Errors
///
/// A key that stands there twice, in whatever form; a key of too many levels.
pub(super) fn nest(document: Tree) -> Result<Tree, ConfigError> {
    let Tree::Object(entries) = document else {
        return Ok(document);
    };
    map_values(nest_keys(entries)?, |key, value| match value {
        Tree::Object(by_name) if BY_NAME.contains(&key) => {
            map_values(by_name, |_, target_group| nest_all(aws::spell_out_attributes(target_group)?))
        }
        Tree::List(rules) if key == RULES => {
            let nest_rule = |(index, rule)| {
                let nested = aws::spell_out_action(rule).and_then(nest_all);
                nested.map_err(|error: ConfigError| error.under(index))
            };
            rules.into_iter().enumerate().map(nest_rule).collect::<Result<_, _>>().map(Tree::List)
        }
        // Attributes are not written there, and an error here would show what the reader keeps to itself.
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

fn nest_keys(entries: Entries) -> Result<Entries, ConfigError> {
    let (dotted, mut nested): (Entries, Entries) = entries.into_iter().partition(|(key, _)| key.contains('.'));
    for (dotted_key, value) in dotted {
        if dotted_key.split('.').count() > MAX_LEVELS {
            let problem = format!("a key has at most {MAX_LEVELS} levels");
            return Err(ConfigError::new(problem).under(dotted_key.as_str()));
        }
        let Some((key, rest)) = dotted_key.split_once('.') else {
            continue;
        };
        let entry = (rest.to_owned(), value);
        match nested.iter_mut().find(|(present, _)| present == key) {
            None => nested.push((key.to_owned(), Tree::Object(vec![entry]))),
            Some((_, Tree::Object(entries))) => entries.push(entry),
            Some(_) => return Err(ConfigError::given_twice(key)),
        }
    }
    Ok(nested)
}

fn map_values(entries: Entries, change: impl Fn(&str, Tree) -> Result<Tree, ConfigError>) -> Result<Tree, ConfigError> {
    let mut changed: Entries = Vec::with_capacity(entries.len());
    for (key, value) in entries {
        if changed.iter().any(|(present, _)| *present == key) {
            return Err(ConfigError::given_twice(&key));
        }
        let value = change(&key, value).map_err(|error| error.under(key.as_str()))?;
        changed.push((key, value));
    }
    Ok(Tree::Object(changed))
}
