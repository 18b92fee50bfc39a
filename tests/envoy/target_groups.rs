//! Target-group stickiness: rules with weighted target groups.

use std::collections::BTreeSet;

use local_envoy::validate;
use serde_json::json;

use stickiness::outcome::Outcome;
use stickiness::trust::key_ring::CookieKind;

use harness::{
    Client, KEY, OTHER_KEY, Weighted, envoy_binary, fetch, fetch_over_tls, forge_as, group_of, over_tls, plugin,
    routes, setting, shipped_weighted, wait_until, wasm, weigh,
};

use crate::pool;
use crate::steps::{has_not_crashed, only_the_filter_guards};

/// Turns the stickiness of the target groups themselves off.
fn no_target_stickiness(config: &mut local_envoy::Config) {
    let off = json!({ "stickiness": { "enabled": false } });
    plugin(config)["target_groups"] = json!({ "blue": off, "green": off });
}

/// A value that pins to this group, for either cookie name.
fn value_of(group: &str) -> String {
    forge_as(CookieKind::TargetGroup, KEY, &[(group, "", 0)])
}

#[test]
fn the_weighted_configuration_is_accepted_as_it_is() {
    let mut config = shipped_weighted();
    config.wasm_file(wasm()).unwrap();
    let answer = validate(envoy_binary(), &config, &[]).unwrap();
    assert!(answer.accepted, "{}", answer.log);
}

