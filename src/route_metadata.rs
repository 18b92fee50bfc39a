//! How a route says what it chooses: in its `metadata.filter_metadata.sticky_sessions`.

use stickiness::exchange::RouteChoice;

use crate::{host, root};

/// What the stream's route chooses. What cannot be read chooses nothing, with one warning.
pub(crate) fn choice() -> RouteChoice {
    RouteChoice {
        enabled: read("enabled", "true or false", flag),
        rule: read("rule", "true or false", flag),
        policy: read("policy", "the name of a policy", text),
    }
}

fn read<T>(key: &str, allowed: &str, parse: impl Fn(&[u8]) -> Option<T>) -> Option<T> {
    let value = parse(&host::route_metadata(key)?);
    if value.is_none() {
        root::warn_once(&format!("the metadata of a route: sticky_sessions.{key} is not {allowed}"));
    }
    value
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
