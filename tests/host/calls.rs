//! What a request costs in calls of the host.

use wasm_host::{Scenario, calls_of};

use crate::plugin::module;

fn calls(scenario: Scenario) -> Vec<String> {
    calls_of(module(), scenario).unwrap()
}

#[test]
fn no_kind_of_request_logs_or_defines_anything() {
    for scenario in Scenario::ALL {
        let calls = calls(scenario);
        assert!(!calls.is_empty(), "{scenario:?}");
        for once in ["proxy_log", "proxy_define_metric", "proxy_get_buffer_bytes", "proxy_get_shared_data"] {
            assert!(!calls.iter().any(|call| call == once), "{scenario:?}: {calls:#?}");
        }
    }
}

#[test]
fn a_cookie_is_sealed_once_for_a_target_and_a_second() {
    let sealed = |scenario| calls(scenario).iter().any(|call| call == "random_get");
    assert!(sealed(Scenario::PinnedInANewSecond));
    assert!(!sealed(Scenario::Pinned));
    assert!(!sealed(Scenario::Failover));
}
