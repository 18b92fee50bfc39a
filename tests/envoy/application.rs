//! Application-based stickiness, which follows the application's own cookie.

use local_envoy::{Config, Plugin};
use serde_json::{Value, json};

use stickiness::outcome::Outcome;
use stickiness::trust::key_ring::CookieKind;

use harness::{
    Client, KEY, LoadBalancer, OTHER_KEY, Replaceable, Response, Setup, add_group, counted, fetch, fetch_over_tls,
    forge_as, over_tls, setting, wait_until,
};

use crate::pool::{self, Pooled};
use crate::steps::{has_not_crashed, login, logout, outlive_the_first_cookie, unpinned};

/// The configuration of a target group that follows the application's cookie of this name.
fn following(cookie_name: &str, duration_seconds: u64) -> Value {
    json!({ "stickiness": {
        "type": "app_cookie",
        "app_cookie": { "cookie_name": cookie_name, "duration_seconds": duration_seconds }
    } })
}

/// A load balancer whose `web` follows `JSESSIONID` for so many seconds, with its listener edited.
#[track_caller]
fn edited(duration_seconds: u64, edit: &dyn Fn(&mut Config)) -> Pooled {
    let plugin = Plugin::Struct(json!({ "target_groups": { "web": following("JSESSIONID", duration_seconds) } }));
    pool::start(&Setup { plugin: Some(plugin), edit, ..Setup::default() })
}

/// A load balancer whose `web` follows `JSESSIONID` for a minute.
#[track_caller]
fn load_balancer() -> Pooled {
    edited(60, &|_| ())
}

/// A client with a session, and the name of its target.
#[track_caller]
fn logged_in(lb: &LoadBalancer) -> (Client, String) {
    let mut client = Client::default();
    let home = client.get(lb.sticky, &login()).body;
    assert!(client.jar.contains_key("AWSALBAPP-0"), "{client:?}");
    (client, home)
}

#[test]
fn no_cookie_of_ours_comes_before_the_application_has_set_its_own() {
    let lb = load_balancer();
    for answer in unpinned(&lb, &[]) {
        assert_eq!(answer.set_cookies(), Vec::<&str>::new());
    }
    assert_eq!((lb.counted(Outcome::NoCookie), lb.issued()), (2, 0));
}

#[test]
fn our_cookie_follows_the_applications_own_and_is_written_exactly_as_aws_writes_it() {
    let lb = load_balancer();
    let own = ["theme=dark", "JSESSIONID=abc; Path=/; HttpOnly", "b=c; Secure"];
    let response = fetch(lb.sticky, &setting(&own), &[]);
    let value = response.cookie("AWSALBAPP-0").unwrap();
    let ours = format!("AWSALBAPP-0={value}; {}; Path=/", response.expires());
    assert_eq!(response.set_cookies(), [&own[..], &[ours.as_str()]].concat());
    assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'), "{value}");
    assert!((50..=60).contains(&response.expires_in()));
    assert_eq!(lb.issued(), 1);
}

#[test]
fn the_applications_cookie_reaches_the_target_untouched() {
    let lb = load_balancer();
    let (client, home) = logged_in(&lb);
    let sent = format!("cookie: a=\"x y\"; JSESSIONID=1; AWSALBAPP-0={}", client.jar["AWSALBAPP-0"]);
    assert_eq!(fetch(lb.sticky, "/untouched", &[sent.as_bytes()]).body, home);
    let received = lb.received();
    let head = received.iter().find(|head| head.contains("/untouched")).unwrap();
    assert!(head.lines().any(|line| line == sent), "{head}");
}

#[test]
fn only_the_name_of_the_applications_cookie_counts() {
    let lb = load_balancer();
    for (line, is_ours) in [
        ("JSESSIONID=1", true),
        ("JSESSIONID=", true),
        ("JSESSIONID=_remove_; Domain=example.org; SameSite=Strict; Partitioned; Secure", true),
        ("JSESSIONID=a=b&c; Max-Age=1; Path=/elsewhere", true),
        ("jsessionid=1", false),
        ("JSESSIONID2=1", false),
        ("X-JSESSIONID=1", false),
        ("SESSION=JSESSIONID=1", false),
        ("JSESSIONID", false),
    ] {
        let response = fetch(lb.sticky, &setting(&[line]), &[]);
        assert_eq!(response.set_cookies()[0], line);
        assert_eq!(response.cookie("AWSALBAPP-0").is_some(), is_ours, "{line}");
        assert_eq!(response.set_cookies().len(), 1 + usize::from(is_ours), "{line}");
    }
}

