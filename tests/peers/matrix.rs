//! The results of every scenario with every proxy.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc;

use crate::name_server::NameServer;
use crate::outcome::Outcome;
use crate::proxies::{PROXIES, Proxy};
use crate::run::play;
use crate::scenario::{Ours, Scenario, scenarios};

/// The variable that names the scenarios to play, separated by commas. Without it, all are played.
const ONLY: &str = "STICKY_SESSIONS_SCENARIOS";

/// The scenarios that run side by side: most of them wait longer than they compute.
const AT_A_TIME: usize = 6;

/// The result of a scenario with a proxy, as the page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) why: Option<String>,
}

/// The results of a run.
pub(crate) struct Matrix {
    /// The versions of the installed proxies, by their names.
    pub(crate) versions: BTreeMap<&'static str, String>,
    /// By the names of scenarios and proxies.
    pub(crate) cells: BTreeMap<(&'static str, &'static str), Cell>,
    /// The response that made a peer fail, which differs from run to run.
    pub(crate) seen: BTreeMap<(&'static str, &'static str), String>,
    /// The problems, each with its kind.
    pub(crate) wrong: Vec<(Wrong, String)>,
}

/// The kind of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// A proxy did not start.
    Broken,
    /// A proxy does not pass a scenario of its own.
    Peer,
    /// Our filter does not pass or fail as the scenario says.
    Ours,
}

/// Plays every scenario to every installed proxy.
pub(crate) fn play_all() -> Matrix {
    let versions: BTreeMap<_, _> = PROXIES.iter().filter_map(|proxy| Some((proxy.name(), proxy.version()?))).collect();
    let only = std::env::var(ONLY).ok();
    let chosen = |scenario: &&Scenario| only.as_ref().is_none_or(|only| only.split(',').any(|id| id == scenario.id));
    let mut jobs = Vec::new();
    for scenario in scenarios().iter().filter(chosen) {
        jobs.extend(PROXIES.iter().filter(|proxy| versions.contains_key(proxy.name())).map(|proxy| (scenario, *proxy)));
    }
    // The slowest come first, so that the run does not end with one slow scenario.
    jobs.sort_by_key(|(scenario, _)| std::cmp::Reverse(scenario.waits()));
    let mut matrix = Matrix { versions, cells: BTreeMap::new(), seen: BTreeMap::new(), wrong: Vec::new() };
    for (scenario, proxy, result) in run_all(jobs) {
        let name = format!("{} with {}", scenario.id, proxy.name());
        if let Some((wrong, how)) = result.wrong {
            matrix.wrong.push((wrong, format!("{name}: {how}")));
        }
        matrix.seen.extend(result.seen.map(|seen| ((scenario.id.as_str(), proxy.name()), seen)));
        matrix.cells.insert((&scenario.id, proxy.name()), result.cell);
    }
    matrix
}

struct Played {
    cell: Cell,
    seen: Option<String>,
    wrong: Option<(Wrong, String)>,
}

impl Played {
    /// The result that the scenario announces, or a note that the run had another one.
    fn as_told(text: String, wrong: Option<(Wrong, String)>) -> Self {
        let text = if wrong.is_some() { "not as the scenario says".to_owned() } else { text };
        Self { cell: Cell { text, why: None }, seen: None, wrong }
    }
}

type Job = (&'static Scenario, &'static dyn Proxy);

fn run_all(jobs: Vec<Job>) -> Vec<(&'static Scenario, &'static dyn Proxy, Played)> {
    let name_server = NameServer::start();
    let jobs = Mutex::new(jobs.into_iter());
    let (done, all) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            let (jobs, name_server, done) = (&jobs, &name_server, done.clone());
            scope.spawn(move || {
                while let Some((scenario, proxy)) = { jobs.lock().unwrap().next() } {
                    // A panic is a fault of this suite, and must not look like a missing cell.
                    let played = if proxy.origin().is_none() && proxy.name() == PROXIES[0].name() {
                        play_ours(scenario, proxy, name_server)
                    } else {
                        play_peer(scenario, proxy, name_server)
                    };
                    done.send((scenario, proxy, played)).unwrap();
                }
            });
        }
        drop(done);
    });
    all.into_iter().collect()
}

