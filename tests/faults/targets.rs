//! A target that fails.

use std::time::Duration;

use harness::{Setup, counted, wait_for_no_connection};
use traffic::{Behaviour, Loss};

use crate::scene::{PATIENCE, SITE, Scene};
use crate::verdict::{Gone, Verdict};

const HEIRS: &[&str] = &["a", "c", "d"];

/// The connections on which a target ended while a request was under way.
const BROKEN: &str = "cluster.web.upstream_cx_destroy_remote_with_active_rq";

/// Kills `b`, and waits until its sessions have moved.
#[track_caller]
fn kill_b(scene: &mut Scene) -> Gone {
    scene.crowd.wait_for("requests in flight", PATIENCE, |tally| tally.in_flight >= 40);
    let gone = Gone::of(scene, "b", HEIRS);
    let target = scene.backend("b");
    target.kill();
    let address = target.address();
    wait_for_no_connection(&scene.envoy, "web", address);
    let gone = gone.known(Loss::Status(503));
    scene.wait_until_left("b");
    gone
}

#[test]
fn only_what_was_in_flight_on_a_killed_target_is_lost_and_its_sessions_spread_evenly() {
    let mut scene = Scene::start(&SITE);
    let gone = kill_b(&mut scene);
    scene.go_on(2);
    let broken = scene.envoy.admin().counter(BROKEN).unwrap();
    let tally = scene.end();
    Verdict::on("target killed").gone(gone).report(&tally);
    assert_eq!(u64::try_from(tally.lost.len()).unwrap(), broken, "Envoy counted what was in flight");
}

#[test]
fn the_sessions_of_a_target_that_is_back_stay_where_they_went() {
    let mut scene = Scene::start(&SITE);
    let gone = kill_b(&mut scene);
    scene.backend("b").start_again();
    scene.wait_for_healthy(4);
    scene.go_on(3);
    Verdict::on("target restarted").gone(gone).report(&scene.end());
}

/// A session waits for the hung target once: its client gives up, as most would before Envoy does after 15 s. So many wait that
/// they would be more than Envoy allows by default, and others would have to wait with them.
#[test]
fn only_what_was_in_flight_is_lost_when_a_target_hangs() {
    const MANY: usize = 7_500;
    let three = Setup { targets: &["a", "b", "c"], ..SITE };
    let mut scene = Scene::with_crowd(&three, |crowd| {
        crowd.sessions = MANY;
        crowd.connections = 3_000;
        crowd.pause = Duration::from_secs(3);
        crowd.timeout = Duration::from_secs(8);
    });
    let gone = Gone::of(&scene, "b", &["a", "c"]);
    scene.backend("b").hang();
    scene.wait_for_healthy(2);
    let gone = gone.known(Loss::Timeout);
    scene.wait_until_left("b");
    scene.backend("b").resume();
    scene.wait_for_healthy(3);
    scene.go_on(1);
    Verdict::on("target hung").sessions(MANY).gone(gone).report(&scene.end());
}

#[test]
fn the_sessions_of_a_slow_target_wait_and_stay() {
    let mut scene = Scene::with_crowd(&SITE, |crowd| crowd.connections = 800);
    scene.backend("b").behave(Behaviour::Slow(Duration::from_secs(1)));
    scene.go_on(3);
    Verdict::on("target slow (1 s)").report(&scene.end());
}

/// The application's word, and not Envoy's: nobody else is asked, and the cookie is renewed.
#[test]
fn the_sessions_of_a_target_that_answers_with_errors_stay() {
    let mut scene = Scene::start(&SITE);
    for status in [500, 502, 503, 504] {
        scene.backend("b").behave(Behaviour::Status(status));
        scene.go_on(1);
    }
    scene.backend("b").behave(Behaviour::Normal);
    scene.go_on(1);
    let tally = scene.crowd.stop();
    let refused: u64 = tally.refused.values().sum();
    Verdict::on("target answers 500 to 504").beside(format!("{refused} such answers")).report(&tally);
    assert_eq!(tally.refused.keys().copied().collect::<Vec<_>>(), [500, 502, 503, 504]);
    assert_eq!(counted(&scene.envoy, "web", "issued"), tally.answered + refused, "every answer carries a cookie");
}

#[test]
fn the_sessions_of_a_target_that_breaks_its_answers_off_stay() {
    let mut scene = Scene::start(&SITE);
    scene.backend("b").behave(Behaviour::ResetMidResponse);
    scene.go_on(3);
    scene.backend("b").behave(Behaviour::Normal);
    scene.go_on(1);
    Verdict::on("target resets inside its answers")
        .unserved("answers broken off", |lost| lost.loss == Loss::Truncated && lost.pin.as_deref() == Some("b"))
        .report(&scene.end());
}
