//! The Python packages of the clients, installed once and kept between runs.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use local_envoy::child;

use crate::program;

/// Enough for about 15 MB on a slow line.
const LIMIT: Duration = Duration::from_mins(10);

/// `python3` with a script of this suite, which finds the packages.
pub(crate) fn python(script: &str) -> Command {
    let mut python = program::command("python3");
    python.env("PYTHONPATH", installed()).arg(program::script(script));
    python
}

/// The folder with the packages of `requirements.txt`.
fn installed() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("python-{:016x}", fingerprint()));
        if !folder.is_dir() {
            install(&folder);
        }
        folder
    })
}

/// A hash of the packages and of the Python that they are built for.
fn fingerprint() -> u64 {
    let mut hasher = DefaultHasher::new();
    include_str!("python/requirements.txt").hash(&mut hasher);
    let mut python = Command::new("python3");
    python.args(["-c", "import sysconfig; print(sysconfig.get_platform(), sysconfig.get_config_var('SOABI'))"]);
    program::output(&mut python).hash(&mut hasher);
    hasher.finish()
}

/// Installs into a folder beside the final one and renames it, so that the final folder is always complete.
fn install(folder: &Path) {
    let work = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let whole = work.path().join("whole");
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps"]);
    pip.arg("--target").arg(&whole).arg("--requirement").arg(program::script("python/requirements.txt"));
    // When pip is interrupted, it leaves unpacked files there.
    pip.env("TMPDIR", work.path());
    let output = child::output(&mut pip, LIMIT).unwrap();
    assert!(
        output.status.success(),
        "the Python packages of the clients cannot be installed; this needs pip for python3 and a way to PyPI:\n{}{}",
        output.stdout,
        output.stderr
    );
    let moved = std::fs::rename(&whole, folder);
    // The rename fails when another run has put its folder there first.
    assert!(moved.is_ok() || folder.is_dir(), "{}: {moved:?}", folder.display());
}
