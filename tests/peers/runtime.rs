//! Where both ends of a proxy run.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

/// One for all scenarios, which themselves are threads that wait.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap())
}
