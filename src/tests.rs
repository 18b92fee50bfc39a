//! The filter on a host of our own, which does what a real Envoy cannot be made to do.

mod failing_host;
mod native_host;
mod pin_watch;
mod routes;
mod two_instances;

use proxy_wasm::types::{LogLevel, Status};

use native_host::{Headers, Plugin, host, serialized};

const TARGET: &str = "10.0.0.1:8080";
const KEYS: &str = r#"{"keys": [{"id": "a", "secret": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}]}"#;

fn set(path: &str, value: &str) {
    host(|host| host.properties.insert(path.to_owned(), value.into()));
}

fn unset(path: &str) {
    host(|host| host.properties.remove(path));
}

fn answered_by(target: &str) {
    set("response.code_details", "via_upstream");
    set("upstream.address", target);
}

const ROUTE_METADATA: &str = "xds.route_metadata.filter_metadata.sticky_sessions";

fn route_says(metadata: &[(&str, &[u8])]) {
    let map = metadata.iter().map(|(key, value)| ((*key).to_owned(), value.to_vec())).collect();
    host(|host| host.properties.insert(ROUTE_METADATA.to_owned(), serialized(&map)));
}

fn plugin(configuration: &str) -> Plugin {
    let plugin = Plugin::start();
    host(|host| host.now = 1_700_000_000_000_000_000);
    set("xds.cluster_name", "web");
    assert!(plugin.configure(configuration));
    plugin
}

fn header<'a>(headers: &'a Headers, name: &str) -> Option<&'a [u8]> {
    headers.iter().find(|(present, _)| present == name).map(|(_, value)| value.as_slice())
}

fn counted(outcome: &str) -> u64 {
    host(|host| host.counter(&format!("sticky_sessions.target_group.web.{outcome}")))
}

fn logged(level: LogLevel) -> Vec<String> {
    host(|host| {
        let lines = host.logs.iter().filter(|(of, _)| *of as u32 == level as u32);
        lines.map(|(_, line)| line.clone()).collect()
    })
}

/// The `Cookie` line of a client that has been answered by `target`.
fn cookie_of(plugin: &Plugin, target: &str) -> Vec<u8> {
    let stream = plugin.stream();
    stream.request(&[]);
    answered_by(target);
    let answer = stream.response(&[]);
    stream.end();
    let line = header(&answer, "set-cookie").unwrap();
    line.split(|&byte| byte == b';').next().unwrap().to_vec()
}

#[test]
fn a_client_returns_to_the_target_that_answered() {
    let plugin = plugin(KEYS);
    let cookie = cookie_of(&plugin, TARGET);
    let headers = plugin.stream().request(&[("cookie", &cookie)]);
    assert_eq!(header(&headers, "x-sticky-session-host"), Some(b"MTAuMC4wLjE6ODA4MA==".as_slice()));
}

#[test]
fn no_two_cookies_are_sealed_with_one_nonce() {
    let plugin = plugin(KEYS);
    let nonce = |target| {
        let cookie = cookie_of(&plugin, target);
        let value = cookie.strip_prefix(b"AWSALB=").unwrap();
        // After the version and the name of the key, which are 5 bytes.
        data_encoding::BASE64_NOPAD.decode(value).unwrap()[5..29].to_vec()
    };
    let nonces = ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"].map(nonce);
    assert!(nonces[0] != nonces[1] && nonces[1] != nonces[2] && nonces[0] != nonces[2], "{nonces:?}");
}

#[test]
fn an_answer_without_a_request_disturbs_nothing() {
    let plugin = plugin(KEYS);
    answered_by(TARGET);
    let headers = plugin.stream().response(&[("x-sticky-session-host", b"leak"), ("a", b"b")]);
    assert_eq!(headers, [("a".to_owned(), b"b".to_vec())]);
}

