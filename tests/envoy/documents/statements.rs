//! Holds the figures of the documents to the code: defaults, versions of Envoy, and the size of the module.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stickiness::config::Config;
use stickiness::outcome::Outcome;

use local_envoy::{DEFAULT_VERSION, OLDEST_VERSION};

use super::{quoted, read};

/// A row of a table of settings: the key, its values and its default.
struct Setting {
    key: String,
    values: String,
    default: String,
}

/// The settings of all tables below a heading, until the next heading.
#[track_caller]
fn settings(document: &str, heading: &str, columns: [usize; 3]) -> Vec<Setting> {
    let (_, section) = document.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let settings = rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [key, values, default] = columns.map(|column| cells[column].to_owned());
        Setting { key: quoted(&key).next().unwrap().to_owned(), values, default }
    });
    settings.collect()
}

/// Defaults in words. Other tests are about them.
const IN_WORDS: [&str; 9] = [
    "",
    "a random key",
    "all are sticky",
    "as AWS",
    "none",
    "required",
    "required for this type",
    "the browser session",
    "the policy's name",
];

/// A default that depends on the type. Tests compare the names in lines of `Set-Cookie`.
const NAME: [&str; 2] = ["name", "cookie.name"];

/// The least configuration in which this key has an effect.
fn around(key: &str) -> Value {
    let sticky = |stickiness: Value| json!({ "target_groups": { "web": { "stickiness": stickiness } } });
    let rule = |more: Value| {
        let mut rule =
            json!({ "target_groups": ["blue", "green"], "target_group_stickiness": { "duration_seconds": 60 } });
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "target_groups": { "*": { "stickiness": { "enabled": false } } }, "rules": [rule] })
    };
    match key {
        _ if key.contains("app_cookie.") => {
            sticky(json!({ "type": "app_cookie", "app_cookie": { "cookie_name": "session" } }))
        }
        _ if key.ends_with("probe_path") => rule(json!({ "on_empty_group": "repick" })),
        _ if key.starts_with("rules[]") => rule(json!({})),
        _ if key.ends_with("renew_after_percent") => json!({ "cookie": { "renew": "sliding" } }),
        _ => sticky(json!({})),
    }
}

/// The configuration around this key, in which the key has this value.
fn with(key: &str, value: &str) -> Value {
    let mut whole = around(key);
    let path = key.replace("target_groups.<cluster>.", "….").replace('…', "target_groups.web");
    let mut place = &mut whole;
    for step in path.split('.') {
        place = match step.strip_suffix("[]") {
            Some(list) => &mut place[list][0],
            None => &mut place[step],
        };
    }
    *place = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
    whole
}

/// The meaning of a configuration, or the reason why it is refused.
fn meaning(configuration: &Value) -> Result<String, String> {
    let parsed = Config::parse(configuration.to_string().as_bytes());
    parsed.map(|parsed| format!("{:?}", parsed.config)).map_err(|error| error.to_string())
}

/// A value of the setting that is not its default.
fn another(setting: &Setting, default: &str) -> Option<String> {
    let words = quoted(&setting.values).find(|word| *word != default).map(str::to_owned);
    words.or_else(|| setting.values.split_once(" to ").map(|(least, _)| least.to_owned()))
}

#[test]
fn every_default_in_the_documents_is_that_of_the_filter() {
    let page = read("docs/configuration.md");
    let front = read("README.md");
    let attributes = settings(&page, "Cookie attributes", [1, 2, 3]).into_iter();
    let attributes = attributes.map(|setting| Setting { key: format!("cookie.{}", setting.key), ..setting });
    let all = settings(&page, "Every key", [1, 2, 3]).into_iter().chain(attributes);
    let all = all.chain(settings(&front, "Configure it", [1, 3, 2]));
    let mut compared = BTreeSet::new();
    for setting in all {
        let Setting { key, default, .. } = &setting;
        let Some(value) = default.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')) else {
            assert!(IN_WORDS.contains(&default.as_str()), "{key}: {default}");
            continue;
        };
        if NAME.contains(&key.as_str()) {
            continue;
        }
        let without = meaning(&around(key));
        assert!(without.is_ok(), "{key}: {without:?}");
        assert_eq!(meaning(&with(key, value)), without, "{key}: {default} is not the default");
        if let Some(other) = another(&setting, value) {
            assert_ne!(meaning(&with(key, &other)), without, "{key}: {other} is the default");
        }
        compared.insert(key.clone());
    }
    assert!(compared.len() > 15, "{compared:?}");
}