#[test]
fn a_client_is_pinned_only_while_it_sends_both_cookies() {
    let lb = load_balancer();
    let (mut client, home) = logged_in(&lb);
    for _ in 0..4 {
        assert_eq!(client.get(lb.sticky, "/").body, home);
    }
    assert_eq!(lb.counted(Outcome::Pinned), 4);
    unpinned(&lb, &[&format!("cookie: AWSALBAPP-0={}", client.jar["AWSALBAPP-0"])]);
    unpinned(&lb, &["cookie: JSESSIONID=1"]);
    unpinned(&lb, &[&format!("cookie: jsessionid=1; AWSALBAPP-0={}", client.jar["AWSALBAPP-0"])]);
    assert_eq!((lb.counted(Outcome::Pinned), lb.counted(Outcome::Moved)), (4, 0));
    // In separate lines, and with another value.
    let ours = format!("cookie: AWSALBAPP-0={}", client.jar["AWSALBAPP-0"]);
    for _ in 0..4 {
        assert_eq!(fetch(lb.sticky, "/", &[b"cookie: JSESSIONID=other", ours.as_bytes()]).body, home);
    }
}

#[test]
fn every_answer_renews_our_cookie_while_the_pair_is_valid() {
    let lb = load_balancer();
    let (mut client, home) = logged_in(&lb);
    for (path, status) in [("/", 200), ("/500", 500), ("/redirect", 302), ("/not-modified", 304)] {
        let response = client.get(lb.sticky, path);
        assert_eq!((response.status, response.cookie_names()), (status, vec!["AWSALBAPP-0"]), "{path}");
        assert_ne!(response.cookie("AWSALBAPP-0"), Some("_remove_"), "{path}");
    }
    assert_eq!(client.get(lb.sticky, "/").body, home);
}

#[test]
fn a_session_that_is_used_outlives_the_duration_and_one_that_is_not_expires() {
    let lb = edited(2, &|_| ());
    let (mut client, home) = logged_in(&lb);
    let first = outlive_the_first_cookie(&lb, &mut client, &home);
    let expired = first.jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
    unpinned(&lb, &[&format!("cookie: {expired}")]);
    assert_eq!((lb.counted(Outcome::Expired), lb.counted(Outcome::Moved)), (3, 0));
}

#[test]
fn the_session_of_a_dead_target_moves_for_good() {
    let plugin = Plugin::Struct(json!({ "target_groups": { "web": following("JSESSIONID", 60) } }));
    let mut lb = LoadBalancer::start(&Setup { plugin: Some(plugin), ..Setup::default() });
    let (mut client, home) = logged_in(&lb);
    lb.kill(&home);
    let response = client.get(lb.sticky, "/");
    assert_eq!((response.status, response.cookie_names()), (200, vec!["AWSALBAPP-0"]));
    assert_ne!(response.body, home);
    lb.target(&home).revive();
    lb.wait_for_healthy(2);
    for _ in 0..4 {
        assert_eq!(client.get(lb.sticky, "/").body, response.body);
    }
    assert_eq!(lb.counted(Outcome::Moved), 1);
}

#[test]
fn our_cookie_is_withdrawn_when_the_application_deletes_its_own() {
    let lb = load_balancer();
    for line in [
        "JSESSIONID=; Max-Age=0",
        "JSESSIONID=1; max-age=0; Path=/",
        "JSESSIONID=1; Max-Age=-1",
        "JSESSIONID=; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "JSESSIONID=; expires=Thu, 01-Jan-1970 00:00:10 GMT; Path=/",
        "JSESSIONID=; Expires=Fri, 31 Dec 2999 23:59:59 GMT; Max-Age=0",
    ] {
        let (mut client, home) = logged_in(&lb);
        let response = client.get(lb.sticky, &setting(&[line]));
        assert_eq!(response.body, home, "{line}");
        let [own, ours] = response.set_cookies()[..] else { panic!("{line}: {response:?}") };
        assert_eq!(own, line);
        assert!(ours.starts_with("AWSALBAPP-0=_remove_; Expires=") && ours.ends_with(" GMT; Path=/"), "{line}: {ours}");
        let pinned = lb.counted(Outcome::Pinned);
        client.get(lb.sticky, "/");
        assert_eq!(lb.counted(Outcome::Pinned), pinned, "{line}");
    }
}

