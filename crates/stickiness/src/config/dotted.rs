//! AWS writes attributes with dots: `"stickiness.type": …` means `"stickiness": {"type": …}`.

use super::ConfigError;
use super::tree::Tree;

/// The object whose keys are names of the operator's: a target group may be called `web.example.com`.
const KEYS_ARE_NAMES: &str = "target_groups";

/// The most levels of a dotted key; the schema has fewer.
const MAX_LEVELS: usize = 8;

/// Nests every dotted key of the document: `{"a.b": 1, "a": {"c": 2}}` becomes `{"a": {"c": 2, "b": 1}}`.
///
/// # Errors
///
/// A key that stands there twice, in whatever form.
pub(super) fn nest(document: Tree) -> Result<Tree, ConfigError> {
    nest_under("", document)
}

fn nest_under(parent: &str, tree: Tree) -> Result<Tree, ConfigError> {
    let Tree::Object(entries) = tree else {
        return Ok(tree);
    };
    let (dotted, mut nested): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|(key, _)| parent != KEYS_ARE_NAMES && key.contains('.'));
    for (dotted_key, value) in dotted {
        if dotted_key.split('.').count() > MAX_LEVELS {
            let problem = format!("a key has at most {MAX_LEVELS} levels");
            return Err(ConfigError::new(problem).under(&dotted_key));
        }
        let Some((key, rest)) = dotted_key.split_once('.') else {
            continue;
        };
        let entry = (rest.to_owned(), value);
        match nested.iter_mut().find(|(present, _)| present == key) {
            None => nested.push((key.to_owned(), Tree::Object(vec![entry]))),
            Some((_, Tree::Object(entries))) => entries.push(entry),
            Some(_) => return Err(given_twice(key)),
        }
    }
    let mut seen = Vec::with_capacity(nested.len());
    for (key, value) in nested {
        if seen.iter().any(|(present, _)| *present == key) {
            return Err(given_twice(&key));
        }
        let value = nest_under(&key, value).map_err(|error| error.under(&key))?;
        seen.push((key, value));
    }
    Ok(Tree::Object(seen))
}

fn given_twice(key: &str) -> ConfigError {
    ConfigError::new("is given twice").under(key)
}
