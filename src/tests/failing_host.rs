//! What the filter makes of a host that fails, once `xtask/src/statuses.rs` has turned its statuses into those that the SDK
//! takes: no configuration, no shared data, ids that count nothing, the epoch, no headers.

use super::*;

#[test]
fn a_configuration_that_envoy_does_not_hand_over_is_refused() {
    let plugin = Plugin::start();
    assert!(!plugin.configure_in_vain(17));
    assert_eq!(logged(LogLevel::Error), ["Envoy does not hand over the configuration of the plugin"]);
    assert!(plugin.configure_in_vain(0));
}

#[test]
fn a_random_key_that_cannot_be_shared_is_refused() {
    let plugin = Plugin::start();
    host(|host| host.shares_nothing = true);
    assert!(!plugin.configure("{}"));
    assert_eq!(logged(LogLevel::Error), ["Envoy's shared data does not hold the key that was stored there"]);
}

#[test]
fn an_operators_keys_need_no_shared_data() {
    host(|host| host.shares_nothing = true);
    let plugin = plugin(KEYS);
    let cookie = cookie_of(&plugin, TARGET);
    assert!(header(&plugin.stream().request(&[("cookie", &cookie)]), "x-sticky-session-host").is_some());
    // It may be that another worker has said it.
    assert!(logged(LogLevel::Info).is_empty());
}

#[test]
fn a_client_is_sticky_though_nothing_is_counted() {
    host(|host| host.counts_nothing = true);
    let plugin = plugin(KEYS);
    let cookie = cookie_of(&plugin, TARGET);
    assert!(header(&plugin.stream().request(&[("cookie", &cookie)]), "x-sticky-session-host").is_some());
    assert_eq!((counted("no_cookie"), counted("issued")), (0, 0));
}

#[test]
fn without_a_clock_a_cookie_of_before_is_over_and_the_client_is_served() {
    let plugin = plugin(KEYS);
    let cookie = cookie_of(&plugin, TARGET);
    host(|host| host.now = 0);
    let stream = plugin.stream();
    assert!(header(&stream.request(&[("cookie", &cookie)]), "x-sticky-session-host").is_none());
    answered_by(TARGET);
    let answer = stream.response(&[]);
    let line = String::from_utf8_lossy(header(&answer, "set-cookie").unwrap()).into_owned();
    assert!(line.contains("Expires=Fri, 02 Jan 1970 00:00:00 GMT"), "{line}");
}

#[test]
fn a_target_that_names_another_one_as_the_host_is_not_believed() {
    let plugin = plugin(KEYS);
    let cookie = cookie_of(&plugin, TARGET);
    for cookies in [&[][..], &[("cookie", cookie.as_slice())]] {
        let stream = plugin.stream();
        stream.request(cookies);
        answered_by(TARGET);
        let answer = stream.response(&[("x-sticky-session-host", b"MTAuMC4wLjI6ODA4MA==")]);
        assert!(answer.iter().all(|(name, _)| name == "set-cookie"), "{answer:?}");
        let next = header(&answer, "set-cookie").unwrap().split(|&byte| byte == b';').next().unwrap();
        let headers = plugin.stream().request(&[("cookie", next)]);
        assert_eq!(header(&headers, "x-sticky-session-host"), Some(b"MTAuMC4wLjE6ODA4MA==".as_slice()));
    }
    assert_eq!((counted("pinned"), counted("moved")), (1, 0));
}

#[test]
fn under_a_rule_both_of_our_headers_are_taken_from_what_a_target_says() {
    let plugin = plugin(REPICK);
    let stream = plugin.stream();
    stream.request(&[]);
    answered_by(TARGET);
    let answer = stream.response(&[("x-sticky-session-host", b"leak"), ("x-sticky-session-group", b"leak")]);
    assert!(answer.iter().all(|(name, _)| name == "set-cookie"), "{answer:?}");
}