/// The spellings of frameworks (rack/rack#527, #1100). Browsers take them all (RFC 6265 §5.1.1).
#[test]
fn a_deletion_is_seen_in_every_spelling_of_its_date_that_browsers_take() {
    let lb = load_balancer();
    for (effect, date) in [
        ("the end", "Thu, 01 Jan 1970 00:00:00 -0000"),
        ("the end", "Thu, 01-Jan-70 00:00:01 GMT"),
        ("the end", "Thu, 01 Jan 70 00:00:01 GMT"),
        ("the end", "Thursday, 01-Jan-1970 00:00:00 GMT"),
        ("the end", "Thu, 1 Jan 1970 00:00:00 UTC"),
        ("the end", "Thu, 01 Jan 1970 00:00:00"),
        ("the end", "Thu, 01 Jan 1970 00:00:00 +0000"),
        ("the end", "01 Jan 1970 00:00:00 GMT"),
        ("the end", "\"Thu, 01-Jan-1970 00:00:00 GMT\""),
        ("the end", "Sun, 01 Jan 1990 00:00:00 GMT"),
        ("the end", "thu, 01 jan 1970 00:00:00 gmt"),
        ("the end", "Thu Jan 01 00:00:00 UTC 1970"),
        ("the end", "Do, 01 Jan 1970 00:00:00 GMT"),
        ("the end", "Mon, 01 Jan 1601 00:00:00 GMT"),
        ("a session", "Tue, 01-Jan-69 00:00:00 GMT"),
        ("a session", "Sat, 01-Aug-2037 00:00:00 GMT"),
        // These are no dates, and browsers ignore the attribute.
        ("a session", "Sat, 01 Jan 1600 00:00:00 GMT"),
        ("a session", "Thu, 01 Jan 1970 24:00:00 GMT"),
        ("a session", "1970-01-01T00:00:00Z"),
        ("a session", "0"),
    ] {
        let line = format!("JSESSIONID=1; Path=/; Expires={date}");
        assert_eq!(effect_of(&lb, &[line.as_bytes()]), effect, "{date}");
    }
}

#[test]
fn a_max_age_that_is_left_keeps_the_session_whatever_expires_says() {
    let lb = load_balancer();
    let line = "JSESSIONID=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60";
    let response = fetch(lb.sticky, &setting(&[line]), &[]);
    assert!(response.cookie("AWSALBAPP-0").is_some_and(|value| value != "_remove_"), "{response:?}");
}

#[test]
fn what_was_withdrawn_reads_as_absent() {
    let lb = load_balancer();
    unpinned(&lb, &["cookie: JSESSIONID=1; AWSALBAPP-0=_remove_; AWSALBAPP-1=_remove_"]);
    assert_eq!(lb.counted(Outcome::NoCookie), 2);
}

#[test]
fn all_four_lines_are_always_there_where_asked_to_as_aws_sends_them() {
    let plugin = Plugin::Struct(json!({
        "target_groups": { "web": following("JSESSIONID", 60) },
        "cookie": { "unused_shards": "always" }
    }));
    let lb = pool::start(&Setup { plugin: Some(plugin), ..Setup::default() });
    let mut client = Client::default();
    for (path, is_used) in [("/", false), (&login(), true), ("/", true), (&logout(), false), ("/", false)] {
        let response = client.get(lb.sticky, path);
        let ours: Vec<&str> = response.set_cookies().into_iter().filter(|line| line.starts_with("AWSALB")).collect();
        assert_eq!(ours.len(), 4, "{path}: {response:?}");
        for (shard, line) in ours.into_iter().enumerate() {
            let removed = line.starts_with(&format!("AWSALBAPP-{shard}=_remove_; Expires="));
            assert_eq!(removed, shard > 0 || !is_used, "{path}: {line}");
            assert!(line.starts_with(&format!("AWSALBAPP-{shard}=")) && line.ends_with(" GMT; Path=/"), "{line}");
        }
    }
}

#[test]
fn as_aws_shows_them_the_four_lines_equal_those_that_were_captured_of_aws() {
    let lb = pool::start(&Setup {
        plugin: Some(Plugin::Struct(json!({
            "target_groups": { "web": following("JSESSIONID", 20) },
            "cookie": { "unused_shards": "always", "expires": "seven_days" }
        }))),
        edit: &over_tls,
        ..Setup::default()
    });
    for (agent, end) in [("Mozilla/5.0 Chrome/142.0.0.0", "; SameSite=None; Secure"), ("curl/8.5.0", "")] {
        for (path, status, is_session) in
            [(login().as_str(), 200, true), ("/status/405", 405, false), ("/redirect", 302, false)]
        {
            let response = fetch_over_tls(lb.sticky, path, &[("user-agent", agent)]);
            let (value, expires) = (response.cookie("AWSALBAPP-0").unwrap(), response.expires());
            assert_eq!((response.status, value == "_remove_"), (status, !is_session), "{agent} {path}");
            let values = [value, "_remove_", "_remove_", "_remove_"];
            let expected = values.iter().enumerate();
            let expected = expected.map(|(n, value)| format!("AWSALBAPP-{n}={value}; {expires}; Path=/{end}"));
            let own = usize::from(is_session);
            assert_eq!(response.set_cookies()[own..], expected.collect::<Vec<_>>(), "{agent} {path}");
            assert!((604_790..=604_800).contains(&response.expires_in()), "{response:?}");
        }
    }
}

