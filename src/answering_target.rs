//! Finds out who answered a request, with as few calls of Envoy as possible.
//!
//! These are the facts of Envoy that it rests on:
//!
//! - `response.code_details` is `via_upstream` for the response of a target and for no other. `upstream.address` alone does not
//!   tell: after a failed connection it is the dead target, and Envoy answers itself.
//! - `stateful_session` with header state, placed after this filter, names the target in a header of the response, unless it is the
//!   one that the request asked for. So where it names none, the pin has answered, if a target has.
//! - It may be missing, or stand before this filter. Then no response names a target. So a response that names none says something
//!   only after another response has named one.

use std::borrow::Cow;
use std::cell::Cell;

use stickiness::config::Mechanism;
use stickiness::exchange::AnsweredBy;

use crate::{host, override_header};

/// Remembers that `stateful_session` names targets in the responses of this plugin, once one was seen.
#[derive(Default)]
pub(crate) struct NamedTargets(Cell<bool>);

impl NamedTargets {
    /// Tells whether the pin has answered, if a target has. `false` when that is not certain, or there is no pin.
    pub(crate) fn no_other_than_pin(&self, mechanism: Mechanism, is_pinned: bool) -> bool {
        let were_seen = self.0.get();
        if mechanism != Mechanism::StatefulSession || (were_seen && !is_pinned) {
            return false;
        }
        let Some(is_named) = host::has_response_header(override_header::HOST) else { return false };
        self.0.set(were_seen || is_named);
        is_pinned && were_seen && !is_named
    }
}

/// Finds out who answered the request. The target group and the target are not asked for where the caller knows which they are if a target
/// has answered.
pub(crate) fn answered_by<'a>(known_target_group: Option<&'a str>, known_target: Option<&'a str>) -> AnsweredBy<'a> {
    let target_group = || known_target_group.map(Cow::Borrowed).or_else(|| host::target_group().map(Cow::Owned));
    let target = || known_target.map(Cow::Borrowed).or_else(|| host::upstream_address().map(Cow::Owned));
    let details = host::response_code_details();
    let answered_by = if *details == *b"via_upstream" {
        let answered = target_group().zip(target());
        answered.map(|(target_group, target)| AnsweredBy::Target { target_group, target })
    } else if details.starts_with(b"no_healthy_upstream") {
        target_group().map(|target_group| AnsweredBy::NoHealthyTarget { target_group })
    } else {
        None
    };
    answered_by.unwrap_or(AnsweredBy::LoadBalancer)
}
