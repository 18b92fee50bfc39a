//! The programs that some of the tests need, and how to get them.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use local_envoy::child;

/// A program that some of the tests need.
pub(crate) struct Need {
    /// Its name, as in "… is missing".
    pub(crate) what: &'static str,
    pub(crate) get: Get,
    pub(crate) is_met: fn() -> bool,
}

/// The way to get it.
pub(crate) enum Get {
    /// A package of Debian and its derivatives.
    Package(&'static str),
    /// Another way, in words.
    Otherwise(&'static str),
}

pub(crate) const CURL: Need = Need { what: "curl", get: Get::Package("curl"), is_met: || on_path("curl") };

pub(crate) const PYTHON: Need = Need {
    what: "python3 with pip",
    get: Get::Package("python3-pip"),
    is_met: || succeeds("python3", &["-m", "pip", "--version"]),
};

pub(crate) const JDK: Need = Need {
    what: "a JDK (java and javac)",
    get: Get::Package("default-jdk-headless"),
    is_met: || succeeds("javac", &["-version"]) && succeeds("java", &["-version"]),
};

pub(crate) const CHROMIUM: Need = Need {
    what: "Chromium (on PATH, or named by CHROMIUM_BIN)",
    get: Get::Package("chromium"),
    is_met: || chromium().is_some(),
};

pub(crate) const CHROMEDRIVER: Need = Need {
    what: "chromedriver (on PATH, or named by CHROMEDRIVER_BIN)",
    get: Get::Package("chromium-driver"),
    is_met: || chromedriver().is_some(),
};

pub(crate) const DOCKER: Need = Need {
    what: "a Docker Engine that answers",
    get: Get::Otherwise("install and start Docker Engine until `docker version` succeeds"),
    is_met: || succeeds("docker", &["version"]),
};

pub(crate) const COMPOSE: Need = Need {
    what: "Docker Compose v2",
    get: Get::Otherwise("install its plugin until `docker compose version` succeeds"),
    is_met: || succeeds("docker", &["compose", "version"]),
};

pub(crate) const CARGO_FUZZ: Need = Need {
    what: "cargo-fuzz",
    get: Get::Otherwise("`cargo install cargo-fuzz --locked`"),
    is_met: || on_path("cargo-fuzz"),
};

pub(crate) const CXX: Need = Need { what: "a C++ compiler", get: Get::Package("g++"), is_met: || on_path("c++") };

pub(crate) const HAPROXY: Need = Need {
    what: "HAProxy (on PATH, or named by HAPROXY_BIN)",
    get: Get::Package("haproxy"),
    is_met: || program("HAPROXY_BIN", &["haproxy", "/usr/sbin/haproxy"]).is_some(),
};

pub(crate) const CADDY: Need = Need {
    what: "Caddy (on PATH, or named by CADDY_BIN)",
    get: Get::Package("caddy"),
    is_met: || program("CADDY_BIN", &["caddy"]).is_some(),
};

/// The path of the browser.
pub(crate) fn chromium() -> Option<PathBuf> {
    program("CHROMIUM_BIN", &["chromium", "chromium-browser", "google-chrome"])
}

/// The path of the program that drives the browser.
pub(crate) fn chromedriver() -> Option<PathBuf> {
    program("CHROMEDRIVER_BIN", &["chromedriver"])
}

/// Names what is missing and how to get it, as the end of a sentence.
pub(crate) fn missing(needs: &[&Need]) -> String {
    let what: Vec<_> = needs.iter().map(|need| need.what).collect();
    let mut packages = String::new();
    let mut words = Vec::new();
    for need in needs {
        match need.get {
            Get::Package(package) => packages = format!("{packages} {package}"),
            Get::Otherwise(how) => words.push(how.to_owned()),
        }
    }
    if !packages.is_empty() {
        words.insert(0, format!("`apt-get install{packages}`"));
    }
    format!("missing: {}; to get it: {}", what.join(", "), words.join("; "))
}

/// The program that the variable names, or the first of `names` that is on PATH.
fn program(variable: &str, names: &[&str]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    match env::var_os(variable).filter(|named| !named.is_empty()) {
        Some(named) => find(&named, &path),
        None => names.iter().find_map(|name| find(name.as_ref(), &path)),
    }
}

fn on_path(name: &str) -> bool {
    find(name.as_ref(), &env::var_os("PATH").unwrap_or_default()).is_some()
}

/// The absolute path of a program that is named as in a shell.
fn find(named: &OsStr, path: &OsStr) -> Option<PathBuf> {
    let file = Path::new(named);
    if file.components().count() > 1 {
        return env::current_dir().map(|here| here.join(file)).ok().filter(|file| file.is_file());
    }
    env::split_paths(path).map(|folder| folder.join(file)).find(|file| file.is_file())
}

fn succeeds(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    child::output(command.args(arguments), Duration::from_secs(60)).is_ok_and(|output| output.status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_that_are_missing_make_one_command() {
        assert_eq!(
            missing(&[&CURL, &DOCKER, &JDK]),
            "missing: curl, a Docker Engine that answers, a JDK (java and javac); to get it: \
             `apt-get install curl default-jdk-headless`; install and start Docker Engine until `docker version` succeeds"
        );
    }

    #[test]
    fn a_program_is_found_as_a_shell_finds_it() {
        assert!(find("sh".as_ref(), "/nowhere:/bin".as_ref()).is_some_and(|file| file.is_absolute()));
        assert_eq!(find("/bin/sh".as_ref(), "".as_ref()), Some("/bin/sh".into()));
        assert_eq!(find("sh".as_ref(), "/nowhere".as_ref()), None);
        assert_eq!(find("/nowhere/sh".as_ref(), "/bin".as_ref()), None);
    }

    #[test]
    fn a_program_that_fails_or_is_not_there_does_not_succeed() {
        assert!(succeeds("true", &[]));
        assert!(!succeeds("false", &[]));
        assert!(!succeeds("no-such-program", &[]));
    }
}
