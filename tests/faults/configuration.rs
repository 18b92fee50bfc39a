//! Configuration that is pushed while requests are under way.

use std::time::Duration;

use harness::{Resources, Setup, discover_listeners, discovered_listener, fetch, sticky_config};
use local_envoy::{Config, Envoy, Plugin};
use serde_json::{Value, json};
use traffic::Settings;

use crate::filter_discovery::DiscoveredFilter;
use crate::scene::{Backends, SITE, Scene, WORKERS, start, wait};
use crate::verdict::Verdict;

/// How long a listener that was replaced waits for its clients to go.
const DRAIN: Duration = Duration::from_secs(2);

const DAY: u64 = 86_400;

/// Some connections arrive at every listener that is pushed.
fn coming_and_going(crowd: &mut Settings) {
    crowd.requests_per_connection = Some(10);
}

/// A plugin configuration in which the cookies of `web` last for so many seconds.
fn lasting(seconds: u64) -> Value {
    json!({ "target_groups": { "web": { "stickiness": { "lb_cookie": { "duration_seconds": seconds } } } } })
}

/// The cookies last for so many seconds.
#[track_caller]
fn lasts(envoy: &Envoy, seconds: u64) {
    let left = fetch(envoy.address("sticky").unwrap(), "/", &[]).expires_in();
    assert!((seconds - 10..=seconds).contains(&left), "{left} s are left of {seconds}");
}

/// Pushes several plugin configurations, and after each a wrong one, and waits until Envoy has counted what became of them.
#[track_caller]
fn push_several(scene: &Scene, push: impl Fn(&Value), accepted: (&str, u64), refused: &str) {
    let counter = |name: &str| scene.envoy.admin().counter(name).unwrap();
    let push_until = |plugin: &Value, (name, more): (&str, u64)| {
        let enough = counter(name) + more;
        push(plugin);
        wait(&format!("{name} to be {enough}"), || counter(name) >= enough);
        scene.go_on(1);
    };
    for seconds in [7_200, 3_600, DAY] {
        push_until(&lasting(seconds), accepted);
        lasts(&scene.envoy, seconds);
        push_until(&json!({ "colour": "red" }), (refused, 1));
        lasts(&scene.envoy, seconds);
    }
}

#[test]
fn sessions_stay_while_listeners_are_pushed_and_wrong_ones_refused() {
    let backends = Backends::start(SITE.targets);
    let addresses = backends.addresses();
    let with =
        |plugin: &Value| sticky_config(&addresses, &Setup { plugin: Some(Plugin::Struct(plugin.clone())), ..SITE });
    let pushed = |plugin: &Value| discovered_listener(&mut with(plugin));
    let listener = Resources::of(&pushed(&lasting(DAY)));
    let mut config = with(&lasting(DAY));
    config.remove_listener("sticky").unwrap();
    discover_listeners(&mut config, &listener);
    let scene = Scene::of(backends, start(&config, |envoy| envoy.drain = Some(DRAIN)), coming_and_going);

    // Counted by each worker when it has taken it over.
    let accepted = ("listener_manager.listener_create_success", u64::from(WORKERS));
    push_several(&scene, |plugin| listener.replace(&pushed(plugin)), accepted, "listener_manager.lds.update_rejected");
    Verdict::on("listeners pushed (LDS), wrong ones between").report(&scene.end());
}

#[test]
fn sessions_stay_while_filters_are_pushed_and_wrong_ones_refused() {
    let filter = DiscoveredFilter::with(&lasting(DAY));
    let scene =
        Scene::with_crowd(&Setup { edit: &|config: &mut Config| filter.discover(config), ..SITE }, coming_and_going);
    let [accepted, refused] = DiscoveredFilter::COUNTERS;
    push_several(&scene, |plugin| filter.push(plugin), (accepted, 1), refused);
    Verdict::on("filters pushed (ECDS), wrong ones between").report(&scene.end());
}