#[test]
fn the_attributes_of_the_applications_cookie_are_not_copied() {
    let lb = load_balancer();
    let own = "JSESSIONID=1; Domain=example.org; Path=/app; Max-Age=5; Secure; HttpOnly; SameSite=Strict";
    let response = fetch(lb.sticky, &setting(&[own]), &[]);
    let [present, ours] = response.set_cookies()[..] else { panic!("{response:?}") };
    assert_eq!((present, ours.split_once("; ").unwrap().1), (own, format!("{}; Path=/", response.expires()).as_str()));
    assert!((50..=60).contains(&response.expires_in()));
}

#[test]
fn without_a_duration_a_session_lasts_for_a_day() {
    let mut web = following("JSESSIONID", 1);
    web["stickiness"]["app_cookie"].as_object_mut().unwrap().remove("duration_seconds").unwrap();
    let plugin = Plugin::Struct(json!({ "target_groups": { "web": web } }));
    let lb = pool::start(&Setup { plugin: Some(plugin), ..Setup::default() });
    let left = fetch(lb.sticky, &login(), &[]).expires_in();
    assert!((86_390..=86_400).contains(&left), "{left}");
}

#[test]
fn nothing_is_said_about_caching() {
    let lb = load_balancer();
    assert_eq!(fetch(lb.sticky, &login(), &[]).all("cache-control").count(), 0);
}

#[test]
fn of_two_sets_of_cookies_in_one_request_each_load_balancer_finds_its_own() {
    let plugin = || Some(Plugin::Struct(json!({ "target_groups": { "web": following("JSESSIONID", 60) } })));
    let [one, other] = [KEY, OTHER_KEY]
        .map(|key| LoadBalancer::start(&Setup { plugin: plugin(), keys: Some(key), ..Setup::default() }));
    let unused = "AWSALBAPP-1=_remove_; AWSALBAPP-2=_remove_; AWSALBAPP-3=_remove_";
    let sessions = [&one, &other].map(logged_in);
    let sets = sessions.each_ref().map(|(client, _)| format!("AWSALBAPP-0={}; {unused}", client.jar["AWSALBAPP-0"]));
    for line in [format!("{}; {}", sets[0], sets[1]), format!("{}; {}", sets[1], sets[0])] {
        let line = format!("cookie: {line}; JSESSIONID=1");
        for (lb, (_, home)) in [&one, &other].into_iter().zip(&sessions) {
            let bodies = [0; 4].map(|_| fetch(lb.sticky, "/", &[line.as_bytes()]).body);
            assert_eq!(bodies.each_ref(), [home; 4], "{line}");
        }
    }
    assert_eq!([&one, &other].map(|lb| lb.counted(Outcome::Pinned)), [8, 8]);
}

#[test]
fn a_duration_that_is_shortened_lets_sessions_be_chosen_anew() {
    let setup = |seconds| {
        let plugin = Plugin::Struct(json!({ "target_groups": { "web": following("JSESSIONID", seconds) } }));
        Setup { plugin: Some(plugin), ..Setup::default() }
    };
    let running = Replaceable::start(&setup(60));
    let (client, _) = logged_in(&running.lb);
    running.replace(&setup(1));
    wait_until("the session to be over", || {
        client.clone().get(running.lb.sticky, "/");
        running.lb.counted(Outcome::Expired) > 0
    });
}

