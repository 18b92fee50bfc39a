//! Clusters in which the request names its target, and routes that other filters change.

use super::*;

const ALL: &str =
    r#"{"target_groups": {"*": {}}, "keys": [{"id": "a", "secret": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}]}"#;
const CLUSTER_METADATA: &str = "xds.cluster_metadata.filter_metadata.sticky_sessions.enabled";
const SECOND: u64 = 1_000_000_000;

/// Returns true if the answer to a request with these headers has a cookie.
fn is_sticky(plugin: &Plugin, headers: &[(&str, &[u8])]) -> bool {
    let stream = plugin.stream();
    stream.request(headers);
    answered_by(TARGET);
    let answer = stream.response(&[]);
    stream.end();
    header(&answer, "set-cookie").is_some()
}

fn asked_for(path: &str) -> usize {
    host(|host| host.asked_for.iter().filter(|asked| *asked == path).count())
}

fn cluster_says(enabled: &[u8]) {
    host(|host| host.properties.insert(CLUSTER_METADATA.to_owned(), enabled.to_vec()));
}

#[test]
fn the_metadata_of_a_cluster_turns_stickiness_off() {
    for (enabled, sticky) in
        [(&[0][..], false), (b"false", false), (&[1], true), (b"true", true), (b"", true), (b"maybe", true)]
    {
        cluster_says(enabled);
        assert_eq!(is_sticky(&plugin(ALL), &[]), sticky, "{enabled:?}");
    }
    assert_eq!(
        logged(LogLevel::Warn),
        ["the metadata of a cluster: sticky_sessions.enabled is not true or false"],
        "{:?}",
        logged(LogLevel::Warn)
    );
}

#[test]
fn the_metadata_of_a_cluster_is_asked_for_once_a_minute() {
    let plugin = plugin(ALL);
    for (seconds, times) in [(0, 1), (59, 1), (1, 2), (60, 3)] {
        host(|host| host.now += seconds * SECOND);
        for _ in 0..10 {
            is_sticky(&plugin, &[]);
        }
        assert_eq!(asked_for(CLUSTER_METADATA), times);
    }
    cluster_says(&[0]);
    assert!(is_sticky(&plugin, &[]));
    host(|host| host.now += 60 * SECOND);
    assert!(!is_sticky(&plugin, &[]));
}