fn play_peer(scenario: &Scenario, proxy: &dyn Proxy, name_server: &NameServer) -> Played {
    let outcome = play(scenario, proxy, name_server, None);
    let own = proxy.origin() == Some(scenario.origin);
    let cell = cell(&outcome, scenario);
    let wrong = match &outcome {
        Outcome::Broken(why) => Some((Wrong::Broken, why.clone())),
        Outcome::Passed { equality, without } if own => {
            let whole = without.is_empty() && equality.is_none_or(|equality| equality <= scenario.equality);
            (!whole).then(|| (Wrong::Peer, format!("{}, {:?}", cell.text, cell.why)))
        }
        Outcome::Passed { .. } => None,
        Outcome::Failed(failure) => own.then(|| (Wrong::Peer, format!("{}, but: {}", failure.expected, failure.seen))),
        Outcome::Unsupported(why) => own.then(|| (Wrong::Peer, format!("not supported: {why}"))),
    };
    let seen = if let Outcome::Failed(failure) = outcome { Some(failure.seen) } else { None };
    Played { cell, seen, wrong }
}

/// Plays a scenario to our filter with its defaults, and again with the option that the scenario names.
fn play_ours(scenario: &Scenario, proxy: &dyn Proxy, name_server: &NameServer) -> Played {
    let plain = play(scenario, proxy, name_server, None);
    let passed = |outcome: &Outcome| matches!(outcome, Outcome::Passed { without, .. } if without.is_empty());
    let failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed(_));
    let (options, text) = match &scenario.ours {
        Ours::Passes => {
            let wrong = (!passed(&plain)).then(|| (Wrong::Ours, format!("should pass: {plain:?}")));
            return Played { cell: cell(&plain, scenario), seen: None, wrong };
        }
        Ours::Fails(reason) => {
            let wrong = (!failed(&plain)).then(|| (Wrong::Ours, format!("should fail: {plain:?}")));
            return Played::as_told(format!("fails: {reason}"), wrong);
        }
        Ours::With(options) => (options, format!("pass with {}", options.option)),
        Ours::ByDesign { design, options } => {
            (options, format!("by AWS's design: {design}; {} makes it pass", options.option))
        }
    };
    let with = play(scenario, proxy, name_server, Some(options));
    let wrong = if !passed(&with) {
        Some((Wrong::Ours, format!("should pass with the option: {with:?}")))
    } else if !failed(&plain) {
        Some((Wrong::Ours, format!("should fail without the option: {plain:?}")))
    } else {
        None
    };
    Played::as_told(text, wrong)
}

fn cell(outcome: &Outcome, scenario: &Scenario) -> Cell {
    let of = |text: &str, why: Option<String>| Cell { text: text.to_owned(), why };
    match outcome {
        Outcome::Passed { equality, without } => {
            let mut text = "pass".to_owned();
            if equality.is_some_and(|equality| equality > scenario.equality) {
                text.push_str(" (same backend)");
            }
            if without.is_empty() {
                return of(&text, None);
            }
            let all = scenario.all_pools().len();
            of(&format!("{text} in {} of {all}", all - without.len()), Some(format!("n/a: {}", without[0])))
        }
        Outcome::Failed(failure) => of("fail", Some(format!("expected: {}", failure.expected))),
        Outcome::Unsupported(why) => of("n/a", Some(format!("n/a: {why}"))),
        Outcome::Broken(_) => of("broken", None),
    }
}

impl Matrix {
    /// The problems of this kind, one in a line.
    pub(crate) fn wrong(&self, kind: Wrong) -> String {
        let lines: Vec<&str> =
            self.wrong.iter().filter(|(wrong, _)| *wrong == kind).map(|(_, how)| how.as_str()).collect();
        lines.join("\n")
    }

    /// The responses behind the failures whose rows are in a text.
    pub(crate) fn seen_in(&self, text: &str) -> String {
        let named = self.seen.iter().filter(|((id, proxy), _)| text.contains(&format!("| {id} | {proxy} |")));
        named.map(|((id, proxy), seen)| format!("{id} with {proxy}: {seen}")).collect::<Vec<_>>().join("\n")
    }
}

impl Scenario {
    /// Its approximate duration in milliseconds, without the start of the proxy.
    fn waits(&self) -> u64 {
        let of = |step: &crate::scenario::Step| match step {
            crate::scenario::Step::Wait(milliseconds) => *milliseconds,
            crate::scenario::Step::Send(send) => {
                send.pause.unwrap_or(0) * u64::from(send.times.unwrap_or(1)) + send.answer.slow.unwrap_or(0)
            }
            _ => 0,
        };
        self.steps.iter().map(of).sum::<u64>() * self.all_pools().len() as u64
    }
}
