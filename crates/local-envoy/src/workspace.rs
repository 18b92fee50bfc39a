//! Finds the workspace on this machine, and builds programs of it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// Builds a program of another package, with the profile of the running test, and returns its path. Cargo does not build it for the
/// test.
///
/// # Panics
///
/// When cargo fails, or when the caller is not a test program.
#[must_use]
pub fn build_program(package: &str, program: &str) -> PathBuf {
    let this = env::current_exe().unwrap_or_default();
    // A test program lies at `TARGET/PROFILE/deps/NAME`.
    let folders: Vec<&Path> = this.ancestors().skip(2).take(2).collect();
    let [profile, target] = folders[..] else { panic!("{} is not a test program", this.display()) };
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--locked", "--package", package, "--bin", program, "--target-dir"]).arg(target);
    let status = cargo.current_dir(workspace_root()).status();
    assert!(status.is_ok_and(|status| status.success()), "cargo build of {program} failed");
    profile.join(program)
}
