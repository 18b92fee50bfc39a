//! Envoys that are replaced while requests are under way.

use std::net::SocketAddr;
use std::time::Duration;

use harness::{counted, envoy_binary, sticky_config};
use local_envoy::{Config, Envoy};
use serde_json::json;

use crate::scene::{Backends, SESSIONS, SITE, Scene, crowd, go_on, settings, start, wait, wait_for_healthy};
use crate::verdict::Verdict;

/// How long an Envoy asks its clients to come back on another connection.
const DRAIN: Duration = Duration::from_secs(2);

/// When the successor ends its predecessor.
const SHUTDOWN: Duration = Duration::from_secs(4);

/// An Envoy before these targets, which drains fast.
#[track_caller]
fn draining_fast(targets: &[SocketAddr]) -> Envoy {
    let envoy = start(&sticky_config(targets, &SITE), |envoy| envoy.drain = Some(DRAIN));
    wait_for_healthy(&envoy, targets.len());
    envoy
}

fn sticky(envoys: &[Envoy]) -> Vec<SocketAddr> {
    envoys.iter().map(|envoy| envoy.address("sticky").unwrap()).collect()
}

/// What is before the Envoys sees that one no longer wants to be asked, sends to the others, and only then is it ended.
#[track_caller]
fn retire(envoy: &Envoy) {
    envoy.admin().post("/healthcheck/fail").unwrap();
    envoy.admin().post("/drain_listeners?graceful").unwrap();
    wait("its clients to go", || envoy.admin().counter("http.sticky.downstream_cx_active").unwrap() == 0);
    envoy.end();
}

#[test]
fn sessions_stay_and_nothing_is_lost_when_one_of_three_envoys_is_replaced() {
    let backends = Backends::start(SITE.targets);
    let targets = backends.addresses();
    // Each knows them in another order.
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

/// The configuration with the addresses of a running Envoy, so that another one takes them over.
fn at_the_addresses_of(envoy: &Envoy, mut config: Config) -> Config {
    for name in ["sticky", "plain"] {
        let address = envoy.address(name).unwrap();
        config.listener(name).unwrap()["address"]["socket_address"]["port_value"] = json!(address.port());
    }
    config
}

/// A scene after a hot restart, with the Envoy that took over.
#[track_caller]
fn restart_hot(environment: &[(String, String)]) -> (Scene, Envoy) {
    let settings = || {
        settings(|envoy| {
            envoy.drain = Some(DRAIN);
            envoy.hot_restart = Some(SHUTDOWN);
            envoy.environment = environment.to_vec();
        })
    };
    let backends = Backends::start(SITE.targets);
    let config = sticky_config(&backends.addresses(), &SITE);
    let old = Envoy::start(envoy_binary(), &config, settings()).unwrap_or_else(|error| panic!("{error}"));
    let scene = Scene::of(backends, old, |_| ());
    let old = &scene.envoy;
    let config = at_the_addresses_of(old, config);
    let new = old.start_successor(envoy_binary(), &config, settings()).unwrap_or_else(|error| panic!("{error}"));
    wait("the predecessor to end", || old.ended().is_some());
    scene.go_on(2);
    (scene, new)
}

#[test]
fn sessions_stay_and_nothing_is_lost_in_a_hot_restart() {
    let (scene, new) = restart_hot(&settings(|_| ()).environment);
    let tally = scene.crowd.stop();
    Verdict::on("hot restart").report(&tally);
    assert!(counted(&new, "web", "pinned") > 0);
}

/// The successor is another process, with a random key of its own.
#[test]
fn sessions_of_a_random_key_begin_anew_after_a_hot_restart_and_nothing_is_lost() {
    let (scene, new) = restart_hot(&[]);
    let tally = scene.crowd.stop();
    Verdict::on("hot restart without keys")
        .ended("sessions begun anew, for the key is another", |_| true)
        .report(&tally);
    assert_eq!(counted(&new, "web", "unknown_key"), u64::try_from(SESSIONS).unwrap(), "each session once");
}
