//! Logs a warning once, however often and in however many workers it comes up.

use crate::host;

/// Logs a warning, unless a worker of this process has logged it already.
pub(crate) fn warn_once(warning: &str) {
    warn_once_of(warning, warning);
}

/// Logs a warning, unless a worker of this process has logged one of this kind already.
pub(crate) fn warn_once_of(kind: &str, warning: &str) {
    if is_first(&format!("sticky_sessions.warning.{kind}")) {
        log::warn!("{warning}");
    }
}

/// Tells whether nobody has logged yet what this key of the shared data stands for. Without shared data each worker logs it.
pub(crate) fn is_first(key: &str) -> bool {
    host::store_shared_data_first(key, b"logged") != Some(false)
}
