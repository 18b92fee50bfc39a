//! Checks `SECURITY.md`: its statements about logs, keys and stolen cookies, and that the tests and bounds that it names exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use local_envoy::Plugin;
use serde_json::json;

use stickiness::outcome::Outcome;

use harness::{Client, KEY, LoadBalancer, OTHER_KEY, Setup, fetch, forge, forge_with, wait_until};

use crate::documents::{quoted, read, root};
use crate::pool;
use crate::steps::cookie_line;

fn secret(key: &str) -> &str {
    key.split_once(':').unwrap().1
}

/// The `Cookie` line with this value.
fn line(value: &str) -> Vec<u8> {
    cookie_line(&format!("AWSALB={value}"))
}

#[test]
fn whoever_sends_the_cookie_of_another_client_is_sent_to_its_target() {
    let lb = pool::shipped();
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    for _ in 0..4 {
        assert_eq!(fetch(lb.sticky, "/", &[&line(&client.jar["AWSALB"])]).body, home);
    }
}

#[test]
fn whoever_has_a_key_reaches_the_targets_of_the_cluster_and_no_other_address() {
    let lb = pool::shipped();
    let admin = lb.envoy.admin().address().to_string();
    for address in [admin.as_str(), "127.0.0.1:1", "example.com:80", "", "a\r\nb", "/var/run/a.sock"] {
        let value = forge("web", address, 0);
        let bodies = [0; 2].map(|_| fetch(lb.sticky, "/", &[&line(&value)]).body);
        assert_eq!(bodies.iter().filter(|body| *body == "a").count(), 1, "{address}: {bodies:?}");
        assert_eq!(bodies.iter().filter(|body| *body == "b").count(), 1, "{address}: {bodies:?}");
    }
    assert_eq!(lb.counted(Outcome::Moved), 12);
}

#[test]
fn the_filter_logs_no_address_no_key_and_no_cookie() {
    let ring = json!({ "keys": [{ "id": "x", "secret": secret(KEY) }, { "id": "y", "secret": secret(OTHER_KEY) }] });
    for plugin in [ring.to_string(), "{}".to_owned()] {
        let lb = LoadBalancer::start(&Setup { plugin: Some(Plugin::Json(&plugin)), keys: None, ..Setup::default() });
        let b = lb.targets[1].name_in_envoy();
        let mut client = Client::default();
        let mut values =
            [forge("web", &b, 0), forge("api", &b, 0), forge("web", &b, 100_000), "garbage".to_owned()].to_vec();
        for value in &values {
            fetch(lb.sticky, "/", &[&line(value)]);
        }
        for _ in 0..3 {
            client.get(lb.sticky, "/");
            values.push(client.jar["AWSALB"].clone());
        }
        wait_until("seven lines", || lb.envoy.access_log().lines().count() == 7);
        let log = lb.envoy.log();
        let own: String = log.lines().filter(|line| line.contains("[wasm]")).collect();
        assert!(own.contains("sticky-sessions "), "{log}");
        // The access log belongs to the operator and names the target.
        let targets: Vec<String> = lb.targets.iter().map(harness::Target::name_in_envoy).collect();
        assert!(targets.iter().all(|target| !own.contains(target) && log.contains(target)), "{log}");
        for text in values.iter().map(String::as_str).chain([KEY, OTHER_KEY].map(secret)) {
            assert!(!log.contains(text), "{text} is in:\n{log}");
        }
    }
}

#[test]
fn envoys_admin_shows_a_key_of_the_configuration_and_none_of_the_environment() {
    let keys = json!({ "keys": [{ "id": "x", "secret": secret(OTHER_KEY) }] }).to_string();
    let lb = LoadBalancer::with_plugin(&keys);
    let mut client = Client::default();
    client.get(lb.sticky, "/");
    let admin = lb.envoy.admin();
    let dump = admin.get("/config_dump?include_eds").unwrap();
    assert!(dump.contains(secret(OTHER_KEY)), "a key in the configuration is no longer shown: change SECURITY.md");
    for page in [
        "/config_dump?include_eds",
        "/server_info",
        "/stats",
        "/stats/prometheus",
        "/clusters",
        "/listeners",
        "/runtime",
    ] {
        let text = admin.get(page).unwrap();
        assert!(!text.is_empty() && !text.contains(secret(KEY)), "{page}");
        assert!(!text.contains(client.jar["AWSALB"].as_str()), "{page}");
    }
}

