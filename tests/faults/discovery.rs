//! Targets that are added and removed by discovery, in a file that Envoy watches.

use std::time::Instant;

use harness::{PATIENCE, Resources, Setup, assignment, discover_endpoints, start_envoy, wait_until};
use local_envoy::Config;
use traffic::Loss;

use crate::fixture::{Backends, Fixture, SETUP, wait_for_healthy};
use crate::verdict::{Gone, Verdict};

/// A fixture whose targets are discovered.
pub(crate) struct Discovered {
    pub(crate) fixture: Fixture,
    endpoints: Resources,
}

impl Discovered {
    /// Starts all targets. Envoy knows only the first ones, which have all sessions.
    #[track_caller]
    pub(crate) fn start(names: &[&str], first: usize, edit: &dyn Fn(&mut Config)) -> Self {
        let backends = Backends::start(names);
        let known = names[..first].iter().map(|name| (backends.address(name), "HEALTHY"));
        let endpoints = Resources::of(&assignment(known));
        let discover = |config: &mut Config| {
            discover_endpoints(config, &endpoints);
            edit(config);
        };
        let envoy = start_envoy(&[], &Setup { edit: &discover, ..SETUP });
        wait_for_healthy(&envoy, first);
        Self { fixture: Fixture::before(backends, envoy, |_| ()), endpoints }
    }

    /// Sets the targets, each with its `health_status`, and waits until Envoy uses them.
    #[track_caller]
    pub(crate) fn set(&self, targets: &[(&str, &str)]) {
        let endpoints = targets.iter().map(|(name, health)| (self.fixture.backends.address(name), *health));
        self.endpoints.replace(&assignment(endpoints));
        let members = || self.fixture.envoy.admin().counter("cluster.web.membership_total").unwrap();
        wait_until("Envoy to know the targets", || members() == u64::try_from(targets.len()).unwrap());
        self.fixture.wait_for_healthy(targets.iter().filter(|(_, status)| *status == "HEALTHY").count());
    }

    /// Sets the targets, all of them healthy.
    #[track_caller]
    pub(crate) fn leave(&self, targets: &[&str]) {
        self.set(&targets.iter().map(|name| (*name, "HEALTHY")).collect::<Vec<_>>());
    }
}

/// Removes the health checks, so that the health of a target comes from discovery alone. With health checks, two targets that return
/// in one update become healthy one after the other, and the sessions of the second would move to the first.
fn unchecked(config: &mut Config) {
    config.cluster("web").unwrap().as_object_mut().unwrap().remove("health_checks").unwrap();
}

const NAMES: &[&str] = &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o"];

#[test]
fn the_sessions_of_two_targets_stay_when_thirteen_more_come() {
    let discovered = Discovered::start(NAMES, 2, &|_| ());
    discovered.leave(NAMES);
    discovered.fixture.go_on(3);
    Verdict::on("endpoints 2 → 15").report(&discovered.fixture.end());
}

#[test]
fn the_sessions_of_targets_that_stay_or_come_back_stay_when_fifteen_become_three_none_and_two() {
    let discovered = Discovered::start(NAMES, NAMES.len(), &unchecked);
    let fixture = &discovered.fixture;
    let three = ["a", "h", "o"];
    let mut verdict = Verdict::on("endpoints 15 → 3 → 0 → 2");
    for target in NAMES.iter().filter(|name| !three.contains(name)) {
        verdict = verdict.gone(Gone::of(fixture, target, &three));
    }
    discovered.leave(&three);
    NAMES.iter().filter(|name| !three.contains(name)).for_each(|target| fixture.wait_until_left(target));

    verdict = verdict.gone(Gone::of(fixture, "h", &["a", "o"]));
    let from = Instant::now();
    discovered.leave(&[]);
    let lost = fixture.crowd.so_far().lost.len();
    fixture.crowd.wait_for("requests without a target", PATIENCE, |tally| tally.lost.len() > lost + 500);
    discovered.leave(&["a", "o"]);
    let to = Instant::now();
    fixture.wait_until_left("h");
    fixture.go_on(1);
    verdict
        .unserved("answered 503, in flight while there was no target", move |lost| {
            lost.loss == Loss::Status(503) && from <= lost.ended && lost.sent <= to
        })
        .report(&discovered.fixture.end());
}
