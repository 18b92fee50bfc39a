//! Finds out who answered a request, with as few calls of Envoy as possible.
//!
//! These are the facts of Envoy that it rests on:
//!
//! - `upstream.address` is the host that Envoy chose last, in the form in which a cookie names it. Where it is the pin, no other
//!   target has answered. It does not tell that the pin has: after a failed connection it is the dead target, and Envoy answers
//!   itself.
//! - `response.code_details` is `via_upstream` for the response of a target and for no other.
//! - `stateful_session` with header state, placed after this filter, names the host in a header of the response, unless it is the
//!   one that the request asked for (`onUpdate` in Envoy's `source/extensions/http/stateful_session/header/header.h`). So where the
//!   pin was chosen, there is no such header to remove. Where another host was chosen and no header names it, `stateful_session`
//!   has not seen the pin.

use std::borrow::Cow;

use stickiness::config::Mechanism;
use stickiness::exchange::AnsweredBy;

use crate::{host, override_header};

/// The details of a response by a target.
const BY_TARGET: &[u8] = b"via_upstream";

/// The host that Envoy chose for a request.
pub(crate) enum ChosenHost {
    /// The pin.
    Pin,
    /// Another one than the pin.
    Another {
        /// Its address.
        address: String,
        /// True if `stateful_session` has not seen the pin.
        pin_was_unseen: bool,
    },
    /// It is not known, or there is no pin to compare it with.
    Unknown,
}

impl ChosenHost {
    /// Asks Envoy for it if there is a pin. The header that tells the client an address is removed.
    pub(crate) fn find(pin: Option<&str>, mechanism: Mechanism) -> Self {
        match pin.and_then(|pin| Some((pin, host::upstream_address()?))) {
            Some((pin, address)) if pin == address => Self::Pin,
            Some((_, address)) if mechanism == Mechanism::StatefulSession => {
                let pin_was_unseen = host::has_response_header(override_header::HOST) == Some(false);
                if !pin_was_unseen {
                    host::remove_response_header(override_header::HOST);
                }
                Self::Another { address, pin_was_unseen }
            }
            another => {
                host::remove_response_header(override_header::HOST);
                another.map_or(Self::Unknown, |(_, address)| Self::Another { address, pin_was_unseen: false })
            }
        }
    }

    /// The address of the host, if it is known. `pin` is the one of the request.
    pub(crate) fn address<'a>(&'a self, pin: Option<&'a str>) -> Option<&'a str> {
        match self {
            Self::Pin => pin,
            Self::Another { address, .. } => Some(address),
            Self::Unknown => None,
        }
    }
}

/// Returns true if a target answered the request.
pub(crate) fn is_by_target() -> bool {
    *host::response_code_details() == *BY_TARGET
}

/// Finds out who answered the request. The target group and the target are not asked for where the caller knows which they are if a target
/// has answered.
pub(crate) fn answered_by<'a>(known_target_group: Option<&'a str>, known_target: Option<&'a str>) -> AnsweredBy<'a> {
    let target_group = || known_target_group.map(Cow::Borrowed).or_else(|| host::target_group().map(Cow::Owned));
    let target = || known_target.map(Cow::Borrowed).or_else(|| host::upstream_address().map(Cow::Owned));
    let details = host::response_code_details();
    let answered_by = if *details == *BY_TARGET {
        let answered = target_group().zip(target());
        answered.map(|(target_group, target)| AnsweredBy::Target { target_group, target })
    } else if details.starts_with(b"no_healthy_upstream") {
        target_group().map(|target_group| AnsweredBy::NoHealthyTarget { target_group })
    } else {
        None
    };
    answered_by.unwrap_or(AnsweredBy::LoadBalancer)
}
