//! Plays the scenarios of other proxies' test suites to those proxies and to our filter.
//!
//! `scenarios.yaml` holds the scenarios, and `proxies` writes the configuration of each proxy. `run`, `client` and `expect` treat
//! all proxies alike. `matrix` collects the results, and `page` writes them to `docs/compatibility.md`.

#![allow(clippy::restriction, reason = "a test fails by a panic")]

mod backends;
mod client;
mod exchange;
mod expect;
mod jar;
mod matrix;
mod name_server;
mod outcome;
mod page;
mod pools;
mod proxies;
mod report;
mod run;
mod runtime;
mod scenario;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use crate::matrix::{Matrix, Wrong};
use crate::page::{Page, difference};
use crate::scenario::scenarios;

/// The results of all scenarios, which are played once for all tests.
fn matrix() -> &'static Matrix {
    static MATRIX: OnceLock<Matrix> = OnceLock::new();
    MATRIX.get_or_init(|| {
        let matrix = matrix::play_all();
        report::report(&matrix);
        matrix
    })
}

#[test]
fn every_proxy_understands_what_it_is_asked_for() {
    let wrong = matrix().wrong(Wrong::Broken);
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn a_peer_passes_every_scenario_of_its_own() {
    let wrong = matrix().wrong(Wrong::Peer);
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn our_filter_passes_and_fails_as_the_scenarios_say() {
    let wrong = matrix().wrong(Wrong::Ours);
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// The variable that makes the test write the page instead of comparing it.
const WRITE: &str = "STICKY_SESSIONS_WRITE_PAGE";

#[test]
fn the_page_shows_these_results() {
    let kept = std::fs::read_to_string(page::file()).unwrap_or_default();
    let before = Page::read(&kept);
    let shown = Page::of(matrix(), &before);
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(page::file(), shown.to_markdown()).unwrap();
        return;
    }
    let difference = difference(&kept, &shown.with_versions_of(&before).to_markdown());
    let seen = matrix().seen_in(&difference);
    assert!(difference.is_empty(), "`cargo xtask compatibility` would change these lines:\n{difference}\n{seen}");
}

#[test]
fn a_page_that_is_read_and_written_again_is_the_same() {
    let shown = Page::of(matrix(), &Page::default());
    assert_eq!(Page::read(&shown.to_markdown()).to_markdown(), shown.to_markdown());
}

#[test]
fn every_scenario_of_the_survey_is_there_once() {
    let series = [("N", 26), ("D", 5), ("X", 3), ("V", 14), ("M", 2), ("L", 13), ("H", 14), ("K", 9), ("G", 4)];
    let surveyed: BTreeSet<String> =
        series.iter().flat_map(|(letter, count)| (1..=*count).map(move |number| format!("{letter}{number}"))).collect();
    let told: BTreeSet<String> = scenarios().iter().flat_map(|scenario| numbers(&scenario.id)).collect();
    assert_eq!(told, surveyed);
    let ids: BTreeSet<&str> = scenarios().iter().map(|scenario| scenario.id.as_str()).collect();
    assert_eq!(ids.len(), scenarios().len());
}

/// The numbers in an id: `V1–V8` stands for eight scenarios of the survey, `H3, answers` for a part of one.
fn numbers(id: &str) -> Vec<String> {
    let id = id.split(',').next().unwrap();
    let number = |id: &str| id[1..].parse::<u32>().unwrap();
    let (first, last) = id.split_once('–').unwrap_or((id, id));
    (number(first)..=number(last)).map(|number| format!("{}{number}", &id[..1])).collect()
}
