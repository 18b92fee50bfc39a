//! Which commands does this repository have, and which one is meant?

mod bench;
mod cleanup;
mod compatibility;
mod demo;
mod deny;
mod lint;
mod screenshots;
mod sh;
mod ship;
mod test;
mod wasm;

use std::env;
use std::io::{self, Write};
use std::process::{self, ExitCode};
use std::thread;
use std::time::Duration;

use local_envoy::child;

/// Arguments, and what the command does.
const COMMANDS: [(&str, &str); 8] = [
    ("wasm", "builds the filter into dist/sticky_sessions.wasm"),
    ("demo", "runs two backends and an Envoy with the filter on port 10000, without Docker"),
    (
        "test [SUITE...] [NAME...] [--envoy VERSION] [--runs NUMBER]",
        "runs the tests that can run here, or these: SUITE is unit, host, fuzz, envoy, clients, browser, docker, peers, faults or load, NAME is part of a test's name, NUMBER how often each fuzz target is executed",
    ),
    (
        "bench [--rounds NUMBER] [--seconds NUMBER] [--only WORD]... [--smoke]",
        "measures what stickiness costs beside other filters and proxies, and writes docs/performance.md; --only is for sections and variants whose name has this word, --smoke checks that everything works",
    ),
    ("lint", "checks format and clippy, natively and for wasm"),
    ("compatibility", "plays the others' scenarios to them and to the filter, and writes docs/compatibility.md"),
    (
        "deny [CHECK...]",
        "checks what may be among the dependencies: CHECK is advisories, licenses, bans or sources, without one it is all of them",
    ),
    ("screenshots", "makes the pictures of the README, with Chromium"),
];

#[derive(Debug, PartialEq, Eq)]
enum Task {
    Help,
    Wasm,
    Demo,
    Test(test::Selection),
    Bench(Vec<String>),
    Lint,
    Compatibility,
    Deny(Vec<&'static str>),
    Screenshots,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let task = match parse(&arguments) {
        Ok(task) => task,
        Err(wrong) => {
            eprintln!("xtask: {wrong}\n\n{}", help());
            return ExitCode::from(2);
        }
    };
    // The demo has no other end than a signal; for the rest it is the shell's 128 + SIGINT.
    let interrupted = if task == Task::Demo { 0 } else { 130 };
    end_children_on_signal(interrupted);
    let result = match task {
        Task::Help => {
            println!("{}", help());
            Ok(())
        }
        Task::Wasm => wasm::run(),
        Task::Demo => demo::run(),
        Task::Test(selection) => test::run(&selection),
        Task::Bench(words) => bench::run(&words),
        Task::Lint => lint::run(),
        Task::Compatibility => compatibility::run(),
        Task::Deny(checks) => deny::run(&checks),
        Task::Screenshots => screenshots::run(),
    };
    match result {
        // What failed then is what the signal has ended. The newline takes the shell's prompt off the line of the ^C.
        _ if child::ending() => {
            let _ = writeln!(io::stdout());
            ExitCode::from(interrupted)
        }
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The children are not in the terminal's process group, so it is here that they learn of a Ctrl-C.
fn end_children_on_signal(status: u8) {
    let handler = move || {
        child::end_all();
        // By now the command has returned, unless it does something that does not wait for a child.
        thread::sleep(Duration::from_millis(500));
        cleanup::wait();
        process::exit(status.into());
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        eprintln!("xtask: Ctrl-C will not clean up: {error}");
    }
}

fn parse(arguments: &[String]) -> Result<Task, String> {
    let Some((command, rest)) = arguments.split_first() else {
        return Ok(Task::Help);
    };
    let task = match command.as_str() {
        "help" | "--help" | "-h" => return Ok(Task::Help),
        "deny" => return deny::parse(rest).map(Task::Deny),
        "test" => return test::Selection::parse(rest).map(Task::Test),
        "bench" => return Ok(Task::Bench(rest.to_vec())),
        "wasm" => Task::Wasm,
        "demo" => Task::Demo,
        "lint" => Task::Lint,
        "compatibility" => Task::Compatibility,
        "screenshots" => Task::Screenshots,
        other => return Err(format!("there is no command {other:?}")),
    };
    match rest.first() {
        None => Ok(task),
        Some(word) => Err(format!("{command} takes no arguments, but there is {word:?}")),
    }
}

fn help() -> String {
    let width = COMMANDS.iter().map(|(usage, _)| usage.len()).max().unwrap_or(0);
    let lines: Vec<String> =
        COMMANDS.iter().map(|(usage, does)| format!("  cargo xtask {usage:width$}  {does}")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Task, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&words)
    }

    #[test]
    fn no_word_asks_for_the_list() {
        assert_eq!(parsed(""), Ok(Task::Help));
        assert_eq!(help().lines().count(), COMMANDS.len());
    }

    #[test]
    fn every_suite_is_listed() {
        assert!(test::suite_names().all(|suite| help().contains(suite)), "{}", help());
    }

    #[test]
    fn every_listed_command_is_known() {
        for (usage, _) in COMMANDS {
            let command = usage.split(' ').next().unwrap();
            assert!(!matches!(parsed(command), Ok(Task::Help) | Err(_)), "{command}");
        }
    }

    #[test]
    fn an_unknown_word_is_named() {
        assert_eq!(parsed("dmeo"), Err("there is no command \"dmeo\"".into()));
        assert_eq!(parsed("demo now"), Err("demo takes no arguments, but there is \"now\"".into()));
    }

    #[test]
    fn test_takes_words_of_its_own() {
        let selection =
            test::Selection { names: vec!["moved".into()], version: Some("1.36.2".into()), ..Default::default() };
        assert_eq!(parsed("test moved --envoy 1.36.2"), Ok(Task::Test(selection)));
    }
}
