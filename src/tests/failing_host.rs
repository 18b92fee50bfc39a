//! The filter on a host that fails. `tests/host/statuses.rs` has each function fail with each status, in the compiled filter; here
//! are the consequences for a client and an operator.

use super::*;

#[test]
fn a_configuration_that_envoy_does_not_hand_over_is_refused() {
    let plugin = Plugin::start();
    assert!(!plugin.configure_without_handing_over(17));
    assert_eq!(logged(LogLevel::Error), ["Envoy does not hand over the configuration of the plugin"]);
    assert!(plugin.configure_without_handing_over(0));
}

#[test]
fn a_random_key_that_cannot_be_shared_is_refused() {
    let plugin = Plugin::start();
    host(|host| host.shares_nothing = true);
    assert!(!plugin.configure("{}"));
    assert_eq!(logged(LogLevel::Error), ["Envoy's shared data does not hold the key that was stored there"]);
}

#[test]
fn without_shared_data_each_worker_decides_for_itself_which_target_groups_have_counters() {
    host(|host| host.shares_nothing = true);
    assert_eq!(counted_together(1_100), 100);
    host(|host| host.failing = vec!["proxy_set_shared_data"]);
    assert_eq!(std::thread::spawn(|| counted_together(1_100)).join().unwrap(), 100);
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
        let next = header(&answer, "set-cookie").unwrap().split(|&byte| byte == b';').next().unwrap();
        let headers = plugin.stream().request(&[("cookie", next)]);
        assert_eq!(header(&headers, "x-sticky-session-host"), Some(b"MTAuMC4wLjE6ODA4MA==".as_slice()));
    }
    assert_eq!((counted("pinned"), counted("moved")), (1, 0));
}