#[test]
fn only_chromium_80_and_later_over_https_is_given_same_site_and_secure() {
    const MOZILLA: &str = "Mozilla/5.0 (X11; Linux x86_64)";
    const WEBKIT: &str = "AppleWebKit/537.36 (KHTML, like Gecko)";
    let agents = [
        ("80", format!("{MOZILLA} {WEBKIT} Chrome/80.0.3987.87 Safari/537.36"), true),
        ("142", format!("{MOZILLA} {WEBKIT} Chrome/142.0.0.0 Safari/537.36"), true),
        ("Edge", format!("{MOZILLA} {WEBKIT} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0"), true),
        ("79", format!("{MOZILLA} {WEBKIT} Chrome/79.0.3945.130 Safari/537.36"), false),
        ("9", format!("{MOZILLA} {WEBKIT} Chrome/9.0.597.84 Safari/537.36"), false),
        ("Firefox", "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0".to_owned(), false),
        ("Safari", format!("{MOZILLA} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15"), false),
        ("curl", "curl/8.5.0".to_owned(), false),
        ("nothing", "Chrome/".to_owned(), false),
    ];
    let tls = edited(60, &over_tls);
    let plain = load_balancer();
    for (name, agent, expected) in agents {
        let response = fetch_over_tls(tls.sticky, &login(), &[("user-agent", &agent)]);
        let line = response.line("AWSALBAPP-0").unwrap();
        let end = if expected { "; Path=/; SameSite=None; Secure" } else { " GMT; Path=/" };
        assert!(line.ends_with(end), "{name}: {line}");
        let plainly = fetch(plain.sticky, &login(), &[format!("user-agent: {agent}").as_bytes()]);
        assert!(plainly.line("AWSALBAPP-0").unwrap().ends_with(" GMT; Path=/"), "{name}: {plainly:?}");
    }
}

#[test]
fn what_is_withdrawn_over_https_is_written_for_the_browser_too() {
    let lb = edited(60, &over_tls);
    let response = fetch_over_tls(lb.sticky, &logout(), &[("user-agent", "Mozilla/5.0 Chrome/142.0.0.0")]);
    let line = response.line("AWSALBAPP-0").unwrap();
    assert!(line.starts_with("AWSALBAPP-0=_remove_; ") && line.ends_with("; Path=/; SameSite=None; Secure"), "{line}");
}

#[test]
fn one_envelope_holds_the_sessions_of_two_target_groups_and_neither_disturbs_the_other() {
    let groups = json!({ "web": following("JSESSIONID", 60), "api": following("APISESSION", 60) });
    let lb = LoadBalancer::start(&Setup {
        plugin: Some(Plugin::Struct(json!({ "target_groups": groups }))),
        edit: &|config| add_group(config, "api"),
        ..Setup::default()
    });
    let mut homes = Vec::new();
    for _ in 0..4 {
        let mut client = Client::default();
        let web = client.get(lb.sticky, &login()).body;
        let api = client.get(lb.sticky, &format!("/api{}", setting(&["APISESSION=1"]))).body;
        for _ in 0..3 {
            assert_eq!(
                [client.get(lb.sticky, "/").body, client.get(lb.sticky, "/api/").body],
                [&web, &api].map(String::clone)
            );
        }
        let names: Vec<&String> = client.jar.keys().collect();
        assert_eq!(names, ["APISESSION", "AWSALBAPP-0", "JSESSIONID"]);
        // The end of one session does not end the other.
        client.get(lb.sticky, &logout());
        let pinned = counted(&lb.envoy, "api", "pinned");
        assert_eq!([0; 3].map(|_| client.get(lb.sticky, "/api/").body), [0; 3].map(|_| api.clone()));
        assert_eq!(counted(&lb.envoy, "api", "pinned"), pinned + 3);
        homes.push((web, api));
    }
    assert!(homes.iter().any(|home| *home != homes[0]), "{homes:?}");
}

/// The number of groups whose sessions need more than 4,000 characters.
const MANY: usize = 40;

/// A load balancer in front of [`MANY`] target groups, which all follow `JSESSIONID`; and the names of the groups.
#[track_caller]
fn many_groups() -> (LoadBalancer, Vec<String>) {
    groups_with(MANY)
}

/// As [`many_groups`], with another number of groups.
#[track_caller]
fn groups_with(count: usize) -> (LoadBalancer, Vec<String>) {
    let groups: Vec<String> = (0..count).map(|number| format!("group-{number:03}-{}", "x".repeat(80))).collect();
    let lb = LoadBalancer::start(&Setup {
        plugin: Some(Plugin::Struct(json!({ "target_groups": { "*": following("JSESSIONID", 600) } }))),
        edit: &|config| groups.iter().for_each(|group| add_group(config, group)),
        ..Setup::default()
    });
    (lb, groups)
}

/// A client with a session in each group, and the target of each.
#[track_caller]
fn logged_in_everywhere(lb: &LoadBalancer, groups: &[String]) -> (Client, Vec<String>) {
    let mut client = Client::default();
    let homes: Vec<String> = groups.iter().map(|group| visit(lb, &mut client, group, &login()).body).collect();
    // With one target for all, sessions that keep their targets would prove nothing.
    assert!(homes.iter().any(|home| *home != homes[0]));
    (client, homes)
}

