//! What is to be finished before a Ctrl-C ends the program?

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, bail};
use local_envoy::child;

static OPEN: Mutex<()> = Mutex::new(());

/// While this is held, something is there that outlives the program unless [`run`] takes it away.
pub(crate) fn open() -> MutexGuard<'static, ()> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns when nothing is left to be taken away.
pub(crate) fn wait() {
    drop(open());
}

/// Runs `command` to its end, also after a Ctrl-C, when no [`child::Child`] can be started. It has a process group of its own, so
/// that a second Ctrl-C does not reach it either.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let name = child::describe(command);
    let status = command.process_group(0).status().with_context(|| name.clone())?;
    if !status.success() {
        bail!("{name} failed ({status})");
    }
    Ok(())
}
