//! Which proxy passes which scenario?

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::sync::{Mutex, OnceLock};

use harness::Report;

use crate::names::NameServer;
use crate::page::Shown;
use crate::proxies::{PROXIES, Proxy};
use crate::run::{Outcome, play};
use crate::scenario::{Ours, Scenario, scenarios};

/// Names the scenarios to play, by commas; without it, all are played.
const ONLY: &str = "STICKY_SESSIONS_SCENARIOS";

/// Most of them wait more than they compute.
const AT_A_TIME: usize = 6;

static VERSIONS: Report = Report::of("peers-proxies", &["proxy", "version", "passed"]);
static CELLS: Report =
    Report::of("peers", &["scenario", "sticky-sessions", "stateful_session", "HAProxy", "nginx", "Caddy"]);

/// What the page shows of a scenario with a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: String,
    pub(crate) why: Option<String>,
}

/// What has run.
pub(crate) struct Matrix {
    /// Of the proxies at hand, by their names.
    pub(crate) versions: BTreeMap<&'static str, String>,
    /// By the names of scenarios and proxies.
    pub(crate) cells: BTreeMap<(&'static str, &'static str), Cell>,
    /// Each with what it is about.
    pub(crate) wrong: Vec<(Wrong, String)>,
}

/// What must not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// A proxy did not run.
    Broken,
    /// A proxy does not pass a scenario of its own.
    Peer,
    /// Ours does not do as the scenario says.
    Ours,
}

/// Plays everything, once.
pub(crate) fn matrix() -> &'static Matrix {
    static MATRIX: OnceLock<Matrix> = OnceLock::new();
    MATRIX.get_or_init(|| {
        let versions: BTreeMap<_, _> =
            PROXIES.iter().filter_map(|proxy| Some((proxy.name(), proxy.version()?))).collect();
        let only = std::env::var(ONLY).ok();
        let chosen =
            |scenario: &&Scenario| only.as_ref().is_none_or(|only| only.split(',').any(|id| id == scenario.id));
        let mut jobs = Vec::new();
        for scenario in scenarios().iter().filter(chosen) {
            jobs.extend(
                PROXIES.iter().filter(|proxy| versions.contains_key(proxy.name())).map(|proxy| (scenario, *proxy)),
            );
        }
        // The slowest first, so that none is left to wait for at the end.
        jobs.sort_by_key(|(scenario, _)| std::cmp::Reverse(scenario.waits()));
        let mut matrix = Matrix { versions, cells: BTreeMap::new(), wrong: Vec::new() };
        for (scenario, proxy, result) in play_all(jobs) {
            let name = format!("{} with {}", scenario.id, proxy.name());
            if let Some((wrong, how)) = result.wrong {
                matrix.wrong.push((wrong, format!("{name}: {how}")));
            }
            matrix.cells.insert((&scenario.id, proxy.name()), result.cell);
        }
        matrix.report();
        matrix
    })
}

struct Played {
    cell: Cell,
    wrong: Option<(Wrong, String)>,
}

impl Played {
    /// What the scenario tells, unless it was wrong.
    fn as_told(text: String, wrong: Option<(Wrong, String)>) -> Self {
        let text = if wrong.is_some() { "not as the scenario says".to_owned() } else { text };
        Self { cell: Cell { text, why: None }, wrong }
    }
}

type Job = (&'static Scenario, &'static dyn Proxy);

fn play_all(jobs: Vec<Job>) -> Vec<(&'static Scenario, &'static dyn Proxy, Played)> {
    let names = NameServer::start();
    let jobs = Mutex::new(jobs.into_iter());
    let (done, all) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            let (jobs, names, done) = (&jobs, &names, done.clone());
            scope.spawn(move || {
                while let Some((scenario, proxy)) = { jobs.lock().unwrap().next() } {
                    // A panic is the runner's own mistake, and must not pass for a cell that is missing.
                    let played = if proxy.origin().is_none() && proxy.name() == PROXIES[0].name() {
                        play_ours(scenario, proxy, names)
                    } else {
                        play_peer(scenario, proxy, names)
                    };
                    done.send((scenario, proxy, played)).unwrap();
                }
            });
        }
        drop(done);
    });
    all.into_iter().collect()
}

fn play_peer(scenario: &Scenario, proxy: &dyn Proxy, names: &NameServer) -> Played {
    let outcome = play(scenario, proxy, names, None);
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
        Outcome::NoWords(why) => own.then(|| (Wrong::Peer, format!("no words: {why}"))),
    };
    Played { cell, wrong }
}

/// Ours is played as it comes, and where an option is named with that too.
fn play_ours(scenario: &Scenario, proxy: &dyn Proxy, names: &NameServer) -> Played {
    let plain = play(scenario, proxy, names, None);
    let passed = |outcome: &Outcome| matches!(outcome, Outcome::Passed { without, .. } if without.is_empty());
    let failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed(_));
    let (options, text) = match &scenario.ours {
        Ours::Passes => {
            let wrong = (!passed(&plain)).then(|| (Wrong::Ours, format!("should pass: {plain:?}")));
            return Played { cell: cell(&plain, scenario), wrong };
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
    let with = play(scenario, proxy, names, Some(options));
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
            let all = scenario.setups().len();
            of(&format!("{text} in {} of {all}", all - without.len()), Some(format!("n/a: {}", without[0])))
        }
        Outcome::Failed(failure) => of("fail", Some(format!("not so: {}", failure.expected))),
        Outcome::NoWords(why) => of("n/a", Some(format!("n/a: {why}"))),
        Outcome::Broken(_) => of("broken", None),
    }
}

impl Matrix {
    /// What is wrong of this kind, a line each.
    pub(crate) fn wrong(&self, kind: Wrong) -> String {
        let lines: Vec<&str> =
            self.wrong.iter().filter(|(wrong, _)| *wrong == kind).map(|(_, how)| how.as_str()).collect();
        lines.join("\n")
    }

    fn report(&self) {
        let shown = Shown::of(self, &Shown::default());
        for proxy in PROXIES {
            let version = self.versions.get(proxy.name()).map_or(proxy.absent(), String::as_str);
            let score =
                if self.versions.contains_key(proxy.name()) { shown.score(proxy, None) } else { "-".to_owned() };
            VERSIONS.row(&[proxy.name(), version, &score]);
        }
        let ran = |scenario: &&Scenario| self.cells.keys().any(|(id, _)| *id == scenario.id);
        for scenario in scenarios().iter().filter(ran) {
            let short = |proxy: &&dyn Proxy| match self.cells.get(&(scenario.id.as_str(), proxy.name())) {
                Some(cell) => {
                    cell.text.split_once([':', '`']).map_or(cell.text.as_str(), |(start, _)| start).trim().to_owned()
                }
                None => "not run".to_owned(),
            };
            let cells = PROXIES.iter().map(short);
            CELLS.row(&std::iter::once(scenario.id.clone()).chain(cells).collect::<Vec<_>>());
        }
    }
}

impl Scenario {
    /// About how many milliseconds it takes, besides what a proxy needs to start.
    fn waits(&self) -> u64 {
        let of = |step: &crate::scenario::Step| match step {
            crate::scenario::Step::Wait(milliseconds) => *milliseconds,
            crate::scenario::Step::Send(send) => {
                send.pause.unwrap_or(0) * u64::from(send.times.unwrap_or(1)) + send.answer.slow.unwrap_or(0)
            }
            _ => 0,
        };
        self.steps.iter().map(of).sum::<u64>() * self.setups().len() as u64
    }
}
