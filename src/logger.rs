//! Sends the lines of the crate `log`, and panics, to Envoy's log.
//!
//! The SDK has a logger too (`proxy_wasm::set_log_level`), which panics when the host does not take a line.

use hostcalls::Level;
use log::{LevelFilter, Log, Metadata, Record};

use crate::host_errors;

/// Has this VM log to Envoy from now on.
pub(crate) fn start() {
    // It may be set already: the tests start several VMs in one process.
    drop(log::set_logger(&EnvoyLog));
    log::set_max_level(LevelFilter::Info);
    // A test that panics is to say so on its own standard error.
    if cfg!(target_family = "wasm") {
        std::panic::set_hook(Box::new(|panic| write(Level::Critical, &panic.to_string())));
    }
}

struct EnvoyLog;

impl Log for EnvoyLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            write(level(record.level()), &record.args().to_string());
        }
    }

    fn flush(&self) {}
}

fn write(level: Level, line: &str) {
    host_errors::checked(hostcalls::log(level, line));
}

fn level(level: log::Level) -> Level {
    match level {
        log::Level::Error => Level::Error,
        log::Level::Warn => Level::Warn,
        log::Level::Info => Level::Info,
        log::Level::Debug => Level::Debug,
        log::Level::Trace => Level::Trace,
    }
}
