//! Reads what a route chooses in its `metadata.filter_metadata.sticky_sessions`.

use hostcalls::Pairs;
use stickiness::exchange::RouteChoice;
use stickiness::trust::scope::Scope;

use crate::host::{self, Unreadable};
use crate::warn_once::warn_once;

/// The choice of the stream's route. A value that cannot be read chooses nothing, and is warned of once.
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
    for (key, value) in Pairs::of(&metadata) {
        match key {
            b"enabled" => choice.enabled = read(value, ".enabled is not true or false", flag),
            b"rule" => choice.rule = read(value, ".rule is not true or false", flag),
            b"policy" => choice.policy = read(value, ".policy is not the name of a policy", policy),
            b"scope" => choice.scope = read(value, ".scope is not a text", |scope| text(scope).map(Scope::new)),
            other => {
                let other = String::from_utf8_lossy(other);
                warn(&format!(".{other}: there is no such key; allowed here: enabled, rule, policy, scope"));
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
    warn_once(&format!("the metadata of a route: sticky_sessions{what}"));
}

/// A boolean of Envoy is one byte. AWS prints it as a text.
pub(crate) fn flag(bytes: &[u8]) -> Option<bool> {
    match bytes {
        [0] | b"false" => Some(false),
        [1] | b"true" => Some(true),
        _ => None,
    }
}

fn policy(bytes: &[u8]) -> Option<String> {
    text(bytes).filter(|name| !name.is_empty()).map(str::to_owned)
}

/// A number of Envoy is eight bytes. Those of a common number are control characters.
fn text(bytes: &[u8]) -> Option<&str> {
    str::from_utf8(bytes).ok().filter(|text| !text.contains(|c: char| c.is_control()))
}