/// Sends a request to a group, with the application's cookie.
#[track_caller]
fn visit(lb: &LoadBalancer, client: &mut Client, group: &str, path: &str) -> Response {
    client.jar.insert("JSESSIONID".to_owned(), "1".to_owned());
    client.get(lb.sticky, &format!("/{group}{path}"))
}

#[test]
fn an_envelope_above_4_kb_is_split_over_several_cookies_and_every_session_holds() {
    let (lb, groups) = many_groups();
    let (mut client, homes) = logged_in_everywhere(&lb, &groups);
    let names: Vec<&str> = client.jar.keys().map(String::as_str).collect();
    assert!(names.starts_with(&["AWSALBAPP-0", "AWSALBAPP-1"]), "{names:?}");
    assert!(client.jar.values().all(|value| (1..=4_000).contains(&value.len())), "{client:?}");
    for (group, home) in groups.iter().zip(&homes) {
        let bodies = [0; 2].map(|_| visit(&lb, &mut client, group, "/").body);
        assert_eq!(bodies.each_ref(), [home; 2], "{group}");
        assert_eq!(counted(&lb.envoy, group, "pinned"), 2, "{group}");
    }
}

#[test]
fn a_shard_is_withdrawn_when_the_end_of_sessions_leaves_it_unused() {
    let (lb, groups) = many_groups();
    let (mut client, homes) = logged_in_everywhere(&lb, &groups);
    assert_ne!(client.jar["AWSALBAPP-1"], "_remove_");
    let (ended, kept) = groups.split_at(MANY - 4);
    for group in ended {
        visit(&lb, &mut client, group, &logout());
    }
    assert_eq!(client.jar["AWSALBAPP-1"], "_remove_");
    for (group, home) in kept.iter().zip(&homes[ended.len()..]) {
        let response = visit(&lb, &mut client, group, "/");
        assert_eq!((&response.body, response.cookie_names()), (home, vec!["AWSALBAPP-0"]));
        assert_eq!(counted(&lb.envoy, group, "pinned"), 1, "{group}");
    }
    let pinned = counted(&lb.envoy, &ended[0], "pinned");
    visit(&lb, &mut client, &ended[0], "/");
    assert_eq!(counted(&lb.envoy, &ended[0], "pinned"), pinned);
}

#[test]
fn a_shard_is_withdrawn_when_the_sessions_in_it_expire() {
    let plugin = Plugin::Struct(json!({ "target_groups": { "*": following("JSESSIONID", 60) } }));
    let lb = pool::start(&Setup { plugin: Some(plugin), ..Setup::default() });
    let (a, b) = (lb.targets[0].name_in_envoy(), lb.targets[1].name_in_envoy());
    let groups: Vec<String> = (0..MANY).map(|number| format!("group-{number:02}-{}", "x".repeat(80))).collect();
    for (age, is_over) in [(30, false), (61, true)] {
        let others = groups.iter().map(|group| (group.as_str(), a.as_str(), age));
        let value = forge_as(CookieKind::AppCookie, KEY, &others.chain([("web", b.as_str(), 0)]).collect::<Vec<_>>());
        let (first, second) = value.split_at(4_000);
        let jar = [("JSESSIONID", "1"), ("AWSALBAPP-0", first), ("AWSALBAPP-1", second)];
        let jar = jar.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut client = Client { jar: jar.into(), ..Client::default() };
        let response = client.get(lb.sticky, "/");
        assert_eq!((response.body.as_str(), response.cookie_names()), ("b", vec!["AWSALBAPP-0", "AWSALBAPP-1"]));
        assert_eq!(client.jar["AWSALBAPP-1"] == "_remove_", is_over, "{age}");
        let next = client.get(lb.sticky, "/");
        assert_eq!((next.body.as_str(), next.cookie_names().len()), ("b", if is_over { 1 } else { 2 }), "{age}");
    }
}

#[test]
fn an_envelope_above_16_kb_loses_the_sessions_that_were_used_longest_ago() {
    let (lb, groups) = groups_with(120);
    let mut client = Client::default();
    for group in &groups {
        visit(&lb, &mut client, group, &login());
    }
    let names: Vec<&str> = client.jar.keys().map(String::as_str).collect();
    assert_eq!(names, ["AWSALBAPP-0", "AWSALBAPP-1", "AWSALBAPP-2", "AWSALBAPP-3", "JSESSIONID"]);
    assert!(client.jar.values().all(|value| (1..=4_000).contains(&value.len())), "{client:?}");
    for (group, pinned) in [(&groups[119], 1), (&groups[60], 1), (&groups[0], 0)] {
        let response = visit(&lb, &mut client.clone(), group, "/");
        assert_eq!((response.status, counted(&lb.envoy, group, "pinned")), (200, pinned), "{group}");
    }
}

