//! Arbitrary bytes from clients. Every request is served, and only a sealed value pins.

use data_encoding::BASE64;

use stickiness::outcome::Outcome;

use harness::{Client, LoadBalancer, OTHER_KEY, Setup, fetch, forge, forge_with};
use local_envoy::Plugin;

use crate::pool;
use crate::steps::{cookie_line, has_not_crashed, only_the_filter_guards};

/// Sends these lines so often that a request without a pin would reach the other target.
#[track_caller]
fn is_pinned_to_b(lb: &LoadBalancer, lines: &[&[u8]]) {
    for _ in 0..4 {
        assert_eq!(fetch(lb.sticky, "/", lines).body, "b");
    }
}

#[test]
fn bad_cookies_are_served_unpinned_and_counted_by_what_is_wrong_with_them() {
    let lb = pool::shipped();
    let b = lb.targets[1].name_in_envoy();
    let good = forge("web", &b, 0);
    let flipped = if good.ends_with('A') { format!("{}B", &good[..123]) } else { format!("{}A", &good[..123]) };
    let cases = [
        (Outcome::NoCookie, "foreign=1"),
        (Outcome::NoCookie, "AWSALB"),
        (Outcome::NoCookie, "AWSALB=_remove_"),
        (Outcome::NoCookie, &format!("awsalb={good}")),
        (Outcome::Malformed, "AWSALB="),
        (Outcome::Malformed, "AWSALB=garbage"),
        (Outcome::Malformed, "AWSALB=\"\"; ;;; =; AWSALB"),
        (Outcome::Malformed, &format!("AWSALB={}", &good[..100])),
        (Outcome::Malformed, &format!("AWSALB={flipped}")),
        (Outcome::Malformed, &format!("AWSALB={good}AAAA")),
        (Outcome::Malformed, &format!("AWSALB={}", "A".repeat(20_000))),
        (Outcome::Malformed, &format!("AWSALB={}", BASE64.encode(b.as_bytes()))),
        (Outcome::Malformed, "AWSALB=%ff%00%zz%"),
        (Outcome::UnknownKey, &format!("AWSALB={}", forge_with(OTHER_KEY, "web", &b, 0))),
        (Outcome::WrongGroup, &format!("AWSALB={}", forge("api", &b, 0))),
        (Outcome::Expired, &format!("AWSALB={}", forge("web", &b, 100_000))),
    ];
    for (outcome, cookie) in cases {
        let before = lb.counted(outcome);
        let bodies = [fetch(lb.sticky, "/", &[&cookie_line(cookie)]), fetch(lb.sticky, "/", &[&cookie_line(cookie)])]
            .map(|r| r.body);
        assert_ne!(bodies[0], bodies[1], "{cookie}");
        assert_eq!(lb.counted(outcome), before + 2, "{cookie}");
    }
    assert_eq!(lb.counted(Outcome::Pinned) + lb.counted(Outcome::Moved), 0);
    is_pinned_to_b(&lb, &[&cookie_line(&format!("AWSALB={good}"))]);
}

#[test]
fn bytes_that_are_no_text_leave_the_filter_alive() {
    let lb = pool::shipped();
    for cookie in [b"cookie: AWSALB=\xff".as_slice(), b"cookie: \xfe\xff=\x80; \xc3\x28", b"x-other: \xff"] {
        assert_eq!(fetch(lb.sticky, "/", &[cookie]).status, 200);
        assert_eq!(fetch(lb.sticky, "/", &[]).set_cookies().len(), 2);
    }
    let good = format!("; AWSALB={}", forge("web", &lb.targets[1].name_in_envoy(), 0));
    is_pinned_to_b(&lb, &[&[b"cookie: foreign=\xff\xfe; AWSALBCORS=\xff".as_slice(), good.as_bytes()].concat()]);
    has_not_crashed(&lb.envoy);
}

#[test]
fn one_good_value_among_30_cookies_of_its_name_pins_and_1500_bad_ones_do_not() {
    let lb = pool::shipped();
    let bad = vec!["AWSALB=x"; 1_500].join("; ");
    assert_eq!(fetch(lb.sticky, "/", &[&cookie_line(&bad)]).status, 200);
    assert_eq!(lb.counted(Outcome::Malformed), 1);
    let good = forge("web", &lb.targets[1].name_in_envoy(), 0);
    let bad = vec!["AWSALB=x"; 30].join("; ");
    is_pinned_to_b(&lb, &[&cookie_line(&format!("{bad}; AWSALB={good}"))]);
}

#[test]
fn one_good_value_in_any_of_several_cookie_lines_pins() {
    let lb = pool::shipped();
    let good = cookie_line(&format!("a=b; AWSALB={}", forge("web", &lb.targets[1].name_in_envoy(), 0)));
    is_pinned_to_b(&lb, &[b"cookie: a=1; AWSALB=x", b"Cookie: b=2", &good, b"COOKIE: AWSALB=y"]);
}