/// All versions of Envoy in a text, such as `1.40` and `1.40.0`.
fn versions(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_digit() && c != '.').map(|word| word.trim_matches('.'));
    // Other programs have versions too, with smaller numbers behind the point.
    words.filter(|word| word.starts_with("1.3") || word.starts_with("1.4")).collect()
}

#[test]
fn the_versions_of_envoy_in_the_documents_are_those_of_the_tests() {
    let minor = |version: &'static str| version.rsplit_once('.').unwrap().0;
    let [oldest, newest] = [OLDEST_VERSION, DEFAULT_VERSION].map(minor);
    let allowed = BTreeSet::from([oldest, newest, OLDEST_VERSION, DEFAULT_VERSION]);
    let range = format!("Envoy {oldest} to {newest} is supported");
    for (file, statement) in [
        ("README.md", range.clone()),
        ("README.ko.md", format!("Envoy {oldest}부터 {newest}까지 지원합니다")),
        ("docs/deployment.md", format!("{range}. The tests run on {OLDEST_VERSION} and on {DEFAULT_VERSION}.")),
        ("CONTRIBUTING.md", format!("on Envoy {DEFAULT_VERSION}.")),
    ] {
        let text = read(file);
        assert!(text.contains(&statement), "{file}: {statement}");
        assert!(versions(&text).is_subset(&allowed), "{file}: {:?}", versions(&text));
    }
    assert!(read("Dockerfile").contains(&format!("FROM envoyproxy/envoy:v{DEFAULT_VERSION} ")));
}

#[test]
fn the_size_in_the_documents_is_the_budget_of_the_build() {
    let source = read("xtask/src/wasm.rs");
    let (_, budget) = source.split_once("const BUDGET: usize = ").unwrap();
    let budget = budget.split(';').next().unwrap().replace('_', ",");
    assert!(read("docs/deployment.md").contains(&format!("The module has at most {budget} bytes:")), "{budget}");
}

#[test]
fn the_images_are_built_with_the_version_of_rust_that_the_repository_names() {
    let toolchain = read("rust-toolchain.toml");
    let version = toolchain.lines().find_map(|line| line.strip_prefix("channel = ")).unwrap().trim_matches('"');
    let (minor, _) = version.rsplit_once('.').unwrap();
    assert!(read("Dockerfile").contains(&format!("FROM rust:{minor}-")), "{version}");
}

#[test]
fn every_list_of_outcomes_has_all_of_them() {
    let words: BTreeSet<&str> = Outcome::ALL.map(Outcome::word).into();
    let page = read("docs/operations.md");
    let (_, table) = page.split_once("| outcome | meaning |\n|---|---|\n").unwrap();
    let rows = table.lines().map_while(|line| line.strip_prefix("| `"));
    assert_eq!(rows.map(|row| row.split('`').next().unwrap()).collect::<BTreeSet<_>>(), words);

    // The tag of Prometheus is a list in each configuration.
    for file in ["envoy/envoy.yaml", "envoy/weighted.yaml", "docs/deployment.md"] {
        let text = read(file);
        let (_, list) = text.split_once(r"target_group\..+?(\.(").unwrap_or_else(|| panic!("{file}"));
        assert_eq!(list.split(')').next().unwrap().split('|').collect::<BTreeSet<_>>(), words, "{file}");
    }
}

#[test]
fn the_front_page_counts_the_scenarios() {
    let count = read("tests/peers/scenarios.yaml").lines().filter(|line| line.starts_with("- id: ")).count();
    for (file, statement) in [("README.md", format!("plays {count} scenarios")), ("README.ko.md", format!("{count}"))] {
        assert!(read(file).contains(&statement), "{file}: {count}");
    }
}
