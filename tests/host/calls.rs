//! The calls of the host that a request costs.

use wasm_host::{Scenario, calls_of};

use super::plugin::module;

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

/// Asserts that this kind of request makes exactly these calls.
#[track_caller]
fn makes(scenario: Scenario, expected: &[&str]) {
    let names: Vec<String> = calls(scenario).iter().map(|call| call.replacen("proxy_", "", 1)).collect();
    assert_eq!(names, expected, "{scenario:?}");
}

const HEADERS: &str = "get_header_map_pairs";
const CLUSTER: &str = "get_property xds.cluster_name";
const ROUTE: &str = "proxy_get_property xds.route_metadata.filter_metadata.sticky_sessions";
const OUTCOME: &str = "set_property";
const PIN: &str = "replace_header_map_value x-sticky-session-host";
const IS_NAMED: &str = "get_header_map_value x-sticky-session-host";
const HIDE_ADDRESS: &str = "remove_header_map_value x-sticky-session-host";
const BY_A_TARGET: &str = "get_property response.code_details";
const ADDRESS: &str = "get_property upstream.address";
const OVER_TLS: &str = "get_property connection.tls_version";
const COOKIE: &str = "add_header_map_value set-cookie";

#[test]
fn a_pinned_request_makes_eight_calls() {
    let asked = [ADDRESS, BY_A_TARGET];
    makes(Scenario::Pinned, &[&[HEADERS, CLUSTER, PIN, OUTCOME], &asked[..], &[COOKIE, COOKIE]].concat());
}

#[test]
fn with_override_host_a_pinned_request_makes_as_many() {
    let asked = [ADDRESS, BY_A_TARGET];
    makes(Scenario::PinnedOverrideHost, &[&[HEADERS, CLUSTER, PIN, OUTCOME], &asked[..], &[COOKIE, COOKIE]].concat());
}

#[test]
fn a_session_that_moves_makes_eleven() {
    let asked = [ADDRESS, IS_NAMED, HIDE_ADDRESS, BY_A_TARGET, OUTCOME];
    makes(Scenario::Failover, &[&[HEADERS, CLUSTER, PIN, OUTCOME], &asked[..], &[COOKIE, COOKIE]].concat());
}

#[test]
fn over_tls_a_pinned_request_makes_one_call_more() {
    let asked = [ADDRESS, BY_A_TARGET, OVER_TLS];
    makes(Scenario::PinnedOverTls, &[&[HEADERS, CLUSTER, PIN, OUTCOME], &asked[..], &[COOKIE, COOKIE]].concat());
}

#[test]
fn a_pinned_request_whose_cookie_needs_no_renewal_makes_five() {
    for scenario in [Scenario::PinnedSliding, Scenario::PinnedOnChange] {
        makes(scenario, &[HEADERS, CLUSTER, PIN, OUTCOME, ADDRESS]);
    }
}

#[test]
fn where_there_is_one_target_group_only_a_pinned_request_makes_one_call_less() {
    assert_eq!(calls(Scenario::PinnedOnlyTargetGroup).len(), 7);
    makes(Scenario::PinnedAtLeastCost, &[HEADERS, PIN, OUTCOME, ADDRESS]);
}

#[test]
fn where_a_route_may_choose_a_policy_a_pinned_request_makes_one_call_more() {
    let calls = calls(Scenario::PinnedWithPolicies);
    assert_eq!((calls.len(), calls[2].as_str()), (9, ROUTE));
}

#[test]
fn a_new_session_makes_eight_calls() {
    let asked = [HIDE_ADDRESS, BY_A_TARGET, ADDRESS];
    makes(Scenario::New, &[&[HEADERS, CLUSTER, OUTCOME], &asked[..], &[COOKIE, COOKIE]].concat());
}

#[test]
fn a_cookie_is_sealed_once_for_a_target_and_a_second() {
    let sealed = |scenario| calls(scenario).iter().any(|call| call == "random_get");
    assert!(sealed(Scenario::PinnedInANewSecond));
    assert!(!sealed(Scenario::Pinned));
    assert!(!sealed(Scenario::Failover));
}