#[test]
fn a_value_that_is_percent_encoded_or_quoted_pins() {
    let lb = pool::shipped();
    let good = forge("web", &lb.targets[1].name_in_envoy(), 0);
    let encoded = good.replace('+', "%2B").replace('/', "%2f").replacen(&good[..1], "%41", 1);
    is_pinned_to_b(&lb, &[&cookie_line(&format!("AWSALB={encoded}"))]);
    is_pinned_to_b(&lb, &[&cookie_line(&format!("AWSALB=\"{good}\""))]);
}

#[test]
fn the_twin_alone_pins_and_wins_over_the_plain_cookie() {
    let lb = pool::shipped();
    let [a, b] = [0, 1].map(|target: usize| forge("web", &lb.targets[target].name_in_envoy(), 0));
    is_pinned_to_b(&lb, &[&cookie_line(&format!("AWSALBCORS={b}"))]);
    is_pinned_to_b(&lb, &[&cookie_line(&format!("AWSALB={a}; AWSALBCORS={b}"))]);
    is_pinned_to_b(&lb, &[&cookie_line(&format!("AWSALB={a}")), &cookie_line(&format!("AWSALBCORS={b}"))]);
    is_pinned_to_b(&lb, &[&cookie_line(&format!("AWSALBCORS=broken; AWSALB={b}"))]);
}

#[test]
fn a_client_that_sends_our_headers_itself_achieves_nothing() {
    our_headers_achieve_nothing(&pool::shipped());
}

#[test]
fn our_headers_achieve_nothing_where_only_the_filter_removes_them() {
    our_headers_achieve_nothing(&pool::start(&Setup { edit: &only_the_filter_guards, ..Setup::default() }));
}

#[track_caller]
fn our_headers_achieve_nothing(lb: &LoadBalancer) {
    let b = BASE64.encode(lb.targets[1].name_in_envoy().as_bytes());
    let host = format!("X-Sticky-Session-Host: {b}").into_bytes();
    let lines: [&[u8]; 4] = [&host, &host, b"x-sticky-session-group: web", b"x_sticky_session_host: x"];
    let bodies = [fetch(lb.sticky, "/", &lines).body, fetch(lb.sticky, "/", &lines).body];
    assert_ne!(bodies[0], bodies[1]);

    let a = cookie_line(&format!("AWSALB={}", forge("web", &lb.targets[0].name_in_envoy(), 0)));
    for _ in 0..4 {
        let group: &[u8] = b"x-sticky-session-group: api";
        assert_eq!(fetch(lb.sticky, "/", &[&host, &a, group, &host]).body, "a");
    }
    for head in lb.received() {
        assert!(!head.contains("x-sticky-session"), "{head}");
    }
}

#[test]
fn our_headers_are_removed_where_the_target_group_is_not_sticky() {
    let off = r#"{"target_groups": {"web": {"stickiness": {"enabled": false}}}}"#;
    let lb = pool::start(&Setup { plugin: Some(Plugin::Json(off)), edit: &only_the_filter_guards, ..Setup::default() });
    let host = format!("x-sticky-session-host: {}", BASE64.encode(lb.targets[1].name_in_envoy().as_bytes()));
    let answers = [0; 2].map(|_| fetch(lb.sticky, "/", &[host.as_bytes()]));
    assert_ne!(answers[0].body, answers[1].body);
    for answer in answers {
        assert_eq!(answer.all("x-sticky-session-host").count(), 0);
        assert_eq!(answer.set_cookies().len(), 0);
    }
}

#[test]
fn neither_the_client_nor_the_target_sees_our_headers_or_an_address() {
    nobody_sees_our_headers(&pool::shipped(), &["/", "/", "/leak", "/500"]);
}

#[test]
fn the_filter_alone_removes_its_headers_from_answers() {
    // The answer to the first request is not pinned. Of a pinned one, the words of the pinned target itself under this name are left,
    // because stateful_session writes none then, and to look for them would cost a call.
    let lb = pool::start(&Setup { edit: &only_the_filter_guards, ..Setup::default() });
    nobody_sees_our_headers(&lb, &["/leak", "/", "/", "/500"]);
}

#[track_caller]
fn nobody_sees_our_headers(lb: &LoadBalancer, paths: &[&str]) {
    let mut client = Client::default();
    for path in paths {
        let response = client.get(lb.sticky, path);
        assert!(response.headers.iter().all(|(name, _)| !name.starts_with("x-sticky")), "{response:?}");
        let sealed = data_encoding::BASE64_NOPAD.decode(client.jar["AWSALB"].as_bytes()).unwrap();
        assert!(!String::from_utf8_lossy(&sealed).contains("127.0.0.1"));
    }
    assert!(lb.counted(Outcome::Pinned) >= 3);
    for head in lb.received() {
        assert!(!head.contains("x-sticky-session"), "{head}");
    }
}

#[test]
fn the_applications_own_cookies_reach_the_target_untouched() {
    let lb = pool::shipped();
    let good = forge("web", &lb.targets[1].name_in_envoy(), 0);
    let sent = format!("cookie: a=1; AWSALB={good}; session=\"x y\"");
    fetch(lb.sticky, "/", &[sent.as_bytes()]);
    assert!(lb.targets[1].received()[0].contains(&sent));
}
