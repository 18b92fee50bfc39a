//! The tokio runtime of the clients and the backends.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

/// One runtime for all scenarios. Each scenario is a thread that blocks on it.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
}