/// The effect of an answer with these `Set-Cookie` lines on the session. The target's lines must arrive unchanged.
#[track_caller]
fn effect_of(lb: &LoadBalancer, lines: &[&[u8]]) -> &'static str {
    let response = fetch(lb.sticky, &setting(lines), &[]);
    let own: Vec<String> = lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    assert_eq!(response.set_cookies()[..own.len()], own);
    match response.cookie("AWSALBAPP-0") {
        None => "nothing",
        Some("_remove_") => "the end",
        Some(_) => "a session",
    }
}

#[test]
fn the_session_cookies_of_real_frameworks_are_understood() {
    for (name, cases) in [
        (
            "JSESSIONID",
            vec![
                ("a session", "JSESSIONID=node01abc.node0; Path=/; Secure; HttpOnly"),
                ("a session", "JSESSIONID=\"quoted!value\"; Version=1; Path=/app; Discard"),
                ("a session", "JSESSIONID=0000A1:-1; Path=/; HttpOnly"),
                ("the end", "JSESSIONID=\"\"; Expires=Thu, 01-Jan-1970 00:00:10 GMT; Path=/"),
                ("the end", "JSESSIONID=;Path=/app;Expires=Thu, 01-Jan-1970 00:00:00 GMT;Max-Age=0"),
            ],
        ),
        (
            "connect.sid",
            vec![
                (
                    "a session",
                    "connect.sid=s%3Aj6-x.WnJ%2Bq%2F; Path=/; Expires=Tue, 19 Nov 2999 08:52:00 GMT; HttpOnly",
                ),
                ("the end", "connect.sid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
            ],
        ),
        (
            "PHPSESSID",
            vec![
                ("a session", "PHPSESSID=r2t5uvjq435r4q7ib3vtdjq120; path=/; HttpOnly; SameSite=Lax"),
                ("a session", "PHPSESSID=x; expires=Thu, 19-Nov-2081 08:52:00 GMT; Max-Age=1; path=/; domain=.x"),
                ("a session", "PHPSESSID=x;path=/;HTTPONLY;SAMESITE=LAX"),
                ("a session", "PHPSESSID=x; PATH=/; EXPIRES=Thu, 19-Nov-2081 08:52:00 GMT;"),
                ("a session", "PHPSESSID=x; ; Max-Age; expires=; priority=high;;"),
                ("the end", "PHPSESSID=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0; path=/; httponly"),
            ],
        ),
        (
            "ASP.NET_SessionId",
            vec![
                ("a session", "ASP.NET_SessionId=4zl3bqyfwpvjrf; path=/; HttpOnly; SameSite=Lax"),
                ("the end", "ASP.NET_SessionId=; expires=Tue, 12-Oct-1999 04:00:00 GMT; path=/; HttpOnly"),
            ],
        ),
    ] {
        let plugin = Plugin::Struct(json!({ "target_groups": { "web": following(name, 60) } }));
        let lb = pool::start(&Setup { plugin: Some(plugin), ..Setup::default() });
        for (effect, line) in cases {
            assert_eq!(effect_of(&lb, &[line.as_bytes()]), effect, "{line}");
        }
    }
}

#[test]
fn a_session_cookie_that_is_no_text_is_understood_and_passes_as_it_is() {
    let lb = load_balancer();
    for (effect, line) in [
        ("a session", b"JSESSIONID=\xff\xfe".as_slice()),
        ("a session", b"JSESSIONID=1; Path=/\xc3\x28; Comment=\x80"),
        ("the end", b"JSESSIONID=\xff; Max-Age=0"),
        ("nothing", b"\xff=JSESSIONID"),
        ("nothing", b"\xff"),
    ] {
        assert_eq!(effect_of(&lb, &[line]), effect, "{line:?}");
    }
    has_not_crashed(&lb.envoy);
}

#[test]
fn an_answer_that_sets_the_cookie_and_deletes_it_for_another_path_sets_it() {
    let lb = load_balancer();
    let [set, delete, other] =
        ["JSESSIONID=1; Path=/", "JSESSIONID=; Path=/old; Max-Age=0", "theme=dark; Max-Age=0"].map(str::as_bytes);
    assert_eq!(effect_of(&lb, &[set, delete, other]), "a session");
    assert_eq!(effect_of(&lb, &[other, delete, set]), "a session");
    assert_eq!(effect_of(&lb, &[delete, other, delete]), "the end");
}

#[test]
fn bad_cookies_are_served_unpinned_and_counted_by_what_is_wrong_with_them() {
    let lb = load_balancer();
    let a = lb.targets[0].name_in_envoy();
    let forged = |key, group, age| format!("AWSALBAPP-0={}", forge_as(CookieKind::AppCookie, key, &[(group, &a, age)]));
    let of_kind = |kind| format!("AWSALBAPP-0={}", forge_as(kind, KEY, &[("web", &a, 0)]));
    let good = logged_in(&lb).0.jar["AWSALBAPP-0"].clone();
    let flipped = format!("{}{}", if good.starts_with('A') { 'B' } else { 'A' }, &good[1..]);
    let full = "A".repeat(4_000);
    for (outcome, cookies) in [
        (Outcome::NoCookie, "AWSALB=x".to_owned()),
        (Outcome::NoCookie, format!("AWSALBAPP={good}")),
        (Outcome::NoCookie, format!("AWSALBAPP-9={good}")),
        (Outcome::NoCookie, format!("awsalbapp-0={good}")),
        (Outcome::NoCookie, "AWSALBAPP-0=remove; AWSALBAPP-1=_remove_".to_owned()),
        (Outcome::Malformed, "AWSALBAPP-0=".to_owned()),
        (Outcome::Malformed, "AWSALBAPP-0=garbage; AWSALBAPP-1=".to_owned()),
        (Outcome::Malformed, "AWSALBAPP-0=%ff%00%zz%".to_owned()),
        (Outcome::Malformed, format!("AWSALBAPP-0={}", &good[..good.len() - 24])),
        (Outcome::Malformed, format!("AWSALBAPP-0={flipped}")),
        (Outcome::Malformed, format!("AWSALBAPP-0={}", "A".repeat(20_000))),
        (Outcome::Malformed, [0, 1, 2, 3].map(|shard| format!("AWSALBAPP-{shard}={full}")).join("; ")),
        (Outcome::Malformed, vec!["AWSALBAPP-0=x"; 1_500].join("; ")),
        // A cookie of another kind is not accepted as this kind.
        (Outcome::Malformed, of_kind(CookieKind::LbCookie)),
        (Outcome::Malformed, of_kind(CookieKind::TargetGroup)),
        (Outcome::Malformed, of_kind(CookieKind::ClassicAppCookie)),
        (Outcome::UnknownKey, forged(OTHER_KEY, "web", 0)),
        (Outcome::WrongGroup, forged(KEY, "api", 0)),
        (Outcome::Expired, forged(KEY, "web", 61)),
    ] {
        let before = lb.counted(outcome);
        unpinned(&lb, &[&format!("cookie: JSESSIONID=1; {cookies}")]);
        assert_eq!(lb.counted(outcome), before + 2, "{cookies}");
    }
    for cookie in [b"cookie: JSESSIONID=1; AWSALBAPP-0=\xff".as_slice(), b"cookie: JSESSIONID=\xff; \xfe=\x80"] {
        assert_eq!(fetch(lb.sticky, "/", &[cookie]).status, 200);
    }
    has_not_crashed(&lb.envoy);
    assert_eq!(lb.counted(Outcome::Pinned) + lb.counted(Outcome::Moved), 0);
}

#[test]
fn a_good_envelope_is_found_behind_bad_ones_and_read_when_it_is_percent_encoded() {
    let lb = load_balancer();
    let (client, home) = logged_in(&lb);
    let good = &client.jar["AWSALBAPP-0"];
    let encoded = good.replace('+', "%2B").replace('/', "%2f").replacen(&good[..1], "%41", 1);
    for cookies in [
        format!("JSESSIONID=1; AWSALBAPP-0=broken; AWSALBAPP-0={good}"),
        format!("JSESSIONID=1; AWSALBAPP-0={good}; AWSALBAPP-1=_remove_; AWSALBAPP-2=_remove_; AWSALBAPP-3=_remove_"),
        format!("AWSALBAPP-0={encoded}; JSESSIONID=1"),
        // A shard that was left from a longer envelope.
        format!("JSESSIONID=1; AWSALBAPP-0={good}; AWSALBAPP-1=stale"),
    ] {
        for _ in 0..4 {
            assert_eq!(fetch(lb.sticky, "/", &[format!("cookie: {cookies}").as_bytes()]).body, home, "{cookies}");
        }
    }
}