#[test]
fn a_second_answer_of_one_request_is_neither_counted_nor_given_cookies() {
    let plugin = plugin(KEYS);
    let stream = plugin.stream();
    stream.request(&[]);
    answered_by(TARGET);
    assert_eq!(stream.response(&[]).len(), 2);
    assert!(stream.response(&[]).is_empty());
    assert_eq!(counted("no_cookie"), 1);
}

#[test]
fn a_target_without_an_address_gives_no_cookie() {
    let plugin = plugin(KEYS);
    let stream = plugin.stream();
    stream.request(&[]);
    answered_by(TARGET);
    unset("upstream.address");
    assert!(stream.response(&[]).is_empty());
    assert_eq!((counted("no_cookie"), counted("issued")), (1, 0));
}

#[test]
fn a_request_that_is_routed_nowhere_is_not_sticky_and_still_loses_our_headers() {
    let plugin = plugin(KEYS);
    let cookie = cookie_of(&plugin, TARGET);
    unset("xds.cluster_name");
    let headers = plugin.stream().request(&[("cookie", &cookie), ("x-sticky-session-group", b"blue")]);
    assert_eq!(headers, [("cookie".to_owned(), cookie)]);
}

#[test]
fn a_client_that_names_a_target_group_is_served_as_if_it_had_not() {
    let plugin = plugin(KEYS);
    let cookie = cookie_of(&plugin, TARGET);
    let stream = plugin.stream();
    let headers = stream.request(&[("cookie", &cookie), ("x-sticky-session-group", b"api")]);
    assert!(header(&headers, "x-sticky-session-group").is_none());
    assert!(header(&headers, "x-sticky-session-host").is_some());
}

#[test]
fn a_target_group_whose_name_is_no_text_is_not_sticky() {
    let plugin = plugin(KEYS);
    host(|host| host.properties.insert("xds.cluster_name".into(), vec![0xff]));
    let stream = plugin.stream();
    stream.request(&[]);
    answered_by(TARGET);
    assert!(stream.response(&[]).is_empty());
}

#[test]
fn before_any_configuration_our_headers_are_removed_all_the_same() {
    let plugin = Plugin::start();
    let stream = plugin.stream();
    assert!(stream.request(&[("x-sticky-session-host", b"MTAuMC4wLjE6ODA4MA==")]).is_empty());
    assert!(stream.response(&[]).is_empty());
    stream.end();
}

#[test]
fn a_stream_that_ends_without_an_answer_is_counted_once() {
    let plugin = plugin(KEYS);
    let stream = plugin.stream();
    stream.request(&[]);
    assert_eq!(counted("no_cookie"), 0);
    stream.end();
    assert_eq!(counted("no_cookie"), 1);
}

/// A plugin whose worker is busy, and a client of it.
fn busy_plugin(configuration: &str) -> (Plugin, Vec<u8>) {
    let plugin = plugin(configuration);
    let cookie = cookie_of(&plugin, TARGET);
    be_busy(&plugin);
    (plugin, cookie)
}

/// A period with many requests to another target group.
fn be_busy(plugin: &Plugin) {
    set("xds.cluster_name", "other");
    for _ in 0..260 {
        cookie_of(plugin, TARGET);
    }
    plugin.tick();
    set("xds.cluster_name", "web");
}

#[test]
fn a_busy_worker_tells_what_it_has_counted_with_the_next_tick() {
    let (plugin, cookie) = busy_plugin(KEYS);
    for _ in 0..10 {
        let stream = plugin.stream();
        stream.request(&[("cookie", &cookie)]);
        stream.response(&[]);
        stream.end();
    }
    assert_eq!((counted("pinned"), counted("issued")), (0, 1));
    plugin.tick();
    assert_eq!((counted("pinned"), counted("issued")), (10, 11));
}

#[test]
fn a_worker_that_is_not_busy_tells_at_once_what_it_counts() {
    let plugin = plugin(KEYS);
    for count in 1..=10 {
        cookie_of(&plugin, TARGET);
        assert_eq!((counted("no_cookie"), counted("issued")), (count, count));
        host(|host| host.now += 40_000_000);
    }
    assert_eq!(host(|host| host.tick_period), 0);
}

