//! Builds the filter as it ships.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use local_envoy::workspace_root;

use crate::{sh, ship};

/// The platform that the filter is compiled for.
pub(crate) const TARGET: &str = "wasm32-wasip1";

/// In bytes. Every worker compiles the module at its start and after a crash, which takes longer for a larger one.
const BUDGET: usize = 380_000;

/// `cargo xtask wasm`.
pub(crate) fn run() -> Result<()> {
    build().map(drop)
}

/// Builds the filter and returns where it lies: `dist/sticky_sessions.wasm`, as an absolute path.
pub(crate) fn build() -> Result<PathBuf> {
    let module = module("sticky-sessions", "sticky_sessions")?;
    let size = module.len();
    if size > BUDGET {
        bail!("the filter has {size} bytes, {} over the budget of {BUDGET}", size - BUDGET);
    }
    let shipped = workspace_root().join("dist/sticky_sessions.wasm");
    write_if_changed(&module, &shipped).with_context(|| shipped.display().to_string())?;
    println!("dist/sticky_sessions.wasm: {size} bytes");
    Ok(shipped)
}

/// Where cargo leaves the module out of which [`build`] makes the one that ships.
pub(crate) fn plain() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    workspace_root().join(target).join(TARGET).join("release/sticky_sessions.wasm")
}

/// Builds the module that `crates/bench` compares the filter with, and returns where it lies.
pub(crate) fn build_sdk_calls() -> Result<PathBuf> {
    let file = workspace_root().join("target/bench/sdk_calls.wasm");
    write_if_changed(&module("sdk-calls", "sdk_calls")?, &file).with_context(|| file.display().to_string())?;
    Ok(file)
}

/// The module of this package, built and rewritten as the filter that ships.
fn module(package: &str, name: &str) -> Result<Vec<u8>> {
    add_target()?;
    let config = compiler_flags();
    let arguments = ["--release", "--locked", "--target", TARGET, "-p", package, "--config", &config];
    let built = sh::build(&arguments, name, ".wasm")?;
    let shipped = fs::read(&built).map_err(Into::into).and_then(|built| ship::shipped(&built));
    shipped.with_context(|| built.display().to_string())
}

/// The setting of cargo that keeps the folder of the builder's crates out of the module: panics name their source, and the same
/// sources make the same module on every machine. The other flags are in .cargo/config.toml.
fn compiler_flags() -> String {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo"))).unwrap_or_default();
    format!("target.{TARGET}.rustflags=['--remap-path-prefix={}=cargo']", home.display())
}

/// Makes sure that the standard library for [`TARGET`] is there.
pub(crate) fn add_target() -> Result<()> {
    let folder = sh::read(&mut sh::command("rustc", &["--print", "target-libdir", "--target", TARGET]))?;
    if has_core(Path::new(folder.trim())) {
        return Ok(());
    }
    eprintln!("Adding the Rust target {TARGET} with rustup: the filter is compiled for it, and it is not there.");
    sh::run(&mut sh::command("rustup", &["target", "add", TARGET])).with_context(|| {
        format!("the Rust target {TARGET} is missing: install it with rustup or your system's packages")
    })
}

fn has_core(folder: &Path) -> bool {
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.filter_map(|name| name.into_string().ok()).any(|name| name.starts_with("libcore-") && name.ends_with(".rlib"))
}

/// An unchanged file keeps its time, so that programs that watch it do nothing.
fn write_if_changed(module: &[u8], file: &Path) -> std::io::Result<()> {
    if fs::read(file).is_ok_and(|present| present == module) {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, module)
}
