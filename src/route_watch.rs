//! Notices that the route which answers a request is another one than this filter was shown.
//!
//! Envoy resolves the route of a request before the first filter, and shows each filter the route that was resolved last. A filter
//! that changes the request and clears the route cache, as `ext_authz`, `jwt_authn` and Lua can, leaves the old one to be seen
//! (`ConnectionManagerImpl::ActiveStream::clearRouteCache` in Envoy). The route is resolved when the next filter asks for it, and no
//! call of the ABI does. So such a filter needs one after it, and before this one, that asks: `docs/deployment.md`, "Filters that
//! change the route". Where that is missing, the answer tells, because the router has asked by then.
//!
//! To compare costs a call. So until a change is seen, few answers are compared. From then on this plugin compares every answer
//! with which it would seal a target.

use std::cell::Cell;

use crate::host;
use crate::warn_once::warn_once;

/// Of the answers to sessions that no pinned target has given, one in so many is compared.
const SESSIONS: u32 = 16;

/// Of the answers to requests that are not sticky, one in so many is compared.
const OTHERS: u32 = 64;

/// The answers that a plugin has compared in one worker.
#[derive(Default)]
pub(crate) struct RouteWatch {
    has_seen_a_change: Cell<bool>,
    sessions: Cell<u32>,
    others: Cell<u32>,
}

impl RouteWatch {
    /// Returns true if the answer to this session is to be compared, which no pinned target has given.
    pub(crate) fn compares_session(&self) -> bool {
        self.has_seen_a_change.get() || is_one_in(SESSIONS, &self.sessions)
    }

    /// Returns true if the answer to this request, which is not sticky, is to be compared.
    pub(crate) fn compares_other(&self) -> bool {
        !self.has_seen_a_change.get() && is_one_in(OTHERS, &self.others)
    }

    /// Warns, once for this plugin, that another route answered a request than this filter was shown. The arguments are the clusters
    /// of the two.
    pub(crate) fn saw_change(&self, shown: &str, answered: &str) {
        if !self.has_seen_a_change.replace(true) {
            warn_once(&format!(
                "Envoy showed a route to the cluster {shown:?}, and another route, to {answered:?}, answered: another filter \
                 changes routes, so such requests are not sticky. Put that filter before this one, and between them one that asks \
                 for the route (docs/deployment.md, Filters that change the route)"
            ));
        }
    }

    /// Compares the answer to a request that was not sticky.
    pub(crate) fn compare_other(&self, shown: &str, is_sticky: impl FnOnce(&str) -> bool) {
        if let Some(answered) = host::target_group()
            && answered != shown
            && is_sticky(&answered)
        {
            self.saw_change(shown, &answered);
        }
    }
}

/// Counts, and returns true for the first one and then for one in so many.
fn is_one_in(count: u32, so_far: &Cell<u32>) -> bool {
    so_far.replace(so_far.get().wrapping_add(1)).is_multiple_of(count)
}
