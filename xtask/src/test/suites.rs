//! The suites of tests, and what each of them needs.

use std::num::NonZero;
use std::thread;

use super::needs::{CADDY, CARGO_FUZZ, CHROMEDRIVER, CHROMIUM, COMPOSE, CURL, CXX, DOCKER, HAPROXY, JDK, Need, PYTHON};

/// Tests that run together and need the same.
pub(crate) struct Suite {
    /// The word on the command line, and the name of the test target if there is one.
    pub(crate) name: &'static str,
    /// One line for the help.
    pub(crate) about: &'static str,
    pub(crate) kind: Kind,
    /// Every test of the suite needs these.
    pub(crate) needs: &'static [Need],
    /// The tests that need more.
    pub(crate) parts: &'static [Part],
}

/// The way in which the tests of a suite run.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// Tests beside the code, and examples in its documentation.
    Unit,
    /// The filter that ships runs in an interpreter.
    Host,
    /// The filter that ships runs in a real Envoy.
    Envoy(OnEnvoy),
    /// The demo runs in containers.
    Containers,
    /// A fuzzer makes the inputs.
    Fuzz,
}

/// The way in which the tests run on an Envoy.
#[derive(Clone, Copy)]
pub(crate) struct OnEnvoy {
    pub(crate) envoys: Envoys,
    pub(crate) program: Program,
    pub(crate) threads: Threads,
}

/// The program of this repository that the tests need beside the filter.
#[derive(Clone, Copy)]
pub(crate) enum Program {
    None,
    /// The application of the demo, and a browser.
    Demo,
    /// The target of `crates/traffic`, which fails in many ways.
    Target,
}

/// The number of tests that run at once.
#[derive(Clone, Copy)]
pub(crate) enum Threads {
    /// So many for each processor. Tests that often wait need more than one to keep a processor busy.
    PerProcessor(usize),
    /// So many on every machine.
    Fixed(usize),
}

impl Threads {
    pub(crate) fn count(self) -> usize {
        match self {
            Self::PerProcessor(threads) => {
                thread::available_parallelism().map_or(1, NonZero::get).saturating_mul(threads)
            }
            Self::Fixed(threads) => threads,
        }
    }
}

/// The versions of Envoy that a suite runs on.
#[derive(Clone, Copy)]
pub(crate) enum Envoys {
    /// Every version that was asked for.
    All,
    /// Only the newest of them.
    Newest,
}

/// Tests of a suite that can be left out alone.
pub(crate) struct Part {
    /// The part in words, as in "the tests with Java's client".
    pub(crate) what: &'static str,
    /// The beginning of the names of its tests.
    pub(crate) module: &'static str,
    pub(crate) needs: &'static [Need],
}

/// In the order in which they run, the fastest first.
pub(crate) const SUITES: &[Suite] = &[
    Suite {
        name: "unit",
        about: "tests beside the code, and examples in the documentation",
        kind: Kind::Unit,
        needs: &[],
        parts: &[],
    },
    Suite {
        name: "host",
        about: "the filter in an interpreter, on a host whose calls fail",
        kind: Kind::Host,
        needs: &[],
        parts: &[],
    },
    Suite {
        name: "fuzz",
        about: "random inputs for the core",
        kind: Kind::Fuzz,
        needs: &[CARGO_FUZZ, CXX],
        parts: &[],
    },
    Suite {
        // Its tests wait for half of their time.
        name: "envoy",
        about: "the filter in a real Envoy",
        kind: Kind::Envoy(OnEnvoy { envoys: Envoys::All, program: Program::None, threads: Threads::PerProcessor(2) }),
        needs: &[],
        parts: &[],
    },
    Suite {
        name: "clients",
        about: "curl and the HTTP clients of Python and Java keep their sessions",
        kind: Kind::Envoy(OnEnvoy { envoys: Envoys::All, program: Program::None, threads: Threads::PerProcessor(1) }),
        needs: &[CURL, PYTHON],
        parts: &[Part { what: "with Java's client", module: "java::", needs: &[JDK] }],
    },
    Suite {
        name: "browser",
        about: "a real Chromium, the demo and its page",
        // Each test has a browser, two instances and an Envoy. More than two tests at once are too much for two processors.
        kind: Kind::Envoy(OnEnvoy { envoys: Envoys::Newest, program: Program::Demo, threads: Threads::Fixed(2) }),
        needs: &[CHROMIUM, CHROMEDRIVER],
        parts: &[],
    },
    Suite {
        name: "docker",
        about: "the demo in containers",
        kind: Kind::Containers,
        needs: &[DOCKER, COMPOSE],
        parts: &[Part { what: "with a browser", module: PAGE, needs: &[CHROMIUM, CHROMEDRIVER] }],
    },
    Suite {
        name: "peers",
        about: "scenarios of other proxies, on them and on the filter",
        kind: Kind::Envoy(OnEnvoy {
            envoys: Envoys::Newest,
            program: Program::None,
            threads: Threads::PerProcessor(1),
        }),
        needs: &[HAPROXY, CADDY],
        parts: &[],
    },
    Suite {
        name: "faults",
        about: "targets, Envoys and keys that fail or change while sessions run",
        // Each test has a crowd, its targets and up to three Envoys. Two tests fill two processors.
        kind: Kind::Envoy(OnEnvoy { envoys: Envoys::Newest, program: Program::Target, threads: Threads::Fixed(2) }),
        needs: &[],
        parts: &[],
    },
    Suite {
        name: "load",
        about: "thousands of sessions at once",
        kind: Kind::Envoy(OnEnvoy { envoys: Envoys::Newest, program: Program::Target, threads: Threads::Fixed(1) }),
        needs: &[],
        parts: &[],
    },
];

/// The tests of the suite `browser` that also run on the demo in containers.
pub(crate) const PAGE: &str = "page::";

/// The suite of this name.
pub(crate) fn find(name: &str) -> Option<&'static Suite> {
    SUITES.iter().find(|suite| suite.name == name)
}
