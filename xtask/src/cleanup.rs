//! Delays the end of the program after a Ctrl-C until what outlives it is removed.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, bail};
use local_envoy::child;

static OPEN: Mutex<()> = Mutex::new(());

/// Held while something exists that outlives the program, such as containers. [`run`] removes it.
pub(crate) fn open() -> MutexGuard<'static, ()> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until nothing is left to remove.
pub(crate) fn wait() {
    drop(open());
}

/// Runs `command` to its end. It works after a Ctrl-C too, when no [`child::Child`] can start. The process has a group of its own,
/// so that a second Ctrl-C does not reach it.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let name = child::describe(command);
    let status = command.process_group(0).status().with_context(|| name.clone())?;
    if !status.success() {
        bail!("{name} failed ({status})");
    }
    Ok(())
}