#[test]
fn a_header_with_the_name_of_ours_is_removed_unless_the_pin_was_chosen_when_stateful_session_writes_none() {
    for mechanism in ["stateful_session", "override_host"] {
        let plugin = plugin(&KEYS.replacen('{', &format!(r#"{{"upstream.mechanism": "{mechanism}", "#), 1));
        let cookie = cookie_of(&plugin, TARGET);
        for (cookies, target, is_left) in [
            (&[][..], TARGET, false),
            (&[("cookie", cookie.as_slice())], "10.0.0.2:8080", false),
            (&[("cookie", cookie.as_slice())], TARGET, true),
        ] {
            let stream = plugin.stream();
            stream.request(cookies);
            answered_by(target);
            let answer = stream.response(&[("x-sticky-session-host", b"of the target")]);
            assert_eq!(header(&answer, "x-sticky-session-host").is_some(), is_left, "{mechanism}");
        }
    }
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

fn host_errors() -> u64 {
    host(|host| host.counter("sticky_sessions.host_errors"))
}

fn outcome() -> Option<String> {
    host(|host| host.filter_state.get("sticky_session").cloned())
}

#[test]
fn a_call_that_fails_is_counted_each_time_and_warned_of_once() {
    let plugin = plugin(KEYS);
    let cookie = cookie_of(&plugin, TARGET);
    assert!(!host(|host| host.counters.iter().any(|(name, _)| name.ends_with("host_errors"))));
    host(|host| host.failing = vec!["proxy_replace_header_map_value"]);
    for count in 1..=3 {
        plugin.stream().request(&[("cookie", &cookie)]);
        assert_eq!(host_errors(), count);
    }
    assert_eq!(
        logged(LogLevel::Warn),
        [
            "a call of Envoy failed: proxy_replace_header_map_value: status 10, internal failure; more failures of it are only \
          counted, in sticky_sessions.host_errors"
        ]
    );
    assert_eq!(host(|host| host.counters.iter().filter(|(name, _)| name.ends_with("host_errors")).count()), 1);
}

#[test]
fn failures_that_cannot_be_counted_are_counted_later() {
    let plugin = plugin(KEYS);
    let cookie = cookie_of(&plugin, TARGET);
    host(|host| host.failing = vec!["proxy_replace_header_map_value", "proxy_define_metric"]);
    plugin.stream().request(&[("cookie", &cookie)]);
    assert_eq!((host_errors(), logged(LogLevel::Warn).len()), (0, 2));
    host(|host| host.failing = vec!["proxy_replace_header_map_value"]);
    plugin.stream().request(&[("cookie", &cookie)]);
    assert_eq!((host_errors(), logged(LogLevel::Warn).len()), (2, 2));
}

#[test]
fn without_shared_data_each_worker_warns() {
    let plugin = plugin(KEYS);
    let cookie = cookie_of(&plugin, TARGET);
    host(|host| host.failing = vec!["proxy_replace_header_map_value", "proxy_set_shared_data"]);
    for _ in 0..2 {
        plugin.stream().request(&[("cookie", &cookie)]);
    }
    assert_eq!(logged(LogLevel::Warn).len(), 2);
}

#[test]
fn a_request_whose_pin_envoy_does_not_take_has_no_outcome_and_its_client_keeps_its_cookie() {
    let plugin = plugin(KEYS);
    let cookie = cookie_of(&plugin, TARGET);
    host(|host| {
        host.failing = vec!["proxy_replace_header_map_value"];
        host.filter_state.clear();
    });
    let stream = plugin.stream();
    assert!(header(&stream.request(&[("cookie", &cookie)]), "x-sticky-session-host").is_none());
    assert_eq!(outcome(), None);
    answered_by("10.0.0.2:8080");
    // As stateful_session, which was told no target and names the one that it took.
    assert!(stream.response(&[("x-sticky-session-host", b"MTAuMC4wLjI6ODA4MA==")]).is_empty());
    stream.end();
    assert_eq!(outcome(), None);
    assert_eq!(["pinned", "moved", "no_cookie", "issued"].map(counted), [0, 0, 1, 1]);
    host(|host| host.failing.clear());
    let headers = plugin.stream().request(&[("cookie", &cookie)]);
    assert_eq!(header(&headers, "x-sticky-session-host"), Some(b"MTAuMC4wLjE6ODA4MA==".as_slice()));
    assert_eq!(outcome().as_deref(), Some("pinned"));
}

#[test]
fn a_request_whose_target_group_envoy_does_not_take_is_sent_to_no_target_of_it() {
    let plugin = plugin(&REPICK.replace("repick", "fail"));
    let stream = plugin.stream();
    stream.request(&[]);
    answered_by(TARGET);
    let answer = stream.response(&[]);
    let pairs = answer.iter().map(|(_, line)| line.split(|&byte| byte == b';').next().unwrap());
    let cookies = pairs.collect::<Vec<_>>().join(&b"; "[..]);
    assert!(group_header(&plugin.stream().request(&[("cookie", &cookies)])).is_some());
    host(|host| host.failing = vec!["proxy_replace_header_map_value"]);
    let headers = plugin.stream().request(&[("cookie", &cookies)]);
    assert_eq!((group_header(&headers), header(&headers, "x-sticky-session-host")), (None, None));
    assert_eq!(host_errors(), 1);
}

#[test]
fn where_envoy_does_not_say_whether_it_names_a_target_the_header_is_removed_and_nothing_is_said_of_it() {
    let plugin = plugin(KEYS);
    let cookie = cookie_of(&plugin, TARGET);
    host(|host| host.failing = vec!["proxy_get_header_map_value"]);
    let answer = moved(&plugin, &cookie, &[("x-sticky-session-host", b"MTAuMC4wLjI6ODA4MA==")]);
    assert!(header(&answer, "x-sticky-session-host").is_none());
    assert_eq!((counted("moved"), counted("pinned"), host_errors()), (1, 0, 1));
    assert!(!logged(LogLevel::Warn).contains(&UNSEEN.to_owned()));
}

#[test]
fn a_target_group_that_cannot_be_asked_counts_as_healthy() {
    for function in ["proxy_set_effective_context", "proxy_http_call"] {
        let plugin = plugin(REPICK);
        let before = host_errors();
        host(|host| host.failing = vec![function]);
        assert_eq!(group_header(&plugin.stream().request(&[])), None, "{function}");
        assert!(host_errors() > before, "{function}");
        assert!(host(|host| host.requests.is_empty()), "{function}");
        host(|host| host.failing.clear());
    }
}
