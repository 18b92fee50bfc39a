//! Takes the pictures of the README.
//!
//! `cargo xtask screenshots` starts the demo and a browser, plays a short visit on the page of each listener, and writes light and
//! dark pictures to `docs/images`.

mod picture;
mod visit;

use std::env;
use std::path::{Path, PathBuf};

use local_browser::Browser;
use local_demo::{Demo, Ports, Settings};
use local_envoy::{Error, Result, workspace_root};

fn main() -> Result<()> {
    let folder = workspace_root().join("docs/images");
    take(&folder, "sticky", visit::stays)?;
    take(&folder, "plain", visit::comes_and_goes)
}

/// Takes the pictures of one visit, with a new demo.
fn take(folder: &Path, name: &str, visit: fn(Ports) -> Result<Browser>) -> Result<()> {
    let demo = demo()?;
    let browser = visit(demo.ports())?;
    picture::take(&browser, folder, name)
}

fn demo() -> Result<Demo> {
    Demo::start(Settings {
        envoy: local_envoy::binary()?,
        filter: named_by("STICKY_SESSIONS_WASM")?,
        backend: named_by("DEMO_BACKEND")?,
        // The pictures show the ports.
        ports: Ports::from_environment()?,
        ..Settings::default()
    })
}

/// The file that a variable names.
fn named_by(variable: &str) -> Result<PathBuf> {
    let named = env::var_os(variable).filter(|named| !named.is_empty());
    named.map(PathBuf::from).ok_or_else(|| {
        Error::new(format!("{variable} names no file: run `cargo xtask screenshots`, which builds it and sets this"))
    })
}
