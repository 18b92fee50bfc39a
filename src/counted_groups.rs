//! Decides which target groups have counters of their own, once for all workers of the process.
//!
//! There is a limit, because clusters come and go, and Envoy never forgets a counter. If each worker kept the limit for itself, a
//! target group could have a counter in one worker and none in another, and its counter would show a part of its requests. So the
//! workers share a list of the target groups that have counters. It only grows. When it is full, every worker keeps a copy.
//!
//! The list is in Envoy's shared data, so workers agree as far as their VMs have one `vm_id`. Where the shared data fails, each worker
//! decides for itself.

use std::cell::OnceCell;

use stickiness::slots::hash;

use crate::host;

/// The most target groups with counters of their own.
pub(crate) const MAX_TARGET_GROUPS: usize = 1000;

/// Where the workers share the list: a hash of each name, in order. Two names with one hash both have counters.
const SHARED_LIST: &str = "sticky_sessions.counted_groups";

/// More than there can be workers that change the list at the same moment, one after the other.
const ATTEMPTS: usize = 256;

const HASH: usize = size_of::<u64>();

/// The decisions that a worker knows.
#[derive(Default)]
pub(crate) struct CountedGroups {
    /// The list, when it is full.
    full: OnceCell<Vec<[u8; HASH]>>,
}

impl CountedGroups {
    /// Returns true if this target group has counters of its own. It asks Envoy until the list is full, so the result is to be kept.
    ///
    /// `own` is the number of target groups that have counters in this worker.
    pub(crate) fn contains(&self, target_group: &str, own: usize) -> bool {
        own < MAX_TARGET_GROUPS && self.decide(hash(target_group.bytes()).to_be_bytes()).unwrap_or(true)
    }

    /// The decision of all workers; `None` when there is none.
    fn decide(&self, hash: [u8; HASH]) -> Option<bool> {
        if let Some(full) = self.full.get() {
            return Some(full.binary_search(&hash).is_ok());
        }
        for _ in 0..ATTEMPTS {
            let present = host::shared_data(SHARED_LIST).ok()?;
            let mut list: Vec<[u8; HASH]> =
                present.as_ref().map(|list| list.value.as_chunks().0.to_vec()).unwrap_or_default();
            list.truncate(MAX_TARGET_GROUPS);
            let place = list.binary_search(&hash);
            if list.len() == MAX_TARGET_GROUPS {
                drop(self.full.set(list));
                return Some(place.is_ok());
            }
            let Err(place) = place else { return Some(true) };
            list.insert(place, hash);
            if host::replace_shared_data(SHARED_LIST, list.as_flattened(), present.as_ref())? {
                return Some(true);
            }
        }
        None
    }
}
