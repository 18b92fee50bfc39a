//! Two instances of the filter in one chain. On a real Envoy: `tests/envoy/two_instances.rs`.

use super::*;

const PIN: (&str, &[u8]) = ("x-sticky-session-host", b"MTAuMC4wLjE6ODA4MA==");

/// The first instance has given the request an outcome.
fn after_another_instance() {
    set("sticky_session", "pinned");
}

#[test]
fn what_an_instance_before_this_one_has_pinned_is_left_alone() {
    let plugin = plugin(KEYS);
    let cookie = cookie_of(&plugin, "10.0.0.2:8080");
    after_another_instance();
    let stream = plugin.stream();
    let sent = stream.request(&[("cookie", &cookie), PIN, ("x-sticky-session-group", b"blue")]);
    assert_eq!(
        sent.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["cookie", PIN.0, "x-sticky-session-group"]
    );
    assert_eq!(header(&sent, PIN.0), Some(PIN.1));
    // stateful_session names the target to the first instance.
    let answer = stream.response(&[("x-sticky-session-host", b"MTAuMC4wLjM6ODA4MA==")]);
    assert_eq!(answer.len(), 1);
    stream.end();
    assert_eq!(["pinned", "moved", "no_cookie"].map(counted), [0, 0, 1]);
}

#[test]
fn an_instance_that_is_sticky_for_the_same_target_group_says_so_once() {
    let plugin = plugin(KEYS);
    after_another_instance();
    plugin.stream().request(&[PIN]);
    plugin.stream().request(&[PIN]);
    assert_eq!(
        logged(LogLevel::Warn),
        [
            "two instances of the filter in one chain are sticky for the target group \"web\": the second one leaves a request \
          alone that the first one has pinned"
        ]
    );
}

#[test]
fn instances_for_target_groups_of_their_own_are_not_warned_of() {
    let plugin = plugin(&KEYS.replacen('{', r#"{"target_groups": {"api": {}}, "#, 1));
    after_another_instance();
    assert_eq!(plugin.stream().request(&[PIN]).len(), 1);
    assert!(logged(LogLevel::Warn).is_empty());
}

#[test]
fn a_request_that_the_instance_before_has_not_pinned_is_pinned_by_this_one() {
    let plugin = plugin(KEYS);
    let cookie = cookie_of(&plugin, TARGET);
    after_another_instance();
    assert_eq!(header(&plugin.stream().request(&[("cookie", &cookie)]), PIN.0), Some(PIN.1));
}

#[test]
fn without_an_instance_before_this_one_the_header_is_a_clients_and_is_removed() {
    let plugin = plugin(KEYS);
    assert!(plugin.stream().request(&[PIN, PIN, ("x-sticky-session-group", b"blue")]).is_empty());
}

#[test]
fn a_request_without_our_headers_pays_no_call_for_another_instance() {
    let plugin = plugin(KEYS);
    cookie_of(&plugin, TARGET);
    assert!(!host(|host| host.asked_for.contains(&"sticky_session".to_owned())));
}
