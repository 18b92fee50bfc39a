//! Logs a warning once, however often and in however many workers it comes up.

use crate::host;

/// Logs a warning, unless a worker of this process has logged it already.
pub(crate) fn warn_once(warning: &str) {
    if is_first(&format!("sticky_sessions.warning.{warning}")) {
        log::warn!("{warning}");
    }
}

/// Returns true if no worker has logged the line yet that has this key in the shared data. Without shared data each worker logs it.
pub(crate) fn is_first(key: &str) -> bool {
    host::store_shared_data_first(key, b"logged") != Some(false)
}
