//! Where is the workspace on this machine?

use std::env;
use std::path::{Path, PathBuf};

/// What only the root of this workspace has.
const MARK: &str = "envoy/envoy.yaml";

/// The root of the workspace.
///
/// Cargo's variable of the running program comes before the folder known at compile time: a clone that was moved together with
/// its `target` is found where it is now.
///
/// # Panics
///
/// When neither lies inside a workspace with an `envoy/envoy.yaml`.
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