#[test]
fn a_worker_that_is_not_busy_any_more_stops_ticking_and_tells_at_once_what_it_counts() {
    let (plugin, _) = busy_plugin(KEYS);
    assert_eq!(host(|host| host.tick_period), 50);
    plugin.tick();
    assert_eq!(host(|host| host.tick_period), 0);
    cookie_of(&plugin, TARGET);
    assert_eq!((counted("no_cookie"), counted("issued")), (2, 2));
}

#[test]
fn a_plugin_that_is_replaced_loses_no_count() {
    let (plugin, _) = busy_plugin(KEYS);
    cookie_of(&plugin, TARGET);
    assert_eq!(counted("issued"), 1);
    plugin.end();
    assert_eq!(counted("issued"), 2);
}

#[test]
fn a_busy_worker_reads_the_clock_with_every_tick() {
    let (plugin, cookie) = busy_plugin(KEYS);
    let is_pinned = || header(&plugin.stream().request(&[("cookie", &cookie)]), "x-sticky-session-host").is_some();
    host(|host| host.now += 86_400_000_000_000);
    assert!(is_pinned());
    be_busy(&plugin);
    assert!(!is_pinned());
}

#[test]
fn a_worker_that_may_not_tick_reads_the_clock_and_counts_with_every_request() {
    let plugin = plugin(KEYS);
    let cookie = cookie_of(&plugin, TARGET);
    for _ in 0..600 {
        cookie_of(&plugin, TARGET);
    }
    assert_eq!(counted("issued"), 601);
    let is_pinned = || header(&plugin.stream().request(&[("cookie", &cookie)]), "x-sticky-session-host").is_some();
    assert!(is_pinned());
    host(|host| host.now += 86_400_000_000_000);
    assert!(!is_pinned());
}

#[test]
fn a_stream_that_was_answered_is_not_counted_again_at_its_end() {
    let plugin = plugin(KEYS);
    let cookie = cookie_of(&plugin, TARGET);
    assert_eq!(counted("no_cookie"), 1);
    let stream = plugin.stream();
    stream.request(&[("cookie", &cookie)]);
    answered_by("10.0.0.2:8080");
    // stateful_session names another target than the pin in this way.
    let answer = stream.response(&[("x-sticky-session-host", b"MTAuMC4wLjI6ODA4MA==")]);
    assert!(header(&answer, "x-sticky-session-host").is_none());
    stream.end();
    assert_eq!((counted("moved"), counted("pinned")), (1, 0));
    assert_eq!(host(|host| host.filter_state["sticky_session"].clone()), "moved");
}

/// A pinned request that another target answers, with these headers.
fn moved(plugin: &Plugin, cookie: &[u8], headers: &[(&str, &[u8])]) -> Headers {
    let stream = plugin.stream();
    stream.request(&[("cookie", cookie)]);
    answered_by("10.0.0.2:8080");
    let answer = stream.response(headers);
    stream.end();
    answer
}

const UNSEEN: &str = "stateful_session has not seen the pin of a request to the target group \"web\", and another target answered: it \
                      is missing, is disabled on the route, reads another header than x-sticky-session-host, or stands before \
                      sticky_sessions in http_filters; place it after sticky_sessions for every route of a sticky target group";

#[test]
fn where_stateful_session_does_not_see_the_pin_the_request_has_moved_and_one_warning_says_so() {
    let plugin = plugin(KEYS);
    let cookie = cookie_of(&plugin, TARGET);
    for _ in 0..2 {
        assert_eq!(moved(&plugin, &cookie, &[]).len(), 2);
    }
    assert_eq!((counted("moved"), counted("pinned")), (2, 0));
    assert_eq!(logged(LogLevel::Warn), [UNSEEN]);
}

