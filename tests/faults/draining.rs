//! A target that drains before it is removed.

use serde_json::json;

use crate::discovery::Discovered;
use crate::verdict::{Gone, Verdict};

const NAMES: &[&str] = &["a", "b", "c", "d"];
const HEIRS: &[&str] = &["a", "c", "d"];
const B_DRAINS: &[(&str, &str)] = &[("a", "HEALTHY"), ("b", "DRAINING"), ("c", "HEALTHY"), ("d", "HEALTHY")];

#[test]
fn the_sessions_of_a_draining_target_move_once_and_evenly() {
    let discovered = Discovered::start(NAMES, 4, &|_| ());
    let fixture = &discovered.fixture;
    let gone = Gone::of(fixture, "b", HEIRS);
    discovered.set(B_DRAINS);
    fixture.wait_until_left("b");
    fixture.go_on(2);
    Verdict::on("target drains").gone(gone).report(&discovered.fixture.end());
}

#[test]
fn the_sessions_of_a_draining_target_stay_until_it_goes_where_the_cluster_says_so() {
    let discovered = Discovered::start(NAMES, 4, &|config| {
        config.cluster("web").unwrap()["common_lb_config"]["override_host_status"] =
            json!({ "statuses": ["UNKNOWN", "HEALTHY", "DEGRADED", "DRAINING"] });
    });
    let fixture = &discovered.fixture;
    let gone = Gone::of(fixture, "b", HEIRS);
    discovered.set(B_DRAINS);
    fixture.go_on(3);
    assert_eq!((fixture.sessions_of("b"), fixture.crowd.so_far().moved), (gone.sessions(), vec![]));
    discovered.leave(HEIRS);
    fixture.wait_until_left("b");
    Verdict::on("target drains with override_host_status, then goes").gone(gone).report(&discovered.fixture.end());
}
