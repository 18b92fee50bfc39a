//! Which suites of tests are there?

use super::needs::{CADDY, CARGO_FUZZ, CHROMEDRIVER, CHROMIUM, COMPOSE, CURL, CXX, DOCKER, HAPROXY, JDK, Need, PYTHON};

/// Tests that run together and need the same.
pub(crate) struct Suite {
    /// As on the command line, and the name of the test target if it has one.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// What none of its tests can do without.
    pub(crate) needs: &'static [Need],
    /// Those of its tests that need more.
    pub(crate) parts: &'static [Part],
}

/// How the tests of a suite run.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// Beside the code that they test, and in its documentation.
    Unit,
    /// With the filter that ships, on a host of their own.
    Host,
    /// On a real Envoy with the filter that ships.
    Envoy(OnEnvoy),
    /// On the demo in containers.
    Containers,
    /// By a fuzzer.
    Fuzz,
}

/// How the tests of an Envoy run.
#[derive(Clone, Copy)]
pub(crate) struct OnEnvoy {
    pub(crate) envoys: Envoys,
    /// Whether a browser and the application of the demo stand at its ends.
    pub(crate) demo: bool,
    /// For the test runner.
    pub(crate) arguments: &'static [&'static str],
}

/// On which of the supported versions of Envoy.
#[derive(Clone, Copy)]
pub(crate) enum Envoys {
    NewestAndOldest,
    Newest,
}

/// Tests of a suite that can be left out alone.
pub(crate) struct Part {
    /// Of the suite, for a person: "the tests …".
    pub(crate) what: &'static str,
    /// The beginning of their names.
    pub(crate) module: &'static str,
    pub(crate) needs: &'static [Need],
}

/// In the order in which they run: the fastest first.
pub(crate) const SUITES: &[Suite] = &[
    Suite { name: "unit", kind: Kind::Unit, needs: &[], parts: &[] },
    Suite { name: "host", kind: Kind::Host, needs: &[], parts: &[] },
    Suite { name: "fuzz", kind: Kind::Fuzz, needs: &[CARGO_FUZZ, CXX], parts: &[] },
    Suite {
        name: "envoy",
        kind: Kind::Envoy(OnEnvoy { envoys: Envoys::NewestAndOldest, demo: false, arguments: &[] }),
        needs: &[],
        parts: &[],
    },
    Suite {
        name: "clients",
        kind: Kind::Envoy(OnEnvoy { envoys: Envoys::NewestAndOldest, demo: false, arguments: &[] }),
        needs: &[CURL, PYTHON],
        parts: &[Part { what: "with Java's client", module: "java::", needs: &[JDK] }],
    },
    Suite {
        name: "browser",
        // Each test has a browser, two instances and an Envoy: more at once fight for the processor.
        kind: Kind::Envoy(OnEnvoy { envoys: Envoys::Newest, demo: true, arguments: &["--test-threads", "2"] }),
        needs: &[CHROMIUM, CHROMEDRIVER],
        parts: &[],
    },
    Suite {
        name: "docker",
        kind: Kind::Containers,
        needs: &[DOCKER, COMPOSE],
        parts: &[Part { what: "with a browser", module: PAGE, needs: &[CHROMIUM, CHROMEDRIVER] }],
    },
    Suite {
        name: "peers",
        kind: Kind::Envoy(OnEnvoy { envoys: Envoys::Newest, demo: false, arguments: &[] }),
        needs: &[HAPROXY, CADDY],
        parts: &[],
    },
    Suite {
        name: "faults",
        // Each has a crowd, its targets and up to three Envoys, and often waits: two fill two processors, more would starve.
        kind: Kind::Envoy(OnEnvoy { envoys: Envoys::Newest, demo: false, arguments: &["--test-threads", "2"] }),
        needs: &[],
        parts: &[],
    },
    Suite {
        name: "load",
        kind: Kind::Envoy(OnEnvoy { envoys: Envoys::Newest, demo: false, arguments: &["--test-threads", "1"] }),
        needs: &[],
        parts: &[],
    },
];

/// The tests of the suite `browser` that the demo in containers passes too.
pub(crate) const PAGE: &str = "page::";

/// The suite of this name.
pub(crate) fn find(name: &str) -> Option<&'static Suite> {
    SUITES.iter().find(|suite| suite.name == name)
}