#[test]
fn of_a_pin_that_was_seen_or_whose_request_no_target_answered_nothing_is_said() {
    let plugin = plugin(KEYS);
    let cookie = cookie_of(&plugin, TARGET);
    moved(&plugin, &cookie, &[("x-sticky-session-host", b"MTAuMC4wLjI6ODA4MA==")]);
    let stream = plugin.stream();
    stream.request(&[("cookie", &cookie)]);
    // A retry has failed, too.
    set("response.code_details", "upstream_reset_before_response_started{connection_failure}");
    assert!(stream.response(&[]).is_empty());
    unset("upstream.address");
    let stream = plugin.stream();
    stream.request(&[("cookie", &cookie)]);
    assert!(stream.response(&[("x-sticky-session-host", b"leak")]).is_empty());
    assert_eq!((counted("moved"), counted("pinned")), (1, 2));
    assert!(logged(LogLevel::Warn).is_empty());
}

#[test]
fn what_stateful_session_has_named_on_one_route_is_not_believed_on_another() {
    let plugin = plugin(&KEYS.replacen('{', r#"{"cookie": {"renew": "on_change"}, "#, 1));
    let stream = plugin.stream();
    stream.request(&[]);
    answered_by(TARGET);
    let answer = stream.response(&[("x-sticky-session-host", b"MTAuMC4wLjE6ODA4MA==")]);
    let cookie = header(&answer, "set-cookie").unwrap().split(|&byte| byte == b';').next().unwrap().to_vec();
    assert_eq!(moved(&plugin, &cookie, &[]).len(), 2);
    assert_eq!((counted("moved"), counted("pinned")), (1, 0));
}

#[test]
fn a_configuration_that_changes_between_request_and_answer_leaves_the_stream_its_own() {
    let plugin = plugin(KEYS);
    let stream = plugin.stream();
    stream.request(&[]);
    assert!(plugin.configure(r#"{"target_groups": {"web": {"stickiness.enabled": false}}}"#));
    answered_by(TARGET);
    assert_eq!(stream.response(&[]).len(), 2);
}

#[test]
fn a_clock_at_the_epoch_and_one_that_is_set_back_lose_no_request() {
    let plugin = plugin(KEYS);
    host(|host| host.now = 0);
    let cookie = cookie_of(&plugin, TARGET);
    let pinned = |now| {
        host(|host| host.now = now);
        let headers = plugin.stream().request(&[("cookie", &cookie)]);
        header(&headers, "x-sticky-session-host").is_some()
    };
    assert!(pinned(0));
    assert!(!pinned(u64::MAX));
    assert!(pinned(0));
}

#[test]
fn workers_share_the_random_key_and_only_one_warns() {
    let first = plugin("{}");
    let cookie = cookie_of(&first, TARGET);
    // Another plugin of the same host: another worker that finds what the first has stored.
    let second = Plugin::start();
    assert!(second.configure("{}"));
    let headers = second.stream().request(&[("cookie", &cookie)]);
    assert!(header(&headers, "x-sticky-session-host").is_some());
    assert_eq!(
        logged(LogLevel::Warn),
        [
            "no keys in the configuration or in STICKY_SESSIONS_KEYS: cookies are sealed with a random key, 4f39bbd5, which \
          other replicas and a restarted Envoy do not have"
        ]
    );
}

const RANDOM_KEY: &str = "sticky_sessions.random_key";

#[test]
fn a_random_key_that_was_there_already_is_named_in_the_log() {
    plugin("{}");
    let entry = host(|host| host.shared_data[RANDOM_KEY].clone());
    let lines = std::thread::spawn(move || {
        host(|host| host.shared_data.insert(RANDOM_KEY.to_owned(), entry));
        // A listener that is replaced adds no line.
        plugin("{}");
        plugin("{}");
        assert!(logged(LogLevel::Warn).is_empty());
        logged(LogLevel::Info)
    });
    assert_eq!(
        lines.join().unwrap(),
        [
            "the random key 4f39bbd5 was there already; if no line says that it was drawn here, another plugin with the same \
             vm_id has put it there",
            concat!("sticky-sessions ", env!("CARGO_PKG_VERSION"))
        ]
    );
}

#[test]
fn a_value_in_the_place_of_the_random_key_that_is_none_is_replaced_with_a_warning() {
    plugin("{}");
    let (entry, _) = host(|host| host.shared_data[RANDOM_KEY].clone());
    let mut with_another_name = entry.clone();
    *with_another_name.last_mut().unwrap() ^= 1;
    for foreign in [b"short".to_vec(), vec![7; 32], Vec::new(), entry[1..].to_vec(), with_another_name] {
        host(|host| {
            host.shared_data.insert(RANDOM_KEY.to_owned(), (foreign, 7));
            host.logs.clear();
        });
        let here = plugin("{}");
        assert_eq!(host(|host| host.shared_data[RANDOM_KEY].0.len()), entry.len());
        let warnings = logged(LogLevel::Warn);
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        assert!(warnings[0].starts_with("sticky_sessions.random_key in Envoy's shared data is no key of this filter"));
        let cookie = cookie_of(&here, TARGET);
        let headers = plugin("{}").stream().request(&[("cookie", &cookie)]);
        assert!(header(&headers, "x-sticky-session-host").is_some());
    }
}

#[test]
fn a_random_key_in_the_shared_data_of_everybody_is_warned_of() {
    set("plugin_vm_id", "");
    plugin(KEYS);
    assert!(logged(LogLevel::Warn).is_empty());
    plugin("{}");
    assert_eq!(
        logged(LogLevel::Warn)[0],
        "no vm_id in vm_config: every other wasm plugin without a vm_id can read and replace the random key; set vm_id: \
         sticky_sessions"
    );
    host(|host| host.logs.clear());
    set("plugin_vm_id", "sticky_sessions");
    plugin("{}");
    assert!(logged(LogLevel::Warn).is_empty());
}

#[test]
fn the_version_is_logged_once_by_all_workers() {
    plugin(KEYS);
    plugin(KEYS);
    assert_eq!(logged(LogLevel::Info), [concat!("sticky-sessions ", env!("CARGO_PKG_VERSION"))]);
}

#[test]
fn a_wrong_configuration_is_refused_with_one_line() {
    let plugin = Plugin::start();
    assert!(!plugin.configure(r#"{"target_groups": {"web": {"stickiness.type": "lb_cokie"}}}"#));
    assert_eq!(
        logged(LogLevel::Error),
        ["target_groups.web.stickiness.type: \"lb_cokie\" is not one of lb_cookie, app_cookie, classic_lb_cookie, \
          classic_app_cookie; did you mean lb_cookie?"]
    );
}

#[test]
fn a_wrong_configuration_leaves_the_one_before_it_in_force() {
    let plugin = plugin(KEYS);
    let cookie = cookie_of(&plugin, TARGET);
    assert!(!plugin.configure("[]"));
    let headers = plugin.stream().request(&[("cookie", &cookie)]);
    assert!(header(&headers, "x-sticky-session-host").is_some());
}

#[test]
fn target_groups_beyond_a_thousand_are_counted_together() {
    let plugin = plugin(KEYS);
    for number in 0..1_100 {
        set("xds.cluster_name", &format!("group-{number}"));
        let stream = plugin.stream();
        stream.request(&[]);
        stream.end();
    }
    assert_eq!(host(|host| host.counter("sticky_sessions.target_group._others.no_cookie")), 100);
    assert!(host(|host| host.counters.len()) <= 1_001 * 8);
}

/// Requests to so many target groups. Returns the number of those that are counted together.
fn counted_together(target_groups: u64) -> u64 {
    let plugin = plugin(KEYS);
    for number in 0..target_groups {
        set("xds.cluster_name", &format!("group-{number}"));
        let stream = plugin.stream();
        stream.request(&[]);
        stream.end();
    }
    let count = |name: &str| host(|host| host.counter(&format!("sticky_sessions.target_group.{name}.no_cookie")));
    let own: u64 = (0..target_groups).map(|number| count(&format!("group-{number}"))).sum();
    let together = count("_others");
    assert_eq!(own + together, target_groups);
    together
}

#[test]
fn a_target_group_that_other_workers_count_with_the_others_is_counted_so_here_too() {
    let mut list = None;
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            counted_together(999);
            host(|host| host.shared_data["sticky_sessions.counted_groups"].clone())
        });
        list = worker.join().ok();
    });
    host(|host| host.shared_data.insert("sticky_sessions.counted_groups".to_owned(), list.unwrap()));
    // This worker has had no request, and there is room for one more.
    assert_eq!(counted_together(1_010), 10);
}

#[test]
fn a_foreign_list_of_counted_target_groups_leaves_the_limit_and_the_filter_alone() {
    for (list, together) in [(vec![1; 7], 0), (vec![1; 8_001], 50), (vec![1; 1_000_000], 50)] {
        let worker = std::thread::spawn(move || {
            host(|host| host.shared_data.insert("sticky_sessions.counted_groups".to_owned(), (list, 1)));
            assert_eq!(counted_together(50), together);
        });
        worker.join().unwrap();
    }
}

#[test]
fn over_an_encrypted_connection_the_twin_is_secure() {
    let plugin = plugin(KEYS);
    set("connection.tls_version", "TLSv1.3");
    let stream = plugin.stream();
    stream.request(&[]);
    answered_by(TARGET);
    let answer = stream.response(&[]);
    assert!(answer[1].1.ends_with(b"; Path=/; SameSite=None; Secure"));
}

#[test]
fn two_cookies_that_are_made_anew_ask_for_tls_once() {
    let plugin = plugin(KEYS);
    let stream = plugin.stream();
    stream.request(&[("x-forwarded-proto", b"https")]);
    answered_by(TARGET);
    assert_eq!(stream.response(&[]).len(), 2);
    let asked = |property: &str| host(|host| host.asked_for.iter().filter(|path| *path == property).count());
    assert_eq!([asked("connection.tls_version"), asked("upstream.address")], [1, 1]);
}

const REPICK: &str = r#"{
    "keys": [{"id": "a", "secret": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}],
    "rules": [{"target_groups": ["web", "green"], "target_group_stickiness": {"duration_seconds": 60},
        "on_empty_group": "repick"}]}"#;

fn group_header(headers: &Headers) -> Option<&[u8]> {
    header(headers, "x-sticky-session-group")
}

#[test]
fn a_target_group_to_which_envoy_sends_nothing_is_left_for_another() {
    for of_web in [Some(Status::InternalFailure), None] {
        let plugin = plugin(REPICK);
        host(|host| {
            host.clusters = [("green".to_owned(), Status::Ok)].into();
            host.clusters.extend(of_web.map(|status| ("web".to_owned(), status)));
        });
        assert_eq!(group_header(&plugin.stream().request(&[])), Some(b"green".as_slice()));
    }
}

#[test]
fn a_question_to_a_target_group_belongs_to_the_plugin_and_its_answer_may_come_when_the_stream_is_gone() {
    let plugin = plugin(REPICK);
    host(|host| host.clusters = [("web".to_owned(), Status::Ok)].into());
    let stream = plugin.stream();
    assert_eq!(group_header(&stream.request(&[])), None);
    assert_eq!(host(|host| host.requests.clone()), [(plugin.context(), "web".to_owned())]);
    stream.end();
    plugin.answer_to_request();
    assert_eq!(counted("no_cookie"), 1);
}

#[test]
fn after_an_answer_without_a_healthy_target_envoy_is_asked_whether_the_target_group_is_empty() {
    for (status, group) in [(Status::Ok, None), (Status::InternalFailure, Some(b"green".as_slice()))] {
        let plugin = plugin(REPICK);
        host(|host| host.clusters = [("web".to_owned(), Status::Ok), ("green".to_owned(), Status::Ok)].into());
        let stream = plugin.stream();
        stream.request(&[]);
        set("response.code_details", "no_healthy_upstream");
        assert!(stream.response(&[]).is_empty());
        host(|host| host.clusters.insert("web".to_owned(), status));
        assert_eq!(group_header(&plugin.stream().request(&[])), group);
    }
}

#[test]
fn a_route_that_chooses_nothing_readable_chooses_nothing() {
    let plugin = plugin(&KEYS.replacen('{', r#"{"policies": {}, "#, 1));
    let is_sticky = |plugin: &Plugin| {
        let stream = plugin.stream();
        stream.request(&[]);
        answered_by(TARGET);
        !stream.response(&[]).is_empty()
    };
    assert!(is_sticky(&plugin));
    for odd in [b"".as_slice(), b"0", b"no", &[2], &[0, 0]] {
        route_says(&[("policy", b"\xff"), ("enabled", odd)]);
        assert!(is_sticky(&plugin), "{odd:?}");
    }
    for off in [b"false".as_slice(), &[0]] {
        // The number 5, as bytes of Envoy.
        route_says(&[("enabled", off), ("policy", &5_f64.to_le_bytes())]);
        assert!(!is_sticky(&plugin), "{off:?}");
    }
    assert_eq!(
        logged(LogLevel::Warn),
        [
            "the metadata of a route: sticky_sessions.policy is not the name of a policy",
            "the metadata of a route: sticky_sessions.enabled is not true or false",
        ]
    );
}

#[test]
fn a_map_that_is_cut_anywhere_chooses_nothing() {
    let plugin = plugin(&KEYS.replacen('{', r#"{"policies": {}, "#, 1));
    let whole = serialized(&vec![("enabled".to_owned(), b"false".to_vec())]);
    for length in 0..whole.len() {
        host(|host| host.properties.insert(ROUTE_METADATA.to_owned(), whole[..length].to_vec()));
        let stream = plugin.stream();
        stream.request(&[]);
        answered_by(TARGET);
        assert_eq!(stream.response(&[]).len(), 2, "{length}");
    }
}

#[test]
fn a_policy_that_nobody_configured_is_warned_of_once() {
    let plugin = plugin(&KEYS.replacen('{', r#"{"policies": {}, "#, 1));
    route_says(&[("policy", b"shrot")]);
    plugin.stream().request(&[]);
    plugin.stream().request(&[]);
    assert_eq!(logged(LogLevel::Warn), ["a route chooses the policy \"shrot\", which is not under policies"]);
}

#[test]
fn what_browsers_would_reject_is_warned_of_once_by_all_workers() {
    let configuration = KEYS.replacen('{', r#"{"cookie": {"secure": "never"}, "#, 1);
    plugin(&configuration);
    plugin(&configuration);
    assert_eq!(logged(LogLevel::Warn).len(), 1);
}

#[test]
fn an_application_that_sets_bytes_that_are_no_text_is_followed() {
    let plugin = plugin(
        r#"{"target_groups": {"web": {"stickiness": {"type": "app_cookie", "app_cookie": {"cookie_name": "sid"}}}}}"#,
    );
    let stream = plugin.stream();
    stream.request(&[]);
    answered_by(TARGET);
    let answer = stream.response(&[("set-cookie", b"other=1"), ("set-cookie", b"sid=\xff\xfe")]);
    assert_eq!(answer.len(), 3);
    assert!(answer[2].1.starts_with(b"AWSALBAPP-0="));
}

#[test]
fn where_there_is_one_target_group_only_nobody_asks_envoy_for_it() {
    let plugin = plugin(&KEYS.replacen('{', r#"{"upstream.only_target_group": "web", "#, 1));
    unset("xds.cluster_name");
    let cookie = cookie_of(&plugin, TARGET);
    let headers = plugin.stream().request(&[("cookie", &cookie)]);
    assert!(header(&headers, "x-sticky-session-host").is_some());
    assert_eq!(counted("issued"), 1);
}
