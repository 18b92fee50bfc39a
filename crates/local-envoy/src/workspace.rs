//! Finds the root of the workspace on this machine.

use std::env;
use std::path::{Path, PathBuf};

/// Only the root of this workspace has this file.
const MARK: &str = "envoy/envoy.yaml";

/// The root of the workspace.
///
/// Cargo's variable at run time comes before the folder at compile time. A clone that was moved with its `target` is therefore found
/// at its new place.
///
/// # Panics
///
/// When neither of them lies inside a workspace with an `envoy/envoy.yaml`.
#[must_use]
pub fn workspace_root() -> PathBuf {
    let running = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let compiled = Path::new(env!("CARGO_MANIFEST_DIR"));
    running
        .as_deref()
        .into_iter()
        .chain([compiled])
        .flat_map(Path::ancestors)
        .find(|folder| folder.join(MARK).is_file())
        .unwrap_or_else(|| {
            panic!("no folder above {} holds {MARK}: run this through cargo inside the clone", compiled.display())
        })
        .to_path_buf()
}
