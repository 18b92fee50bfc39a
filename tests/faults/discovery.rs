//! Targets that come and go, in a file that Envoy watches.

use std::time::Instant;

use harness::{Resources, Setup, discover_endpoints, start_envoy};
use local_envoy::Config;
use serde_json::{Value, json};
use traffic::Loss;

use crate::scene::{Backends, PATIENCE, SITE, Scene, wait, wait_for_healthy};
use crate::verdict::{Gone, Verdict};

/// A scene whose targets are discovered.
pub(crate) struct Discovered {
    pub(crate) scene: Scene,
    endpoints: Resources,
}

impl Discovered {
    /// Of these targets, the first are there. The sessions belong to them.
    #[track_caller]
    pub(crate) fn start(names: &[&str], first: usize, edit: &dyn Fn(&mut Config)) -> Self {
        let backends = Backends::start(names);
        let all: Vec<_> = names[..first].iter().map(|name| (*name, "HEALTHY")).collect();
        let endpoints = Resources::of(&assignment(&backends, &all));
        let discover = |config: &mut Config| {
            discover_endpoints(config, &endpoints);
            edit(config);
        };
        let envoy = start_envoy(&[], &Setup { edit: &discover, ..SITE });
        wait_for_healthy(&envoy, first);
        Self { scene: Scene::before(backends, envoy, |_| ()), endpoints }
    }

    /// Leaves these targets, each with its `health_status`, and waits until so many of them are healthy.
    #[track_caller]
    pub(crate) fn set(&self, targets: &[(&str, &str)]) {
        self.endpoints.replace(&assignment(&self.scene.backends, targets));
        let members = || self.scene.envoy.admin().counter("cluster.web.membership_total").unwrap();
        wait("Envoy to know the targets", || members() == u64::try_from(targets.len()).unwrap());
        self.scene.wait_for_healthy(targets.iter().filter(|(_, status)| *status == "HEALTHY").count());
    }

    /// Leaves these targets, all of them healthy.
    #[track_caller]
    pub(crate) fn leave(&self, targets: &[&str]) {
        self.set(&targets.iter().map(|name| (*name, "HEALTHY")).collect::<Vec<_>>());
    }
}

fn assignment(backends: &Backends, chosen: &[(&str, &str)]) -> Value {
    let endpoint = |(name, health): &(&str, &str)| {
        let port = backends.address(name).port();
        let address = json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } });
        json!({ "endpoint": { "address": address }, "health_status": health })
    };
    json!({
        "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": "web",
        "endpoints": [{ "lb_endpoints": chosen.iter().map(endpoint).collect::<Vec<_>>() }]
    })
}

/// Targets are as healthy as their discovery says. A health check lets two that come back in one update in one after the other,
/// and the sessions of the second go to the first until then: its target does not live yet.
fn unchecked(config: &mut Config) {
    config.cluster("web").unwrap().as_object_mut().unwrap().remove("health_checks").unwrap();
}

const NAMES: &[&str] = &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o"];

#[test]
fn the_sessions_of_two_targets_stay_when_thirteen_more_come() {
    let discovered = Discovered::start(NAMES, 2, &|_| ());
    discovered.leave(NAMES);
    discovered.scene.go_on(3);
    Verdict::on("endpoints 2 → 15").report(&discovered.scene.end());
}

#[test]
fn the_sessions_of_targets_that_stay_or_come_back_stay_when_fifteen_become_three_none_and_two() {
    let discovered = Discovered::start(NAMES, NAMES.len(), &unchecked);
    let scene = &discovered.scene;
    let three = ["a", "h", "o"];
    let mut verdict = Verdict::on("endpoints 15 → 3 → 0 → 2");
    for target in NAMES.iter().filter(|name| !three.contains(name)) {
        verdict = verdict.gone(Gone::of(scene, target, &three));
    }
    discovered.leave(&three);
    NAMES.iter().filter(|name| !three.contains(name)).for_each(|target| scene.wait_until_left(target));

    verdict = verdict.gone(Gone::of(scene, "h", &["a", "o"]));
    let from = Instant::now();
    discovered.leave(&[]);
    let lost = scene.crowd.so_far().lost.len();
    scene.crowd.wait_for("requests without a target", PATIENCE, |tally| tally.lost.len() > lost + 500);
    discovered.leave(&["a", "o"]);
    let to = Instant::now();
    scene.wait_until_left("h");
    scene.go_on(1);
    verdict
        .unserved("answered 503, under way while there was no target", move |lost| {
            lost.loss == Loss::Status(503) && from <= lost.ended && lost.sent <= to
        })
        .report(&discovered.scene.end());
}