#[test]
fn a_key_that_is_dropped_ends_its_sessions_and_other_cookies_go_on() {
    let lb = pool::shipped();
    let b = lb.targets[1].name_in_envoy();
    let dropped = forge_with(OTHER_KEY, "web", &b, 0);
    let bodies = [0; 2].map(|_| fetch(lb.sticky, "/", &[&line(&dropped)]).body);
    assert_ne!(bodies[0], bodies[1]);
    assert_eq!(lb.counted(Outcome::UnknownKey), 2);
    assert!((0..4).all(|_| fetch(lb.sticky, "/", &[&line(&forge("web", &b, 0))]).body == "b"));
}

/// The tests that the document names, each as a file and a name.
fn tests_in(document: &str) -> Vec<(&str, &str)> {
    let is_name = |name: &str| name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    quoted(document).filter_map(|text| text.split_once(".rs: ")).filter(|(_, name)| is_name(name)).collect()
}

#[test]
fn every_test_that_the_threat_model_names_exists() {
    let document = read("SECURITY.md");
    let tests = tests_in(&document);
    assert!(tests.len() > 30, "{tests:?}");
    for (file, test) in tests {
        let source = read(&format!("{file}.rs"));
        let declared = source.find(&format!("fn {test}(")).unwrap_or_else(|| panic!("{file}.rs has no {test}"));
        let before = source[..declared].trim_end();
        assert!(
            before.ends_with(']') && before.rsplit('\n').take(4).any(|line| line.trim() == "#[test]"),
            "{test} is no test"
        );
    }
}

/// The numbers in parentheses in a text, such as `(7)` and `(7, 8)`.
fn references(text: &str) -> impl Iterator<Item = usize> {
    let groups = text.split('(').skip(1).filter_map(|rest| rest.split_once(')')).map(|(group, _)| group);
    let numbers =
        groups.filter_map(|group| group.split(", ").map(|number| number.parse().ok()).collect::<Option<Vec<_>>>());
    numbers.flatten()
}

#[test]
fn every_claim_of_the_threat_model_has_a_row_of_its_own_and_every_row_a_claim() {
    let document = read("SECURITY.md");
    let (claims, table) = document.split_once("## The tests of the claims").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |")?.0.parse().ok());
    let rows: Vec<usize> = rows.collect();
    assert_eq!(rows, (1..=rows.len()).collect::<Vec<_>>());
    assert_eq!(references(claims).collect::<BTreeSet<_>>(), rows.into_iter().collect());
}

#[test]
fn every_bound_of_the_threat_model_is_the_one_in_the_code() {
    let document = read("SECURITY.md");
    let constants: Vec<_> = quoted(&document).filter_map(|text| text.split_once(".rs: const ")).collect();
    assert!(constants.len() > 5, "{constants:?}");
    for (file, constant) in constants {
        let source = read(&format!("{file}.rs"));
        assert!(source.contains(&format!("const {constant};")), "{file}.rs has no `const {constant}`");
    }
}

#[test]
fn every_file_of_the_threat_model_exists() {
    let document = read("SECURITY.md");
    let is_path = |text: &&str| !text.contains([' ', ':', '<']) && (text.contains(".rs") || text.contains(".toml"));
    let files: Vec<_> = quoted(&document).filter(is_path).collect();
    assert!(!files.is_empty());
    for file in files {
        assert!(root().join(file).exists(), "{file}");
    }
}

#[test]
fn only_the_crate_of_host_calls_is_unsafe() {
    assert!(read("src/lib.rs").contains("\n#![cfg_attr(not(test), forbid(unsafe_code))]\n"));
    assert!(read("crates/stickiness/src/lib.rs").contains("\n#![forbid(unsafe_code)]\n"));
    let mut sources = Vec::new();
    for folder in ["src", "crates/stickiness/src", "crates/hostcalls/src"] {
        collect(&root().join(folder), &mut sources);
    }
    assert!(sources.len() > 50);
    for source in sources {
        let text = fs::read_to_string(&source).unwrap();
        let is_unsafe = text
            .lines()
            .any(|line| line.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == "unsafe"));
        // The test host of the filter is not in a module that ships.
        let may_be_unsafe =
            source.ends_with("src/tests/native_host.rs") || source.starts_with(root().join("crates/hostcalls"));
        assert!(may_be_unsafe || !is_unsafe, "{}", source.display());
    }
}

/// Adds all Rust sources below a folder.
pub(crate) fn collect(folder: &Path, sources: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(path);
        }
    }
}
