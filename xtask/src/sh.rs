//! How does a command of this repository run another program?

use std::env;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use local_envoy::{Child, child, workspace_root};
use serde_json::Value;

/// A day: builds and tests take as long as they take.
const LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

/// `program`, to be run in the root of the workspace.
pub(crate) fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(workspace_root());
    command
}

/// The cargo that runs this, so that one toolchain builds everything.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    command(&cargo, arguments)
}

/// Says what comes next, above the output of other programs.
pub(crate) fn step(what: &str) {
    println!("\n> {what}");
}

/// Runs `command`, which prints to the terminal. An error unless it ends with status 0.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = Child::spawn(command)?.wait(LIMIT)?;
    check(command, status)
}

/// Runs `command` and returns its standard output; its standard error goes to the terminal.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let child = Child::spawn(command.stdout(Stdio::piped()))?;
    let stdout = child.take_stdout().map(std::io::read_to_string).transpose();
    let status = child.wait(LIMIT)?;
    check(command, status)?;
    stdout.with_context(|| child::describe(command)).map(Option::unwrap_or_default)
}

/// Runs `cargo build` with these arguments and returns the file that it made for the target `name`, the one called `name` with
/// `ending` behind it.
pub(crate) fn build(arguments: &[&str], name: &str, ending: &str) -> Result<PathBuf> {
    let mut command = cargo(&["build", "--message-format=json-render-diagnostics"]);
    // These come before the flags of a target, and what ships is not to differ by whoever builds it.
    command.args(arguments).env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    let messages = read(&mut command)?;
    artifact(&messages, name, ending)
        .with_context(|| format!("{} made no file {name}{ending}", child::describe(&command)))
}

/// Builds the application of the demo, and returns where it lies.
pub(crate) fn demo_backend() -> Result<PathBuf> {
    build(&["--release", "--locked", "-p", "demo-backend"], "demo-backend", "")
}

/// `cargo build` says in one JSON object per line what it has made, wherever its target folder is.
fn artifact(messages: &str, name: &str, ending: &str) -> Option<PathBuf> {
    let file_name = format!("{name}{ending}");
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact" && message["target"]["name"] == name)
        .filter_map(|message| message["filenames"].as_array().cloned())
        .flatten()
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .find(|file| file.file_name().is_some_and(|name| name == file_name.as_str()))
}

fn check(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("{} failed ({status})", child::describe(command));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_artifact_is_found_among_what_cargo_says() {
        let messages = r#"{"reason":"build-script-executed"}
{"reason":"compiler-artifact","target":{"name":"log"},"filenames":["/t/liblog.rlib"]}
{"reason":"compiler-artifact","target":{"name":"sticky_sessions"},"filenames":["/t/x/sticky_sessions.d","/t/x/sticky_sessions.wasm"]}
"#;
        let found = artifact(messages, "sticky_sessions", ".wasm");
        assert_eq!(found, Some(PathBuf::from("/t/x/sticky_sessions.wasm")));
        assert_eq!(artifact(messages, "demo-backend", ""), None);
    }

    #[test]
    fn a_command_that_fails_is_shown_as_it_was_typed() {
        let error = run(&mut command("sh", &["-c", "exit 3"])).unwrap_err();
        assert_eq!(error.to_string(), "`sh -c exit 3` failed (exit status: 3)");
    }
}
