//! The commands of this repository: `cargo xtask COMMAND`.

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

use std::io::{self, Write};
use std::process::{self, ExitCode};
use std::thread;
use std::time::Duration;

use clap::{ArgMatches, Command};
use local_envoy::child;

/// The end of `cargo xtask --help`.
const EXAMPLES: &str = "Examples:
  cargo xtask demo                    runs the demo: open http://localhost:10000
  cargo xtask test                    runs every test that this machine can run
  cargo xtask test unit envoy         runs two suites
  cargo xtask test failover           runs the tests that have `failover` in their names
  cargo xtask COMMAND --help          shows the options of a command";

#[derive(Debug, PartialEq, Eq)]
enum Task {
    Help,
    Wasm,
    Demo,
    Test(test::Selection),
    Bench(Vec<String>),
    Lint,
    Compatibility,
    Deny(Vec<String>),
    Screenshots,
}

fn main() -> ExitCode {
    let task = match parse(std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned())) {
        Ok(task) => task,
        // Also the help that was asked for, with status 0.
        Err(error) => error.exit(),
    };
    // A signal is the normal end of the demo. Other commands end with 128 + SIGINT, as in a shell.
    let interrupted = if task == Task::Demo { 0 } else { 130 };
    end_children_on_signal(interrupted);
    let result = match task {
        Task::Help => {
            println!("{}", commands().render_help());
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
        // The signal ended a child, and the command failed because of that. The newline moves the shell's prompt below the ^C.
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

/// Ends all children when this program is told to end. The children have process groups of their own, so the terminal does not
/// send them the Ctrl-C.
fn end_children_on_signal(status: u8) {
    let handler = move || {
        child::end_all();
        // A command that waits for a child returns within this time.
        thread::sleep(Duration::from_millis(500));
        cleanup::wait();
        process::exit(status.into());
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        eprintln!("xtask: Ctrl-C will not clean up: {error}");
    }
}

/// Reads the words after `cargo xtask`.
fn parse(words: impl IntoIterator<Item = String>) -> Result<Task, clap::Error> {
    let matches = commands().try_get_matches_from(words)?;
    Ok(matches.subcommand().map_or(Task::Help, |(command, arguments)| task(command, arguments)))
}

fn task(command: &str, arguments: &ArgMatches) -> Task {
    match command {
        "wasm" => Task::Wasm,
        "demo" => Task::Demo,
        "test" => Task::Test(test::Selection::of(arguments)),
        "bench" => Task::Bench(bench::words(arguments)),
        "lint" => Task::Lint,
        "compatibility" => Task::Compatibility,
        "deny" => Task::Deny(deny::checks(arguments)),
        "screenshots" => Task::Screenshots,
        _ => Task::Help,
    }
}

fn commands() -> Command {
    Command::new("cargo xtask")
        .about("The commands of this repository")
        .bin_name("cargo xtask")
        .no_binary_name(true)
        .subcommands([
            Command::new("demo").about("Runs two backends and an Envoy with the filter on port 10000, without Docker"),
            test::arguments(),
            Command::new("wasm").about("Builds the filter into dist/sticky_sessions.wasm"),
            Command::new("lint").about("Checks format and clippy, natively and for wasm"),
            bench::arguments(),
            Command::new("compatibility")
                .about("Runs the same scenarios on the filter and on other proxies, and writes docs/compatibility.md"),
            deny::arguments(),
            Command::new("screenshots").about("Takes the pictures of the README, with Chromium"),
        ])
        .after_help(EXAMPLES)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Task, clap::Error> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    fn refusal(line: &str) -> String {
        parsed(line).unwrap_err().to_string()
    }

    #[test]
    fn the_commands_fit_together() {
        commands().debug_assert();
    }

    #[test]
    fn no_word_asks_for_the_list() {
        assert_eq!(parsed("").unwrap(), Task::Help);
        let help = commands().render_help().to_string();
        assert!(commands().get_subcommands().all(|command| help.contains(command.get_name())), "{help}");
    }

    #[test]
    fn every_suite_is_listed() {
        let help = refusal("test --help");
        assert!(test::suite_names().all(|suite| help.contains(suite)), "{help}");
    }

    #[test]
    fn every_listed_command_is_known() {
        for command in commands().get_subcommands() {
            let name = command.get_name();
            assert_ne!(parsed(name).unwrap(), Task::Help, "{name}");
        }
    }

    #[test]
    fn an_unknown_word_is_named() {
        let message = refusal("dmeo");
        assert!(message.contains("unrecognized subcommand 'dmeo'") && message.contains("'demo'"), "{message}");
        let message = refusal("demo now");
        assert!(message.contains("unexpected argument 'now'"), "{message}");
    }

    #[test]
    fn test_takes_words_of_its_own() {
        let selection =
            test::Selection { names: vec!["moved".into()], version: Some("1.36.2".into()), ..Default::default() };
        assert_eq!(parsed("test moved --envoy 1.36.2").unwrap(), Task::Test(selection));
    }

    #[test]
    fn words_of_the_bench_go_on_to_it() {
        let words = ["--only", "matrix", "--smoke"].map(str::to_owned);
        assert_eq!(parsed("bench --only matrix --smoke").unwrap(), Task::Bench(words.into()));
        assert!(refusal("bench --help").contains("--rounds"));
    }

    #[test]
    fn the_page_for_contributors_has_every_command_and_every_suite() {
        let page = include_str!("../../CONTRIBUTING.md");
        for command in commands().get_subcommands().map(Command::get_name) {
            assert!(page.contains(&format!("cargo xtask {command}")) || command == "help", "{command}");
        }
        let (_, table) = page.split_once("| suite | subject | needs |\n|---|---|---|\n").unwrap();
        let rows = table.lines().map_while(|line| line.strip_prefix("| `")?.split('`').next());
        let mut rows: Vec<&str> = rows.collect();
        let mut suites: Vec<&str> = test::suite_names().collect();
        rows.sort_unstable();
        suites.sort_unstable();
        assert_eq!(rows, suites);
    }
}
