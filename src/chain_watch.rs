//! Warns of two instances of the filter in one chain that are sticky for the same target group.

use std::cell::Cell;

use stickiness::config::Config;

use crate::host;
use crate::warn_once::warn_once;

/// The warning of a plugin in one worker.
#[derive(Default)]
pub(crate) struct ChainWatch {
    has_warned: Cell<bool>,
}

impl ChainWatch {
    /// An instance that stands before this one in the chain has pinned the request. `config` is the configuration of this one.
    pub(crate) fn was_pinned_by_another(&self, config: &Config) {
        if self.has_warned.get() {
            return;
        }
        let target_group = config.only_target_group.clone().or_else(host::target_group);
        if let Some(target_group) = target_group.filter(|target_group| config.policy(target_group).is_some()) {
            self.has_warned.set(true);
            warn_once(&format!(
                "two instances of the filter in one chain are sticky for the target group {target_group:?}: the second one \
                 leaves a request alone that the first one has pinned"
            ));
        }
    }
}
