//! How a route says what it chooses: in its `metadata.filter_metadata.sticky_sessions`.

use stickiness::exchange::RouteChoice;

use crate::host::{self, Unreadable};
use crate::{abi_map, root};

/// What the stream's route chooses. What cannot be read chooses nothing, with one warning.
pub(crate) fn choice() -> RouteChoice {
    let mut choice = RouteChoice::default();
    let metadata = match host::route_metadata() {
        Ok(Some(metadata)) => metadata,
        Ok(None) => return choice,
        Err(Unreadable) => {
            warn(" has a value that is neither a text nor true nor false, and is not read at all");
            return choice;
        }
    };
    for (key, value) in abi_map::pairs(&metadata).unwrap_or_default() {
        match key {
            b"enabled" => choice.enabled = read(value, ".enabled is not true or false", flag),
            b"rule" => choice.rule = read(value, ".rule is not true or false", flag),
            b"policy" => choice.policy = read(value, ".policy is not the name of a policy", text),
            other => {
                let other = String::from_utf8_lossy(other);
                warn(&format!(".{other}: there is no such key; allowed here: enabled, rule, policy"));
            }
        }
    }
    choice
}

fn read<T>(value: &[u8], otherwise: &str, parse: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
    let value = parse(value);
    if value.is_none() {
        warn(otherwise);
    }
    value
}

fn warn(what: &str) {
    root::warn_once(&format!("the metadata of a route: sticky_sessions{what}"));
}

/// Envoy's one byte, or a text, as which AWS prints it.
fn flag(bytes: &[u8]) -> Option<bool> {
    match bytes {
        [0] | b"false" => Some(false),
        [1] | b"true" => Some(true),
        _ => None,
    }
}

/// Numbers come as eight bytes, which may happen to be a text, but none that can be seen.
fn text(bytes: &[u8]) -> Option<String> {
    let text = str::from_utf8(bytes).ok().filter(|text| !text.is_empty());
    text.filter(|text| !text.contains(|c: char| c.is_control())).map(str::to_owned)
}
