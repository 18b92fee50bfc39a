//! The flag that stops every wait of this crate, and every start of a process, while the program ends.

use std::sync::atomic::{AtomicBool, Ordering};

static ENDING: AtomicBool = AtomicBool::new(false);

/// Sets the flag. It stays set.
pub(crate) fn begin() {
    ENDING.store(true, Ordering::SeqCst);
}

/// True if the program ends: [`crate::child::end_all`] was called.
#[must_use]
pub fn ending() -> bool {
    ENDING.load(Ordering::SeqCst)
}
