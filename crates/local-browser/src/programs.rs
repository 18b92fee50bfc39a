//! Finds Chromium and chromedriver on this machine.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

const CHROMIUM: Needed = Needed {
    what: "Chromium",
    variable: "CHROMIUM_BIN",
    names: &["chromium", "chromium-browser", "google-chrome"],
    package: "chromium",
};

const CHROMEDRIVER: Needed =
    Needed { what: "chromedriver", variable: "CHROMEDRIVER_BIN", names: &["chromedriver"], package: "chromium-driver" };

/// The two programs of a browser under WebDriver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    /// Chromium or a browser built from it.
    pub chromium: PathBuf,
    /// Its chromedriver. It must have the same version.
    pub chromedriver: PathBuf,
}

impl Programs {
    /// The programs that `CHROMIUM_BIN` and `CHROMEDRIVER_BIN` name, otherwise those on `PATH`.
    ///
    /// # Errors
    ///
    /// When a program is missing. The error says how to install it.
    pub fn find() -> Result<Self> {
        Ok(Self { chromium: CHROMIUM.find()?, chromedriver: CHROMEDRIVER.find()? })
    }
}

struct Needed {
    what: &'static str,
    variable: &'static str,
    names: &'static [&'static str],
    package: &'static str,
}

impl Needed {
    fn find(&self) -> Result<PathBuf> {
        let named = env::var_os(self.variable).filter(|named| !named.is_empty());
        self.find_in(named.as_deref(), &env::var_os("PATH").unwrap_or_default())
    }

    fn find_in(&self, named: Option<&OsStr>, path: &OsStr) -> Result<PathBuf> {
        let Self { what, variable, names, package } = self;
        let on_path = |name: &OsStr| env::split_paths(path).map(|folder| folder.join(name)).find(|file| file.is_file());
        if let Some(named) = named {
            // A name with a slash is a path.
            let found = if Path::new(named).components().count() > 1 { Some(named.into()) } else { on_path(named) };
            return found.filter(|file: &PathBuf| file.is_file()).ok_or_else(|| {
                let named = named.display();
                Error::new(format!(
                    "{variable} names {named}, which is not a file: name {what}, or unset it to look on PATH"
                ))
            });
        }
        names.iter().find_map(|name| on_path(name.as_ref())).ok_or_else(|| {
            let names = names.join(", ");
            Error::new(format!(
                "{what} is not on PATH (looked for {names}): install it (`apt-get install {package}`), or name it in {variable}"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_name_on_the_path_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["chromium-browser", "google-chrome"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found = CHROMIUM.find_in(None, folder.path().as_ref());
        assert_eq!(found, Ok(folder.path().join("chromium-browser")));
    }

    #[test]
    fn the_program_of_the_variable_comes_before_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let mine = folder.path().join("mine");
        std::fs::write(&mine, "").unwrap();
        assert_eq!(CHROMIUM.find_in(Some(mine.as_ref()), "".as_ref()), Ok(mine.clone()));
        assert_eq!(CHROMIUM.find_in(Some("mine".as_ref()), folder.path().as_ref()), Ok(mine));
    }

    #[test]
    fn a_browser_that_is_not_there_is_named_with_how_to_get_it() {
        let error = CHROMEDRIVER.find_in(None, "/nowhere".as_ref()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "chromedriver is not on PATH (looked for chromedriver): install it (`apt-get install chromium-driver`), \
             or name it in CHROMEDRIVER_BIN"
        );
        let error = CHROMIUM.find_in(Some("/nowhere/chromium".as_ref()), "".as_ref()).unwrap_err();
        assert!(error.to_string().starts_with("CHROMIUM_BIN names /nowhere/chromium, which is not a file"), "{error}");
    }
}
