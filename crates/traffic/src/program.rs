//! Builds the program of a target.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use local_envoy::workspace_root;

/// The path of `traffic-target`, freshly built. Cargo does not build a program of another package for a test.
pub(crate) fn target() -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        // The running test program lies in the folder `deps` beside it.
        let this = std::env::current_exe().unwrap();
        let [programs, folder] = [2, 3].map(|level| this.ancestors().nth(level).unwrap());
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--locked", "--package", "traffic", "--bin", "traffic-target", "--target-dir"]);
        let status = build.arg(folder).current_dir(workspace_root()).status().unwrap();
        assert!(status.success(), "cargo build of traffic-target failed");
        programs.join("traffic-target")
    })
}
