//! Configuration that is pushed while requests are in flight.

use std::time::Duration;

use harness::{Resources, Setup, discover_listeners, discovered_listener, fetch, sticky_config, wait_until};
use local_envoy::{Config, Envoy, Plugin};
use serde_json::{Value, json};
use traffic::CrowdSettings;

use crate::filter_discovery::DiscoveredFilter;
use crate::fixture::{Backends, Fixture, SETUP, WORKERS, start};
use crate::verdict::Verdict;

/// The drain time of a replaced listener.
const DRAIN: Duration = Duration::from_secs(2);

const DAY: u64 = 86_400;

/// Replaces connections often, so that each pushed listener gets some.
fn coming_and_going(crowd: &mut CrowdSettings) {
    crowd.requests_per_connection = Some(10);
}

/// A filter configuration in which the cookies of `web` last for so many seconds.
fn lasting(seconds: u64) -> Value {
    json!({ "target_groups": { "web": { "stickiness": { "lb_cookie": { "duration_seconds": seconds } } } } })
}

/// Checks that the cookies last for so many seconds.
#[track_caller]
fn assert_lasting(envoy: &Envoy, seconds: u64) {
    let left = fetch(envoy.address("sticky").unwrap(), "/", &[]).expires_in();
    assert!((seconds - 10..=seconds).contains(&left), "{left} s are left of {seconds}");
}

/// Pushes several filter configurations, each followed by an invalid one, and waits until Envoy has accepted or refused each.
#[track_caller]
fn push_several(fixture: &Fixture, push: impl Fn(&Value), accepted: (&str, u64), refused: &str) {
    let counter = |name: &str| fixture.envoy.admin().counter(name).unwrap();
    let push_until = |plugin: &Value, (name, more): (&str, u64)| {
        let enough = counter(name) + more;
        push(plugin);
        wait_until(&format!("{name} to be {enough}"), || counter(name) >= enough);
        fixture.go_on(1);
    };
    for seconds in [7_200, 3_600, DAY] {
        push_until(&lasting(seconds), accepted);
        assert_lasting(&fixture.envoy, seconds);
        push_until(&json!({ "colour": "red" }), (refused, 1));
        assert_lasting(&fixture.envoy, seconds);
    }
}

#[test]
fn sessions_stay_while_listeners_are_pushed_and_wrong_ones_refused() {
    let backends = Backends::start(SETUP.targets);
    let addresses = backends.addresses();
    let with =
        |plugin: &Value| sticky_config(&addresses, &Setup { plugin: Some(Plugin::Struct(plugin.clone())), ..SETUP });
    let pushed = |plugin: &Value| discovered_listener(&mut with(plugin));
    let listener = Resources::of(&pushed(&lasting(DAY)));
    let mut config = with(&lasting(DAY));
    config.remove_listener("sticky").unwrap();
    discover_listeners(&mut config, &listener);
    let fixture = Fixture::of(backends, start(&config, |envoy| envoy.drain = Some(DRAIN)), coming_and_going);

    // Each worker counts a listener when it has taken it over.
    let accepted = ("listener_manager.listener_create_success", u64::from(WORKERS));
    push_several(
        &fixture,
        |plugin| listener.replace(&pushed(plugin)),
        accepted,
        "listener_manager.lds.update_rejected",
    );
    Verdict::on("listeners pushed (LDS), wrong ones between").report(&fixture.end());
}

#[test]
fn sessions_stay_while_filters_are_pushed_and_wrong_ones_refused() {
    let filter = DiscoveredFilter::with(&lasting(DAY));
    let fixture =
        Fixture::with_crowd(&Setup { edit: &|config: &mut Config| filter.discover(config), ..SETUP }, coming_and_going);
    let [accepted, refused] = DiscoveredFilter::COUNTERS;
    push_several(&fixture, |plugin| filter.push(plugin), (accepted, 1), refused);
    Verdict::on("filters pushed (ECDS), wrong ones between").report(&fixture.end());
}
