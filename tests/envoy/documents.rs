//! Tries the documents: every configuration, command and link in them works.

mod commands;
mod configurations;
mod links;
mod markdown;
mod statements;

pub(crate) use configurations::{cluster_without_stickiness, override_host, ten_lines, wasm_service};

use std::path::PathBuf;

pub(crate) fn root() -> PathBuf {
    local_envoy::workspace_root()
}

/// The text of a file.
#[track_caller]
pub(crate) fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The parts of a text in backticks.
pub(crate) fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}
