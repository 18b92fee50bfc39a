//! A target whose health comes and goes.

use traffic::Behaviour;

use crate::scene::{SITE, Scene};
use crate::verdict::{Gone, Verdict};

#[test]
fn the_sessions_of_a_flapping_target_move_once_and_nothing_is_lost() {
    let mut scene = Scene::start(&SITE);
    let gone = Gone::of(&scene, "b", &["a", "c", "d"]);
    for _ in 0..3 {
        scene.backend("b").behave(Behaviour::Unhealthy);
        scene.wait_for_healthy(3);
        scene.backend("b").behave(Behaviour::Normal);
        scene.wait_for_healthy(4);
    }
    scene.backend("b").behave(Behaviour::Unhealthy);
    scene.wait_until_left("b");
    Verdict::on("health flaps").gone(gone).report(&scene.end());
}
