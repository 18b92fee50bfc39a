//! The running demo, and what Docker reports about it.

use std::process::Command;
use std::time::Duration;

use local_demo::Compose;
use local_envoy::child::{self, Output};
use serde_json::Value;

/// The services of `docker-compose.yml`.
pub(crate) const SERVICES: [&str; 3] = ["envoy", "backend-a", "backend-b"];

/// The time for a complete build on a slow machine.
const PATIENCE: Duration = Duration::from_mins(20);

/// The running demo.
#[track_caller]
pub(crate) fn demo() -> Compose {
    Compose::from_environment().unwrap().expect(
        "DEMO_COMPOSE_PROJECT names no demo that is up: run `cargo xtask test docker`, or `docker compose up` and set it to \
         sticky-sessions",
    )
}

/// The standard output of a command, which must succeed.
#[track_caller]
pub(crate) fn stdout(command: &mut Command) -> String {
    succeeded(command).stdout
}

/// The output of a command, which must succeed.
#[track_caller]
pub(crate) fn succeeded(command: &mut Command) -> Output {
    let output = child::output(command, PATIENCE).unwrap();
    assert!(output.status.success(), "{}: {}{}", child::describe(command), output.stdout, output.stderr);
    output
}

/// The id of a service's container.
#[track_caller]
pub(crate) fn id(service: &str) -> String {
    let id = stdout(&mut demo().command(&["ps", "--quiet", service])).trim().to_owned();
    assert!(!id.is_empty(), "{service} does not run");
    id
}

/// The output of `docker inspect` for a service's container.
#[track_caller]
pub(crate) fn inspect(service: &str) -> Value {
    let all: Value = serde_json::from_str(&stdout(Command::new("docker").args(["inspect", &id(service)]))).unwrap();
    all[0].clone()
}

/// The standard output of a command in a service's container.
#[track_caller]
pub(crate) fn inside(service: &str, command: &[&str]) -> String {
    let arguments: Vec<&str> = ["exec", "-T", service].into_iter().chain(command.iter().copied()).collect();
    stdout(&mut demo().command(&arguments))
}