#[test]
fn the_cookies_of_the_group_stand_before_those_of_the_target_written_exactly_as_aws_writes_them() {
    let lb = pool::shipped_weights();
    let response = fetch(lb.sticky, "/two-cookies", &[]);
    let [group, target] = ["AWSALBTG", "AWSALB"].map(|name| response.cookie(name).unwrap());
    let expires = response.expires();
    assert_eq!(
        response.set_cookies(),
        [
            "session=1; HttpOnly",
            "theme=dark",
            &format!("AWSALBTG={group}; {expires}; Path=/"),
            &format!("AWSALBTGCORS={group}; {expires}; Path=/; SameSite=None"),
            &format!("AWSALB={target}; {expires}; Path=/"),
            &format!("AWSALBCORS={target}; {expires}; Path=/; SameSite=None"),
        ]
    );
    assert!(group.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/'), "{group}");
    assert!((3_590..=3_600).contains(&response.expires_in()));
}

#[test]
fn expires_shows_the_duration_of_the_rule() {
    let lb = pool::weighted(|config| {
        plugin(config)["rules"][0]["target_group_stickiness"]["duration_seconds"] = json!(60);
    });
    let response = fetch(lb.sticky, "/", &[]);
    assert_eq!(response.cookie_names(), ["AWSALBTG", "AWSALBTGCORS", "AWSALB", "AWSALBCORS"]);
    assert!((50..=60).contains(&response.expires_in()));
}

#[test]
fn over_tls_the_twin_of_the_group_is_secure() {
    let lb = pool::weighted(over_tls);
    let response = fetch_over_tls(lb.sticky, "/", &[]);
    let [plain, twin] = ["AWSALBTG", "AWSALBTGCORS"].map(|name| response.line(name).unwrap());
    assert!(plain.ends_with("; Path=/"), "{plain}");
    assert!(twin.ends_with("; Path=/; SameSite=None; Secure"), "{twin}");
}

#[test]
fn with_seven_days_the_lines_equal_those_that_were_captured_of_aws() {
    let lb = pool::weighted(|config| plugin(config)["cookie"] = json!({ "expires": "seven_days" }));
    let response = fetch(lb.sticky, "/", &[]);
    let expires = response.expires();
    let ends = ["Path=/", "Path=/; SameSite=None", "Path=/", "Path=/; SameSite=None"];
    let lines = response.set_cookies();
    let shown: Vec<&str> = lines.iter().map(|line| line.split_once("; ").unwrap().1).collect();
    assert_eq!(shown, ends.map(|end| format!("{expires}; {end}")));
    assert!((604_790..=604_800).contains(&response.expires_in()));
}

#[test]
fn nothing_is_said_about_caching() {
    let lb = pool::shipped_weights();
    assert_eq!(fetch(lb.sticky, "/", &[]).all("cache-control").count(), 0);
}

#[test]
fn an_upgrade_goes_to_the_target_and_the_group_that_the_cookies_name_and_its_101_renews_them() {
    let lb = pool::weighted(|config| weigh(config, 1, 1));
    for group in ["blue", "green"] {
        let (mut client, home) = lb.client_of(group);
        for _ in 0..3 {
            let mut socket = client.open_socket(lb.sticky);
            let names = ["AWSALBTG", "AWSALBTGCORS", "AWSALB", "AWSALBCORS"];
            assert_eq!((socket.answer.status, socket.answer.cookie_names()), (101, names.to_vec()));
            assert_eq!(socket.target(), home);
        }
    }
}

#[test]
fn a_group_cookie_that_is_url_encoded_is_no_error() {
    let lb = Weighted::start(|config| weigh(config, 1, 1));
    let blue = value_of("blue");
    lb.replace(|config| weigh(config, 0, 100));
    let encoded: Vec<String> = blue.bytes().map(|byte| format!("%{byte:02X}")).collect();
    for name in ["AWSALBTG", "AWSALBTGCORS"] {
        let response = lb.answer_to(&[&format!("{name}={}", encoded.concat())]);
        assert_eq!((response.status, group_of(&response.body)), (200, "blue"), "{name}");
    }
}

#[test]
fn new_clients_are_spread_by_the_weights() {
    let lb = pool::shipped_weights();
    let green = (0..300).filter(|_| fetch(lb.sticky, "/", &[]).body.starts_with("green")).count();
    // The expected number is 30. Fewer than 1 in 100,000 runs are outside this range.
    assert!((5..=58).contains(&green), "{green}");
}

#[test]
fn a_client_stays_in_its_group_whatever_the_weights() {
    let lb = Weighted::start(|config| weigh(config, 1, 1));
    let mut clients = ["blue", "green"].map(|group| (lb.client_of(group).0, group));
    for (blue, green, of_new_clients) in [(0, 100, "green"), (100, 0, "blue")] {
        lb.replace(|config| weigh(config, blue, green));
        for (client, group) in &mut clients {
            assert_eq!([0; 4].map(|_| client.get(lb.sticky, "/").body.starts_with(*group)), [true; 4]);
            assert_eq!(group_of(&fetch(lb.sticky, "/", &[]).body), of_new_clients);
        }
    }
    assert_eq!(lb.counted(Outcome::Moved), 0);
}

#[test]
fn every_answer_of_a_target_renews_the_cookies_of_the_group() {
    let lb = pool::shipped_weights();
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    for (path, status) in [("/", 200), ("/500", 500), ("/redirect", 302), ("/not-modified", 304), ("/status/429", 429)]
    {
        let response = client.get(lb.sticky, path);
        let names = ["AWSALBTG", "AWSALBTGCORS", "AWSALB", "AWSALBCORS"];
        assert_eq!((response.status, response.cookie_names().as_slice()), (status, names.as_slice()), "{path}");
    }
    assert_eq!(client.get(lb.sticky, "/").body, home);
}

#[test]
fn a_group_that_is_used_is_kept_beyond_the_duration_and_one_that_is_not_is_left_to_the_weights() {
    let short = |config: &mut local_envoy::Config| {
        no_target_stickiness(config);
        plugin(config)["rules"][0]["target_group_stickiness"]["duration_seconds"] = json!(3);
    };
    let lb = Weighted::start(short);
    let (mut client, _) = lb.client_of("blue");
    let first = client.clone();
    lb.replace(|config| {
        short(config);
        weigh(config, 0, 100);
    });
    wait_until("the first cookie to expire", || {
        assert_eq!(group_of(&client.get(lb.sticky, "/").body), "blue");
        first.clone().get(lb.sticky, "/").body.starts_with("green")
    });
    assert_eq!((lb.counted(Outcome::Expired), lb.counted(Outcome::Moved)), (1, 0));
    assert_eq!(group_of(&client.get(lb.sticky, "/").body), "blue");
}

#[test]
fn the_newest_group_cookie_that_opens_counts_whichever_way_it_comes() {
    let lb = pool::weighted(|config| weigh(config, 0, 100));
    let blue = value_of("blue");
    let green = forge_as(CookieKind::TargetGroup, KEY, &[("green", "", 10)]);
    let green_target = lb.client_of("green").0.jar["AWSALB"].clone();
    let encoded = blue.replace('+', "%2B").replace('/', "%2f").replacen(&blue[..1], "%41", 1);
    for cookies in [
        vec![format!("AWSALBTG={blue}")],
        vec![format!("AWSALBTGCORS={blue}")],
        vec![format!("AWSALBTG={green}; AWSALBTGCORS={blue}")],
        vec![format!("AWSALBTG={green}"), format!("a=b; AWSALBTGCORS={blue}")],
        vec![format!("AWSALBTGCORS=broken; AWSALBTG={blue}")],
        vec![format!("AWSALBTG=broken; AWSALBTG={blue}; AWSALBTG={green}")],
        vec![format!("{}; AWSALBTG={blue}", vec!["AWSALBTG=x"; 30].join("; "))],
        // The target cookie names a target of the other group, which does not matter.
        vec![format!("AWSALBTG={blue}; AWSALB={green_target}")],
        vec![format!("AWSALBTG=\"{blue}\"")],
        vec![format!("AWSALBTG={encoded}")],
    ] {
        let cookies: Vec<&str> = cookies.iter().map(String::as_str).collect();
        let body = lb.answer_to(&cookies).body;
        assert_eq!(group_of(&body), "blue", "{cookies:?}");
    }
}

#[test]
fn a_bad_group_cookie_is_counted_though_the_targets_cookie_is_good() {
    let lb = pool::weighted(|config| weigh(config, 0, 100));
    let (client, home) = lb.client_of("green");
    let before = lb.counted(Outcome::Malformed);
    let target = format!("AWSALB={}", client.jar["AWSALB"]);
    assert_eq!(lb.answer_to(&["AWSALBTG=garbage", &target]).body, home);
    assert_eq!((lb.counted(Outcome::Malformed), lb.counted(Outcome::Pinned)), (before + 1, 0));
}

#[test]
fn a_bad_group_cookie_is_served_by_the_weights_and_counted_and_never_an_error() {
    let lb = pool::weighted(|config| weigh(config, 0, 100));
    let blue = value_of("blue");
    let forged = |kind, key, group, age| forge_as(kind, key, &[(group, "127.0.0.1:1", age)]);
    let flipped = format!("{}{}", if blue.starts_with('A') { 'B' } else { 'A' }, &blue[1..]);
    for (outcome, cookie) in [
        (Outcome::NoCookie, "AWSALBTG=_remove_"),
        (Outcome::NoCookie, &format!("awsalbtg={blue}")),
        (Outcome::Malformed, "AWSALBTG="),
        (Outcome::Malformed, "AWSALBTG=blue"),
        (Outcome::Malformed, "AWSALBTG=%ff%00%zz%; AWSALBTGCORS=\"\""),
        (Outcome::Malformed, &format!("AWSALBTG={}", &blue[..blue.len() - 24])),
        (Outcome::Malformed, &format!("AWSALBTG={blue}AAAA")),
        (Outcome::Malformed, &format!("AWSALBTG={flipped}")),
        (Outcome::Malformed, &format!("AWSALBTG={}", "A".repeat(20_000))),
        (Outcome::Malformed, &vec!["AWSALBTG=x"; 30].join("; ")),
        // A cookie of another kind is not accepted as this kind, and this kind is not accepted as another.
        (Outcome::Malformed, &format!("AWSALBTG={}", forged(CookieKind::LbCookie, KEY, "blue", 0))),
        (Outcome::Malformed, &format!("AWSALBTG={}", forged(CookieKind::AppCookie, KEY, "blue", 0))),
        (Outcome::Malformed, &format!("AWSALB={blue}")),
        (Outcome::UnknownKey, &format!("AWSALBTG={}", forged(CookieKind::TargetGroup, OTHER_KEY, "blue", 0))),
        (Outcome::WrongGroup, &format!("AWSALBTG={}", forged(CookieKind::TargetGroup, KEY, "red", 0))),
        (Outcome::Expired, &format!("AWSALBTG={}", forged(CookieKind::TargetGroup, KEY, "blue", 3_601))),
    ] {
        let before = lb.counted(outcome);
        let response = lb.answer_to(&[cookie]);
        assert_eq!((response.status, group_of(&response.body)), (200, "green"), "{cookie}");
        assert!(response.cookie("AWSALBTG").is_some(), "{cookie}");
        assert_eq!(lb.counted(outcome), before + 1, "{cookie}");
    }
    assert_eq!(fetch(lb.sticky, "/", &[b"cookie: AWSALBTG=\xff; \xfe=\x80"]).status, 200);
    has_not_crashed(&lb.envoy);
    assert_eq!(lb.counted(Outcome::Pinned) + lb.counted(Outcome::Moved), 0);
}

#[test]
fn the_cookie_of_a_group_that_left_the_rule_is_ignored_and_replaced() {
    let lb = Weighted::shipped();
    let (mut client, _) = lb.client_of("blue");
    let green_only = |config: &mut local_envoy::Config| plugin(config)["rules"][0]["target_groups"] = json!(["green"]);
    lb.replace(|config| {
        green_only(config);
        weigh(config, 0, 100);
    });
    let wrong = lb.counted(Outcome::WrongGroup);
    let response = client.get(lb.sticky, "/");
    assert_eq!((response.status, group_of(&response.body)), (200, "green"));
    assert_eq!(lb.counted(Outcome::WrongGroup), wrong + 1);
    // The new pair names green, which keeps the client with any weights.
    lb.replace(|config| weigh(config, 100, 0));
    assert_eq!(group_of(&client.get(lb.sticky, "/").body), "green");
}

#[test]
fn the_client_of_a_group_whose_route_is_gone_moves_to_the_one_that_answers() {
    let without_blue = |config: &mut local_envoy::Config| drop(routes(config).remove(0));
    let lb = Weighted::shipped();
    let (mut client, _) = lb.client_of("blue");
    lb.replace(|config| {
        without_blue(config);
        weigh(config, 0, 100);
    });
    let response = client.get(lb.sticky, "/");
    assert_eq!((response.status, group_of(&response.body)), (200, "green"));
    assert_eq!(lb.counted(Outcome::Moved), 1);
    lb.replace(|config| weigh(config, 100, 0));
    assert_eq!(group_of(&client.get(lb.sticky, "/").body), "green");
}

#[test]
fn a_client_stays_on_one_target_of_its_group_and_clients_are_spread_over_them() {
    let lb = pool::shipped_weights();
    let mut clients: Vec<(Client, String)> = (0..4).map(|_| lb.client_of("blue")).collect();
    let homes: BTreeSet<String> = clients.iter().map(|(_, home)| home.clone()).collect();
    assert_eq!(homes, BTreeSet::from(["blue-1", "blue-2"].map(str::to_owned)));
    for _ in 0..3 {
        for (client, home) in &mut clients {
            assert_eq!(client.get(lb.sticky, "/").body, *home);
        }
    }
    assert_eq!(lb.counted_in("blue", Outcome::Pinned), 12);
}

#[test]
fn the_session_of_a_dead_target_moves_within_its_group_and_for_good() {
    let mut lb = Weighted::shipped();
    let (mut client, home) = lb.client_of("blue");
    lb.replace(|config| weigh(config, 0, 100));
    lb.kill(&home);
    let response = client.get(lb.sticky, "/");
    assert_eq!((response.status, group_of(&response.body)), (200, "blue"));
    assert_ne!(response.body, home);
    lb.revive(&home, 2);
    for _ in 0..4 {
        assert_eq!(client.get(lb.sticky, "/").body, response.body);
    }
    assert_eq!(lb.counted_in("blue", Outcome::Moved), 1);
}

#[test]
fn with_group_stickiness_alone_requests_are_spread_over_the_targets_of_the_group() {
    let lb = pool::weighted(no_target_stickiness);
    let (mut client, _) = lb.client_of("blue");
    let answers: Vec<_> = (0..4).map(|_| client.get(lb.sticky, "/")).collect();
    let bodies: BTreeSet<&str> = answers.iter().map(|answer| answer.body.as_str()).collect();
    assert_eq!(bodies, BTreeSet::from(["blue-1", "blue-2"]));
    assert!(answers.iter().all(|answer| answer.cookie_names() == ["AWSALBTG", "AWSALBTGCORS"]), "{answers:?}");
    assert_eq!((lb.counted(Outcome::Pinned), lb.counted(Outcome::Moved)), (4, 0));
}

#[test]
fn without_group_stickiness_and_without_target_stickiness_there_are_no_cookies() {
    let lb = pool::weighted(|config| {
        no_target_stickiness(config);
        plugin(config)["rules"][0]["target_group_stickiness"] = json!({ "enabled": false });
    });
    assert_eq!(fetch(lb.sticky, "/", &[]).set_cookies(), Vec::<&str>::new());
}

#[test]
fn the_clients_of_an_empty_group_get_503_without_a_cookie_and_are_back_when_it_is() {
    let mut lb = Weighted::shipped();
    let (mut client, _) = lb.client_of("blue");
    let before = client.jar.clone();
    lb.replace(|config| weigh(config, 0, 100));
    lb.kill_group("blue");
    for _ in 0..4 {
        let response = client.get(lb.sticky, "/");
        assert_eq!((response.status, response.set_cookies()), (503, vec![]));
    }
    assert_eq!(client.jar, before);
    lb.revive("blue-2", 1);
    assert_eq!(client.get(lb.sticky, "/").body, "blue-2");
}

fn repick(config: &mut local_envoy::Config) {
    plugin(config)["rules"][0]["on_empty_group"] = json!("repick");
}

#[test]
fn with_repick_the_clients_of_an_empty_group_move_to_another_one_for_good() {
    let mut lb = Weighted::start(repick);
    let [mut first, mut second] = [0; 2].map(|_| lb.client_of("blue").0);
    lb.kill_group("blue");
    for client in [&mut first, &mut second] {
        let response = client.get(lb.sticky, "/");
        assert_eq!((response.status, group_of(&response.body)), (200, "green"));
        assert!(response.cookie("AWSALBTG").is_some());
    }
    lb.revive("blue-1", 1);
    for client in [&mut first, &mut second] {
        assert_eq!(group_of(&client.get(lb.sticky, "/").body), "green");
    }
}

#[test]
fn with_repick_a_group_is_no_longer_avoided_once_one_of_its_targets_is_healthy() {
    let mut lb = Weighted::start(repick);
    let (client, _) = lb.client_of("blue");
    lb.kill_group("blue");
    assert_eq!(group_of(&client.clone().get(lb.sticky, "/").body), "green");
    lb.revive("blue-1", 1);
    wait_until("the client to be back in its group", || client.clone().get(lb.sticky, "/").body == "blue-1");
}

#[test]
fn with_repick_new_clients_do_not_go_to_an_empty_group_either() {
    let mut lb = Weighted::start(|config| {
        repick(config);
        weigh(config, 100, 0);
    });
    lb.kill_group("blue");
    for _ in 0..4 {
        let response = fetch(lb.sticky, "/", &[]);
        assert_eq!((response.status, group_of(&response.body)), (200, "green"));
    }
}

#[test]
fn with_repick_a_group_is_asked_under_the_configured_path_when_nothing_else_has_told() {
    let lb = Weighted::start(|config| {
        repick(config);
        plugin(config)["rules"][0]["probe_path"] = json!("/alive?");
    });
    lb.client_of("blue");
    wait_until("a question", || {
        lb.received().iter().any(|head| head.starts_with("HEAD /alive? HTTP/1.1\r\nhost: blue"))
    });
}

#[test]
fn a_route_to_one_group_alone_is_left_out_of_the_rule_where_it_says_so() {
    let lb = pool::weighted(|config| {
        plugin(config)["policies"] = json!({});
        let mut alone = json!({ "match": { "prefix": "/admin" }, "route": { "cluster": "blue" } });
        alone["metadata"] = json!({ "filter_metadata": { "sticky_sessions": { "rule": false } } });
        routes(config).insert(0, alone);
    });
    let (mut client, _) = lb.client_of("green");
    let response = client.get(lb.sticky, "/admin");
    assert_eq!((group_of(&response.body), response.cookie("AWSALBTG")), ("blue", None));
    assert_eq!(group_of(&client.get(lb.sticky, "/").body), "green");
}

#[test]
fn application_based_stickiness_works_inside_weighted_groups() {
    let lb = pool::weighted(|config| {
        let app = json!({ "stickiness": { "type": "app_cookie", "app_cookie": { "cookie_name": "JSESSIONID" } } });
        plugin(config)["target_groups"] = json!({ "blue": app, "green": app });
        weigh(config, 1, 1);
    });
    for _ in 0..4 {
        let mut client = Client::default();
        let response = client.get(lb.sticky, &setting(&["JSESSIONID=1"]));
        let names: BTreeSet<&str> = response.cookie_names().into_iter().collect();
        assert_eq!(names, BTreeSet::from(["AWSALBAPP-0", "AWSALBTG", "AWSALBTGCORS", "JSESSIONID"]));
        for _ in 0..4 {
            assert_eq!(client.get(lb.sticky, "/").body, response.body);
        }
    }
    assert_eq!((lb.counted(Outcome::Pinned), lb.counted(Outcome::Moved)), (16, 0));
}

#[test]
fn a_client_that_names_a_group_itself_achieves_nothing() {
    naming_a_group_achieves_nothing(&Weighted::start(|config| weigh(config, 100, 0)));
}

#[test]
fn a_group_header_achieves_nothing_where_only_the_filter_removes_it() {
    naming_a_group_achieves_nothing(&Weighted::start(|config| {
        weigh(config, 100, 0);
        only_the_filter_guards(config);
    }));
}

#[track_caller]
fn naming_a_group_achieves_nothing(lb: &Weighted) {
    let (client, _) = lb.client_of("blue");
    let named = |client: Client| Client { lines: vec!["X-Sticky-Session-Group: green".to_owned(); 2], ..client };
    let [mut new, mut pinned] = [named(Client::default()), named(client)];
    for _ in 0..4 {
        assert_eq!(group_of(&fetch(lb.sticky, "/", &[b"x-sticky-session-group: green"]).body), "blue");
        assert_eq!(group_of(&new.get(lb.sticky, "/").body), "blue");
        assert_eq!(group_of(&pinned.get(lb.sticky, "/").body), "blue");
    }
    assert!(lb.received().len() > 12);
    for head in lb.received() {
        assert!(!head.contains("x-sticky-session"), "{head}");
    }
}

#[test]
fn requests_are_counted_by_group() {
    let lb = pool::weighted(|config| weigh(config, 1, 1));
    let (mut blue, _) = lb.client_of("blue");
    let (mut green, _) = lb.client_of("green");
    let issued = ["blue", "green"].map(|group| lb.issued_in(group));
    blue.get(lb.sticky, "/");
    green.get(lb.sticky, "/");
    green.get(lb.sticky, "/");
    let pinned = ["blue", "green"].map(|group| lb.counted_in(group, Outcome::Pinned));
    assert_eq!(pinned, [1, 2]);
    assert_eq!(["blue", "green"].map(|group| lb.issued_in(group)), [issued[0] + 1, issued[1] + 2]);
    let text = lb.envoy.admin().prometheus().unwrap();
    let line = "sticky_sessions_target_group{target_group=\"green\",outcome=\"pinned\"} 2";
    assert!(text.lines().any(|present| present == line), "{line} is not in:\n{text}");
}

#[test]
fn the_access_log_names_the_group_the_target_and_the_outcome() {
    let lb = Weighted::start(|config| weigh(config, 100, 0));
    let mut client = Client::default();
    client.get(lb.sticky, "/first");
    client.get(lb.sticky, "/second");
    wait_until("two lines", || lb.envoy.access_log().lines().count() == 2);
    let log = lb.envoy.access_log();
    for (line, path, word) in [(0, " /first 200 blue 127.", " no_cookie"), (1, " /second 200 blue 127.", " pinned")] {
        let line = log.lines().nth(line).unwrap();
        assert!(line.contains(path) && line.ends_with(word), "{line}");
    }
}
