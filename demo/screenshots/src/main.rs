//! How do the pictures of the README come about?
//!
//! `cargo xtask screenshots` starts the demo and a browser, plays a short scene on the page of each listener, and writes what it
//! shows to `docs/images`, light and dark.

mod picture;
mod scene;

use std::env;
use std::path::{Path, PathBuf};

use local_browser::Browser;
use local_demo::{Demo, Ports, Settings};
use local_envoy::{Error, Result, workspace_root};

fn main() -> Result<()> {
    let folder = workspace_root().join("docs/images");
    take(&folder, "sticky", scene::stays)?;
    take(&folder, "plain", scene::comes_and_goes)
}

/// Each scene has a demo that nobody has visited yet.
fn take(folder: &Path, name: &str, scene: fn(Ports) -> Result<Browser>) -> Result<()> {
    let demo = demo()?;
    let browser = scene(demo.ports())?;
    picture::take(&browser, folder, name)
}

fn demo() -> Result<Demo> {
    Demo::start(Settings {
        envoy: local_envoy::binary()?,
        filter: named_by("STICKY_SESSIONS_WASM")?,
        backend: named_by("DEMO_BACKEND")?,
        // They stand on the page.
        ports: Ports::from_environment()?,
        ..Settings::default()
    })
}

fn named_by(variable: &str) -> Result<PathBuf> {
    let named = env::var_os(variable).filter(|named| !named.is_empty());
    named.map(PathBuf::from).ok_or_else(|| {
        Error::new(format!("{variable} names no file: run `cargo xtask screenshots`, which builds it and sets this"))
    })
}
