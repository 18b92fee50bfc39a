//! A target that fails and passes its health checks in turn.

use traffic::Behaviour;

use crate::fixture::{Fixture, SETUP};
use crate::verdict::{Gone, Verdict};

#[test]
fn the_sessions_of_a_flapping_target_move_once_and_nothing_is_lost() {
    let mut fixture = Fixture::start(&SETUP);
    let gone = Gone::of(&fixture, "b", &["a", "c", "d"]);
    for _ in 0..3 {
        fixture.backend("b").behave(Behaviour::Unhealthy);
        fixture.wait_for_healthy(3);
        fixture.backend("b").behave(Behaviour::Normal);
        fixture.wait_for_healthy(4);
    }
    fixture.backend("b").behave(Behaviour::Unhealthy);
    fixture.wait_until_left("b");
    Verdict::on("health flaps").gone(gone).report(&fixture.end());
}
