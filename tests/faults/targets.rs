//! A target that fails.

use std::time::Duration;

use harness::{PATIENCE, Setup, counted, wait_for_no_connection};
use traffic::{Behaviour, Loss};

use crate::fixture::{Fixture, SETUP};
use crate::verdict::{Gone, Verdict};

const HEIRS: &[&str] = &["a", "c", "d"];

/// Envoy's counter of connections that a target has closed with a request in flight.
const BROKEN: &str = "cluster.web.upstream_cx_destroy_remote_with_active_rq";

/// Kills `b` and waits until its sessions have moved.
#[track_caller]
fn kill_b(fixture: &mut Fixture) -> Gone {
    fixture.crowd.wait_for("requests in flight", PATIENCE, |tally| tally.in_flight >= 40);
    let gone = Gone::of(fixture, "b", HEIRS);
    let target = fixture.backend("b");
    target.kill();
    let address = target.address();
    wait_for_no_connection(&fixture.envoy, "web", address);
    let gone = gone.known(Loss::Status(503));
    fixture.wait_until_left("b");
    gone
}

#[test]
fn only_requests_in_flight_are_lost_when_a_target_is_killed_and_its_sessions_spread_evenly() {
    let mut fixture = Fixture::start(&SETUP);
    let gone = kill_b(&mut fixture);
    fixture.go_on(2);
    let broken = fixture.envoy.admin().counter(BROKEN).unwrap();
    let tally = fixture.end();
    Verdict::on("target killed").gone(gone).report(&tally);
    assert_eq!(u64::try_from(tally.lost.len()).unwrap(), broken, "Envoy counted what was in flight");
}

#[test]
fn the_sessions_of_a_target_that_is_back_stay_where_they_went() {
    let mut fixture = Fixture::start(&SETUP);
    let gone = kill_b(&mut fixture);
    fixture.backend("b").start_again();
    fixture.wait_for_healthy(4);
    fixture.go_on(3);
    Verdict::on("target restarted").gone(gone).report(&fixture.end());
}

/// A session waits for the suspended target once, and then its client gives up. Most clients give up before Envoy does after 15 s.
/// More requests wait than Envoy allows by default. With Envoy's default, requests for other targets would have to wait too.
#[test]
fn only_requests_in_flight_are_lost_when_a_target_hangs() {
    const MANY: usize = 7_500;
    let three = Setup { targets: &["a", "b", "c"], ..SETUP };
    let mut fixture = Fixture::with_crowd(&three, |crowd| {
        crowd.sessions = MANY;
        crowd.connections = 3_000;
        crowd.pause = Duration::from_secs(3);
        crowd.timeout = Duration::from_secs(8);
    });
    let gone = Gone::of(&fixture, "b", &["a", "c"]);
    fixture.backend("b").hang();
    fixture.wait_for_healthy(2);
    let gone = gone.known(Loss::Timeout);
    fixture.wait_until_left("b");
    fixture.backend("b").resume();
    fixture.wait_for_healthy(3);
    fixture.go_on(1);
    Verdict::on("target hung").sessions(MANY).gone(gone).report(&fixture.end());
}

#[test]
fn the_sessions_of_a_slow_target_wait_and_stay() {
    let mut fixture = Fixture::with_crowd(&SETUP, |crowd| crowd.connections = 800);
    fixture.backend("b").behave(Behaviour::Slow(Duration::from_secs(1)));
    fixture.go_on(3);
    Verdict::on("target slow (1 s)").report(&fixture.end());
}

/// These answers come from the application and not from Envoy. Envoy asks no other target, and the cookie is renewed.
#[test]
fn the_sessions_of_a_target_that_answers_with_errors_stay() {
    let mut fixture = Fixture::start(&SETUP);
    for status in [500, 502, 503, 504] {
        fixture.backend("b").behave(Behaviour::Status(status));
        fixture.go_on(1);
    }
    fixture.backend("b").behave(Behaviour::Normal);
    fixture.go_on(1);
    let tally = fixture.crowd.stop();
    let refused: u64 = tally.refused.values().sum();
    Verdict::on("target answers 500 to 504").beside(format!("{refused} such answers")).report(&tally);
    assert_eq!(tally.refused.keys().copied().collect::<Vec<_>>(), [500, 502, 503, 504]);
    assert_eq!(counted(&fixture.envoy, "web", "issued"), tally.answered + refused, "every answer carries a cookie");
}

#[test]
fn the_sessions_of_a_target_that_breaks_its_answers_off_stay() {
    let mut fixture = Fixture::start(&SETUP);
    fixture.backend("b").behave(Behaviour::ResetMidResponse);
    fixture.go_on(3);
    fixture.backend("b").behave(Behaviour::Normal);
    fixture.go_on(1);
    Verdict::on("target resets inside its answers")
        .unserved("answers broken off", |lost| lost.loss == Loss::Truncated && lost.pin.as_deref() == Some("b"))
        .report(&fixture.end());
}
