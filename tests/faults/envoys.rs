//! Envoys that are replaced while requests are in flight.

use std::net::SocketAddr;
use std::time::Duration;

use harness::{counted, envoy_binary, sticky_config, wait_until};
use local_envoy::{Config, Envoy};
use serde_json::json;

use crate::fixture::{Backends, Fixture, SESSIONS, SETUP, crowd, go_on, settings, start, wait_for_healthy};
use crate::verdict::Verdict;

/// The drain time of an Envoy.
const DRAIN: Duration = Duration::from_secs(2);

/// The time after which a successor ends its predecessor.
const SHUTDOWN: Duration = Duration::from_secs(4);

/// An Envoy with a short drain time in front of these targets.
#[track_caller]
fn draining_fast(targets: &[SocketAddr]) -> Envoy {
    let envoy = start(&sticky_config(targets, &SETUP), |envoy| envoy.drain = Some(DRAIN));
    wait_for_healthy(&envoy, targets.len());
    envoy
}

fn sticky(envoys: &[Envoy]) -> Vec<SocketAddr> {
    envoys.iter().map(|envoy| envoy.address("sticky").unwrap()).collect()
}

/// Takes an Envoy out of service: it fails its own health check, drains, and ends when it has no clients.
#[track_caller]
fn retire(envoy: &Envoy) {
    envoy.admin().post("/healthcheck/fail").unwrap();
    envoy.admin().post("/drain_listeners?graceful").unwrap();
    wait_until("its clients to go", || envoy.admin().counter("http.sticky.downstream_cx_active").unwrap() == 0);
    envoy.end();
}

#[test]
fn sessions_stay_and_nothing_is_lost_when_one_of_three_envoys_is_replaced() {
    let backends = Backends::start(SETUP.targets);
    let targets = backends.addresses();
    // Each Envoy lists the targets in another order.
    let rotated = |by: usize| [&targets[by..], &targets[..by]].concat();
    let mut envoys: Vec<Envoy> = (0..3).map(|by| draining_fast(&rotated(by))).collect();
    let crowd = crowd(&sticky(&envoys), |crowd| crowd.requests_per_connection = Some(20));
    go_on(&crowd, 1);

    let old = envoys.remove(0);
    crowd.set_listeners(&sticky(&envoys));
    retire(&old);
    go_on(&crowd, 1);

    let new = draining_fast(&rotated(3));
    envoys.push(new);
    crowd.set_listeners(&sticky(&envoys));
    go_on(&crowd, 3);
    let tally = crowd.stop();
    Verdict::on("one of three Envoys replaced").report(&tally);
    assert_eq!(tally.repeated, 0, "an Envoy that drains closes no connection in use");
    assert!(counted(&envoys[2], "web", "pinned") > 100, "the one that replaces it is used");
}

/// The configuration with the listener addresses of a running Envoy, for its successor.
fn at_the_addresses_of(envoy: &Envoy, mut config: Config) -> Config {
    for name in ["sticky", "plain"] {
        let address = envoy.address(name).unwrap();
        config.listener(name).unwrap()["address"]["socket_address"]["port_value"] = json!(address.port());
    }
    config
}

/// A fixture after a hot restart, and the new Envoy.
#[track_caller]
fn restart_hot(environment: &[(String, String)]) -> (Fixture, Envoy) {
    let settings = || {
        settings(|envoy| {
            envoy.drain = Some(DRAIN);
            envoy.hot_restart = Some(SHUTDOWN);
            envoy.environment = environment.to_vec();
        })
    };
    let backends = Backends::start(SETUP.targets);
    let config = sticky_config(&backends.addresses(), &SETUP);
    let old = Envoy::start(envoy_binary(), &config, settings()).unwrap();
    let fixture = Fixture::of(backends, old, |_| ());
    let old = &fixture.envoy;
    let config = at_the_addresses_of(old, config);
    let new = old.start_successor(envoy_binary(), &config, settings()).unwrap();
    wait_until("the predecessor to end", || old.ended().is_some());
    fixture.go_on(2);
    (fixture, new)
}

#[test]
fn sessions_stay_and_nothing_is_lost_in_a_hot_restart() {
    let (fixture, new) = restart_hot(&settings(|_| ()).environment);
    let tally = fixture.crowd.stop();
    Verdict::on("hot restart").report(&tally);
    assert!(counted(&new, "web", "pinned") > 0);
}

/// The successor is another process and makes its own random key.
#[test]
fn sessions_of_a_random_key_begin_anew_after_a_hot_restart_and_nothing_is_lost() {
    let (fixture, new) = restart_hot(&[]);
    let tally = fixture.crowd.stop();
    Verdict::on("hot restart without keys")
        .ended("sessions begun anew, because the key has changed", |_| true)
        .report(&tally);
    assert_eq!(counted(&new, "web", "unknown_key"), u64::try_from(SESSIONS).unwrap(), "each session once");
}