#[test]
fn the_metadata_of_a_cluster_that_is_not_sticky_is_not_asked_for() {
    let plugin = plugin(r#"{"target_groups": {"api": {}}}"#);
    assert!(!is_sticky(&plugin, &[]));
    assert_eq!(asked_for(CLUSTER_METADATA), 0);
}

#[test]
fn the_metadata_of_many_clusters_is_remembered_for_as_many_as_there_are_places() {
    let plugin = plugin(ALL);
    for _ in 0..2 {
        for number in 0..3_000 {
            set("xds.cluster_name", &format!("group-{number}"));
            is_sticky(&plugin, &[]);
        }
    }
    let asked = asked_for(CLUSTER_METADATA);
    assert!((5_000..6_000).contains(&asked), "{asked}");
}

#[test]
fn istios_passthrough_clusters_are_sticky_only_where_the_configuration_names_them() {
    let named = ALL.replace(r#""*""#, r#""*": {}, "PassthroughCluster""#);
    for name in ["PassthroughCluster", "InboundPassthroughCluster", "InboundPassthroughClusterIpv6", "BlackHoleCluster"]
    {
        set("xds.cluster_name", "web");
        let all = plugin(ALL);
        let some = plugin(&named);
        set("xds.cluster_name", name);
        assert!(!is_sticky(&all, &[]), "{name}");
        assert_eq!(is_sticky(&some, &[]), name == "PassthroughCluster", "{name}");
    }
}

#[test]
fn a_request_that_names_its_target_is_not_sticky() {
    let plugin = plugin(KEYS);
    let cookie = cookie_of(&plugin, TARGET);
    let headers: [(&str, &[u8]); 2] = [("x-envoy-original-dst-host", b"10.0.0.9:80"), ("cookie", &cookie)];
    let stream = plugin.stream();
    assert!(header(&stream.request(&headers), "x-sticky-session-host").is_none());
    assert!(!is_sticky(&plugin, &headers));
    assert_eq!((counted("no_cookie"), counted("pinned")), (1, 0));
}

/// The number of hosts of the cluster.
fn hosts(number: u64) {
    host(|host| host.properties.insert("upstream.num_endpoints".to_owned(), number.to_le_bytes().to_vec()));
}

/// A request that comes when the cluster has so many hosts, and whose answer finds so many. Returns true if it was given a cookie.
fn with_hosts(plugin: &Plugin, before: u64, after: u64) -> bool {
    hosts(before);
    let stream = plugin.stream();
    stream.request(&[]);
    hosts(after);
    answered_by(TARGET);
    let answer = stream.response(&[("x-sticky-session-host", b"leak")]);
    stream.end();
    assert!(header(&answer, "x-sticky-session-host").is_none());
    header(&answer, "set-cookie").is_some()
}

#[test]
fn a_cluster_that_makes_a_host_of_its_first_request_is_not_sticky_in_any_worker() {
    let first = plugin(ALL);
    host(|host| host.logs.clear());
    assert!(!with_hosts(&first, 0, 1));
    assert!(!with_hosts(&first, 1, 2));
    assert_eq!(counted("no_cookie"), 0);
    // Another plugin finds the mark that the first has stored, as another worker does.
    assert!(!with_hosts(&plugin(ALL), 2, 2));
    assert_eq!(logged(LogLevel::Warn).len(), 1);
    assert!(logged(LogLevel::Warn)[0].starts_with("the cluster \"web\" makes hosts of requests"));
    host(|host| host.now += 3_600 * SECOND);
    assert!(!with_hosts(&first, 2, 2));
}

#[test]
fn a_cluster_whose_last_host_answers_while_it_is_removed_stays_sticky() {
    let plugin = plugin(ALL);
    assert!(with_hosts(&plugin, 0, 0));
    assert!(with_hosts(&plugin, 1, 1));
}

#[test]
fn a_cluster_whose_hosts_answer_although_envoy_counts_none_is_asked_for_their_number_once_a_minute() {
    let plugin = plugin(ALL);
    assert!(with_hosts(&plugin, 0, 0));
    // One question with the request and one with the answer.
    assert_eq!(asked_for("upstream.num_endpoints"), 2);
    assert!(with_hosts(&plugin, 0, 0));
    assert_eq!(asked_for("upstream.num_endpoints"), 2);
    host(|host| host.now += 60 * SECOND);
    assert!(with_hosts(&plugin, 0, 0));
    assert_eq!(asked_for("upstream.num_endpoints"), 4);
}

#[test]
fn a_cluster_that_is_filled_with_hosts_that_have_a_locality_stays_sticky() {
    let plugin = plugin(ALL);
    for (locality, stays_sticky) in [("region/zone/", true), ("", false)] {
        set("upstream.locality", locality);
        set("xds.cluster_name", &format!("filled {stays_sticky}"));
        assert_eq!(with_hosts(&plugin, 0, 2), stays_sticky);
        assert_eq!(with_hosts(&plugin, 2, 2), stays_sticky);
    }
}

#[test]
fn a_cluster_that_has_had_hosts_is_not_judged_by_their_number_for_a_minute() {
    let plugin = plugin(ALL);
    assert!(with_hosts(&plugin, 1, 1));
    assert!(with_hosts(&plugin, 0, 1));
    assert_eq!(asked_for("upstream.num_endpoints"), 1);
}

#[test]
fn a_cluster_that_the_configuration_names_is_not_judged_by_the_number_of_its_hosts() {
    let plugin = plugin(&ALL.replace(r#""*""#, r#""*": {}, "web""#));
    assert!(with_hosts(&plugin, 0, 1));
    assert_eq!(asked_for("upstream.num_endpoints"), 0);
}

#[test]
fn where_envoy_itself_answers_a_cluster_without_hosts_is_not_judged() {
    let plugin = plugin(ALL);
    hosts(0);
    let stream = plugin.stream();
    stream.request(&[]);
    hosts(1);
    set("response.code_details", "no_healthy_upstream");
    stream.response(&[]);
    stream.end();
    assert!(with_hosts(&plugin, 1, 1));
    assert_eq!(counted("no_cookie"), 2);
}

/// A request that Envoy shows as one for `shown`, and that `answered` answers. Returns true if it was given a cookie.
fn rerouted(plugin: &Plugin, shown: &str, answered: &str) -> bool {
    set("xds.cluster_name", shown);
    let stream = plugin.stream();
    stream.request(&[]);
    set("xds.cluster_name", answered);
    answered_by(TARGET);
    let answer = stream.response(&[]);
    stream.end();
    header(&answer, "set-cookie").is_some()
}

const CHANGED: &str = "Envoy showed a route to the cluster \"web\", and another route, to \"api\", answered: another filter changes routes, so \
                       such requests are not sticky. Put that filter before this one, and between them one that asks for the \
                       route (docs/deployment.md, Filters that change the route)";

#[test]
fn a_session_of_another_target_group_than_was_shown_is_neither_sealed_nor_counted_and_one_warning_says_so() {
    let plugin = plugin(ALL);
    for _ in 0..3 {
        assert!(!rerouted(&plugin, "web", "api"));
    }
    assert_eq!(logged(LogLevel::Warn), [CHANGED]);
    let counted: u64 = host(|host| host.counters.iter().map(|(_, value)| value).sum());
    assert_eq!(counted, 0);
    // A request that was shown right goes on.
    assert!(rerouted(&plugin, "web", "web"));
}

#[test]
fn a_target_group_that_is_shown_as_one_that_is_not_sticky_is_warned_of() {
    let plugin = plugin(r#"{"target_groups": {"api": {}, "web": {"stickiness": {"enabled": false}}}}"#);
    host(|host| host.logs.clear());
    for _ in 0..200 {
        rerouted(&plugin, "web", "other");
        rerouted(&plugin, "web", "web");
    }
    assert!(logged(LogLevel::Warn).is_empty());
    for _ in 0..200 {
        assert!(!rerouted(&plugin, "web", "api"));
    }
    assert_eq!(logged(LogLevel::Warn), [CHANGED]);
}

#[test]
fn a_request_that_is_shown_without_a_route_and_answered_by_a_sticky_target_group_is_warned_of() {
    let plugin = plugin(ALL);
    unset("xds.cluster_name");
    let stream = plugin.stream();
    stream.request(&[]);
    set("xds.cluster_name", "api");
    answered_by(TARGET);
    stream.response(&[]);
    assert_eq!(logged(LogLevel::Warn), [CHANGED.replace("web", "")]);
}

#[test]
fn the_answers_to_few_sessions_are_compared_until_a_change_is_seen() {
    let plugin = plugin(ALL);
    let asked = |shown, answered| {
        let before = asked_for("xds.cluster_name");
        for _ in 0..160 {
            rerouted(&plugin, shown, answered);
        }
        asked_for("xds.cluster_name") - before - 160
    };
    assert_eq!(asked("web", "web"), 10);
    asked("web", "api");
    assert_eq!(asked("web", "web"), 160);
}

#[test]
fn where_there_is_one_target_group_only_no_answer_is_compared() {
    let plugin = plugin(r#"{"upstream": {"only_target_group": "web"}}"#);
    for _ in 0..100 {
        assert!(rerouted(&plugin, "web", "api"));
    }
    assert_eq!(asked_for("xds.cluster_name"), 0);
}

#[test]
fn a_session_under_the_settings_of_another_route_than_was_shown_is_neither_sealed_nor_counted() {
    let policies = KEYS.replacen('{', r#"{"policies": {"named": {"cookie": {"name": "NAMED"}}}, "#, 1);
    let plugin = plugin(&policies);
    let answered_under = |policy: &[u8]| {
        route_says(&[("policy", b"named")]);
        let stream = plugin.stream();
        stream.request(&[]);
        route_says(&[("policy", policy)]);
        answered_by(TARGET);
        let answer = stream.response(&[]);
        stream.end();
        header(&answer, "set-cookie").is_some()
    };
    assert!(answered_under(b"named"));
    for _ in 0..32 {
        answered_under(b"other");
    }
    assert_eq!(logged(LogLevel::Warn), [CHANGED.replace("api", "web")]);
    assert!(!answered_under(b"other"));
    assert!(answered_under(b"named"));
}

#[test]
fn a_target_group_that_is_shown_as_one_that_is_not_sticky_is_warned_of_where_routes_choose_too() {
    let plugin = plugin(r#"{"target_groups": {"api": {}}, "policies": {}}"#);
    host(|host| host.logs.clear());
    for _ in 0..64 {
        assert!(!rerouted(&plugin, "web", "api"));
    }
    assert_eq!(logged(LogLevel::Warn), [CHANGED]);
}
