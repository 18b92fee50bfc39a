//! The request header that tells Envoy's own load balancing which host to take.
//!
//! No call of the wasm ABI chooses the host. Two parts of Envoy read it from a header:
//!
//! - the `stateful_session` filter with header state, placed after this one: base64 of `ip:port`. It passes over a
//!   host that is unhealthy, and sets the header in the answer too when another host was taken;
//! - the `override_host` load-balancing policy: plain `ip:port`. It ignores the host's health.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use stickiness::config::Mechanism;

use crate::host;

/// The header that names the target, in the request, and after `stateful_session` in the answer too.
pub(crate) const HOST: &str = "x-sticky-session-host";

/// The header that names the target group, for routes that match on it.
pub(crate) const GROUP: &str = "x-sticky-session-group";

/// The headers that only this filter may set. A client that could set them would choose the host, so its own are removed.
const RESERVED: [&str; 2] = [HOST, GROUP];

/// Returns true if only this filter may set the header with this name.
pub(crate) fn is_reserved(name: &[u8]) -> bool {
    RESERVED.iter().any(|reserved| reserved.as_bytes() == name)
}

/// Removes the headers that the client has set.
pub(crate) fn remove_from_request() {
    RESERVED.into_iter().for_each(host::remove_request_header);
}

/// Hides the headers from the client.
pub(crate) fn remove_from_answer() {
    RESERVED.into_iter().for_each(host::remove_response_header);
}

/// The value of [`HOST`] for a target, as `mechanism` reads it.
pub(crate) fn value(mechanism: Mechanism, target: &str) -> String {
    match mechanism {
        Mechanism::StatefulSession => STANDARD.encode(target),
        Mechanism::OverrideHost => target.to_owned(),
    }
}
