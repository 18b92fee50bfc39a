//! Runs other programs, cargo above all.

use std::env;
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use local_envoy::{Child, child, workspace_root};
use serde_json::Value;

/// A day. There is no useful limit for builds and tests.
const LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

/// A command that runs in the root of the workspace.
pub(crate) fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(workspace_root());
    command
}

/// The cargo that runs this program, so that one toolchain builds everything.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    command(&cargo, arguments)
}

/// Prints a heading above the output of other programs.
pub(crate) fn step(what: &str) {
    println!("\n> {what}");
}

/// Runs `command`, which prints to the terminal. Any status but 0 is an error.
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

/// Runs `command` and passes each line of its standard output on, to the terminal and to `on_line`.
pub(crate) fn watch(command: &mut Command, mut on_line: impl FnMut(&str)) -> Result<()> {
    let child = Child::spawn(command.stdout(Stdio::piped()))?;
    if let Some(stdout) = child.take_stdout() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = line.with_context(|| child::describe(command))?;
            let line = String::from_utf8_lossy(&line);
            let _ = writeln!(io::stdout(), "{line}");
            on_line(&line);
        }
    }
    let status = child.wait(LIMIT)?;
    check(command, status)
}

/// Runs `cargo build` with these arguments for a module that ships. Returns the file `name` + `ending` of the target `name`.
pub(crate) fn build(arguments: &[&str], name: &str, ending: &str) -> Result<PathBuf> {
    let mut command = cargo(&["build"]);
    // A flag of the user would take the place of the flags of the target, and the module would differ.
    command.args(arguments).env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
    built(&mut command, name, ending)
}

/// Builds the application of the demo and returns its path.
pub(crate) fn demo_backend() -> Result<PathBuf> {
    built(&mut cargo(&["build", "--locked", "-p", "demo-backend"]), "demo-backend", "")
}

/// Builds a program of the workspace beside this test, from the dependencies that are built for the tests. `--workspace` and `--test`
/// make cargo choose the same features. With other features it would build the dependencies again.
pub(crate) fn beside_test(test: &str, program: &str) -> Result<PathBuf> {
    built(&mut cargo(&["build", "--locked", "--workspace", "--bin", program, "--test", test]), program, "")
}

fn built(command: &mut Command, name: &str, ending: &str) -> Result<PathBuf> {
    let messages = read(command.arg("--message-format=json-render-diagnostics"))?;
    artifact(&messages, name, ending)
        .with_context(|| format!("{} made no file {name}{ending}", child::describe(command)))
}

/// Finds the file in the messages of `cargo build`, one JSON object a line. They tell the folder, which the user can change.
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
