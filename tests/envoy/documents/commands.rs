//! Runs the commands of the documents, or says which test runs them.

use std::collections::BTreeSet;
use std::process::Command;

use local_envoy::{Plugin, validate};
use serde_json::json;

use harness::{Setup, envoy_binary, sticky_config};

use super::markdown::documents;
use super::read;

/// Where a command is run.
enum Run {
    /// By a test below.
    Here,
    /// By this test: its file, `:`, and its name.
    Test(&'static str),
    /// By the checks that every change passes: their script has these words.
    Gate(&'static str),
}

use Run::{Gate, Here, Test};

const DEMO_IN_DOCKER: Run = Test("tests/docker/containers.rs: every_container_is_healthy");
const DEMO: Run = Test("tests/browser/page/everyone.rs: a_korean_browser_is_met_in_korean");
const FAILOVER: Run = Test(
    "tests/docker/sessions.rs: a_session_moves_when_its_instance_is_stopped_and_stays_there_when_that_one_is_back",
);
/// The suite `docker` ends with it, and looks for what is left.
const END: Run = Gate("docker");
const TESTS: Run = Gate("cargo xtask test");

/// The commands of the documents.
const COMMANDS: &[(&str, Run)] = &[
    ("docker compose up", DEMO_IN_DOCKER),
    ("PORT_STICKY=20000 PORT_PLAIN=20001 PORT_ADMIN=20901 docker compose up", DEMO_IN_DOCKER),
    ("docker compose stop backend-a", FAILOVER),
    ("docker compose start backend-a", FAILOVER),
    ("docker compose down", END),
    ("docker compose down --rmi local", END),
    (
        "for i in $(seq 10); do curl -s -b jar -c jar localhost:10000/whoami; done | sort | uniq -c",
        Test("tests/docker/sessions.rs: ten_requests_with_a_jar_come_from_one_instance_on_the_sticky_port"),
    ),
    (
        "for i in $(seq 10); do curl -s -b jar -c jar localhost:10001/whoami; done | sort | uniq -c",
        Test("tests/docker/sessions.rs: ten_requests_with_a_jar_come_from_both_instances_on_the_plain_port"),
    ),
    ("cargo xtask demo", DEMO),
    // Every suite on an Envoy runs the module that it builds.
    ("cargo xtask wasm", TESTS),
    ("cargo xtask test", TESTS),
    ("cargo xtask test faults", TESTS),
    ("cargo xtask test host", TESTS),
    ("cargo xtask test envoy", TESTS),
    ("cargo xtask test envoy crash forbidden", TESTS),
    ("cargo xtask test faults load fuzz peers", TESTS),
    ("LOAD_CONNECTIONS=10000 LOAD_SESSIONS=1000000 LOAD_REQUESTS=10000000 cargo xtask test load", TESTS),
    ("cargo xtask test fuzz --runs 20000000", TESTS),
    ("cargo xtask lint", Gate("cargo xtask lint")),
    ("cargo xtask bench", Gate("cargo xtask bench")),
    // The suite `peers` makes the same page, and compares it.
    ("cargo xtask compatibility", Gate("peers")),
    ("openssl rand -base64 32", Here),
    ("export STICKY_SESSIONS_KEYS=\"2026-11:$(openssl rand -base64 32)\"", Here),
];

#[test]
fn every_command_is_run_by_a_test() {
    let documents = documents();
    let lines =
        documents.iter().flat_map(|document| document.blocks_in("console").flat_map(|block| block.text.lines()));
    let shown: BTreeSet<&str> = lines.filter_map(|line| line.strip_prefix("$ ")).collect();
    let listed: BTreeSet<&str> = COMMANDS.iter().map(|(command, _)| *command).collect();
    let unlisted: Vec<_> = shown.difference(&listed).collect();
    assert!(unlisted.is_empty(), "no test runs {unlisted:?}");

    let gate = read(".ci/run");
    for (command, run) in COMMANDS {
        match run {
            Here => {}
            Test(test) => {
                let (file, name) = test.split_once(": ").unwrap();
                let source = read(file);
                assert!(source.contains(&format!("#[test]\nfn {name}()")), "{command}: {test}");
            }
            Gate(words) => assert!(gate.contains(words), "{command}: {words}"),
        }
    }
}

/// Returns the text that this command prints.
fn bash(command: &str) -> String {
    let output = Command::new("bash").args(["-c", command]).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn the_commands_that_make_keys_make_some_that_the_filter_takes() {
    let is_here = |command: &&str| COMMANDS.iter().any(|(listed, run)| listed == command && matches!(run, Here));
    let [secret, export] = ["openssl rand -base64 32", COMMANDS[COMMANDS.len() - 1].0];
    assert!([secret, export].iter().all(is_here));

    let environment = bash(&format!("{export}; echo \"$STICKY_SESSIONS_KEYS\""));
    let configuration = json!({ "keys": [{ "id": "2026-11", "secret": bash(secret) }] }).to_string();
    for (plugin, environment) in [("{}", Some(environment)), (configuration.as_str(), None)] {
        let setup = Setup { plugin: Some(Plugin::Json(plugin)), ..Setup::default() };
        let variables: Vec<_> = environment.map(|keys| ("STICKY_SESSIONS_KEYS".to_owned(), keys)).into_iter().collect();
        let answer = validate(envoy_binary(), &sticky_config(&[], &setup), &variables).unwrap();
        assert!(answer.accepted && !answer.log.contains("random key"), "{}", answer.log);
    }
}
