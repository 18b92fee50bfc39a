//! Arbitrary answers from targets. Envoy refuses the answer, or the client gets it with correct cookies of the filter.

use serde_json::json;

use harness::{Client, LoadBalancer, Response, Setup, fetch, setting};

use crate::pool::{self, Pooled};
use crate::steps::{has_not_crashed, only_the_filter_guards};

/// Envoy's statuses for an answer of a target that it refuses.
const REFUSED: [u16; 2] = [502, 503];

/// The types of stickiness that read the cookies of a target, and the one that does not.
fn policies() -> [Pooled; 3] {
    let follows = |kind: &str| json!({ "type": kind, kind: { "cookie_name": "sid" } });
    [json!({ "type": "lb_cookie" }), follows("app_cookie"), follows("classic_app_cookie")]
        .map(|stickiness| pool::with(json!({ "target_groups": { "web": { "stickiness": stickiness } } })))
}

fn is_ours(line: &str) -> bool {
    line.starts_with("AWSALB") || line.starts_with("AWSELB")
}

/// The answer of a target that sets these cookies. It does no harm.
#[track_caller]
fn harmless<L: AsRef<[u8]>>(lb: &LoadBalancer, set_cookies: &[L]) -> Response {
    let what = || set_cookies.iter().map(|line| String::from_utf8_lossy(line.as_ref())).collect::<Vec<_>>();
    let answer = fetch(lb.sticky, &setting(set_cookies), &[]);
    let lines = answer.set_cookies();
    if REFUSED.contains(&answer.status) {
        assert!(lines.is_empty(), "{:?}: {lines:?}", what());
    } else {
        assert_eq!(answer.status, 200, "{:?}", what());
    }
    let ours: Vec<_> = lines.iter().filter(|line| is_ours(line) && !line.contains("evil")).collect();
    assert!(ours.iter().all(|line| !line.contains(char::is_control)), "{:?}: {ours:?}", what());
    assert!(answer.headers.iter().all(|(name, _)| name != "x-sticky-session-host"), "{:?}: {answer:?}", what());
    answer
}

/// The VM has not crashed, and a client that logs in comes back to its target.
#[track_caller]
fn is_unharmed(lb: &LoadBalancer) {
    has_not_crashed(&lb.envoy);
    let mut client = Client::default();
    let home = client.get(lb.sticky, &setting(&["sid=1; Path=/"])).body;
    assert_eq!([0; 3].map(|_| client.get(lb.sticky, "/").body), [0; 3].map(|_| home.clone()));
}

#[test]
fn no_byte_in_what_a_target_sets_does_harm() {
    for lb in policies() {
        for byte in (0..0x20).chain([0x7f, 0x80, 0xc3, 0xff]) {
            for line in [
                [b"sid=a".as_slice(), &[byte], b"b; Path=/"].concat(),
                [b"sid=1; Path=/a".as_slice(), &[byte], b"b; Comment=c"].concat(),
                [b"sid=1; Path=/; HttpOnly".as_slice(), &[byte], b"; a"].concat(),
                [b"si".as_slice(), &[byte], b"d=1; Path=/"].concat(),
            ] {
                harmless(&lb, &[line]);
            }
        }
        is_unharmed(&lb);
    }
}

#[test]
fn a_target_cannot_write_lines_of_its_own_into_our_cookies() {
    for lb in policies() {
        for line in [
            "sid=1; Path=/\r\nx-sticky-session-host: leak",
            "sid=1; Path=/\r\nX-Sticky-Session-Host: leak\r\nx-sticky-session-host: leak",
            "sid=1; Path=/\rset-cookie: evil=1",
            "sid=1; Path=/\nset-cookie: evil=1",
            "sid=1; Path=/\r\ncontent-length: 4\r\n\r\nbody",
            "sid=1; Path=/; Comment=\"a;AWSELB=evil;b\"",
            "sid=1; Path=/; Domain=evil\0.example",
        ] {
            let answer = harmless(&lb, &[line]);
            let ours = answer.set_cookies().into_iter().filter(|line| is_ours(line)).count();
            assert!(REFUSED.contains(&answer.status) || (1..=2).contains(&ours), "{line:?}: {answer:?}");
        }
        is_unharmed(&lb);
    }
}

#[test]
fn lines_that_are_no_cookie_do_no_harm() {
    for lb in policies() {
        for line in
            ["", "=", "=x", ";", ";;;", "; Path=/", "sid", "sid=", "sid=;", "=sid=1", "sid =1", "\"sid\"=1", "sid=\"1"]
        {
            harmless(&lb, &[line]);
            harmless(&lb, &[line, "sid=1; Path=/", line]);
        }
        for attributes in [
            "Max-Age=",
            "Max-Age=99999999999999999999999",
            "Max-Age=-99999999999999999999999",
            "Expires=",
            "Expires=Thu, 99 Foo 99999 99:99:99 GMT",
            "Domain=another.example",
            "Domain=; Path=; SameSite=; Version=; Port=",
            "Path=%0d%0aset-cookie:evil=1",
            "SameSite=\u{202e}; Comment=\u{1f36a}",
        ] {
            harmless(&lb, &[format!("sid=1; {attributes}")]);
        }
        is_unharmed(&lb);
    }
}

#[test]
fn very_many_and_very_long_lines_do_no_harm() {
    for lb in policies() {
        assert_eq!(harmless(&lb, &vec!["sid=1; Path=/"; 80]).status, 200);
        let long = format!("sid=1; Path=/{}", "x".repeat(8_000));
        assert_eq!(harmless(&lb, &[long]).status, 200);
        let attributes = format!("sid=1{}", "; Path=/".repeat(1_000));
        assert_eq!(harmless(&lb, &[attributes]).status, 200);
        is_unharmed(&lb);
    }
}

#[test]
fn a_target_that_sets_our_cookies_itself_does_not_end_a_session() {
    for lb in policies() {
        let mut client = Client::default();
        let evil = ["AWSALB", "AWSALBCORS", "AWSALBAPP-0", "AWSALBAPP-1", "AWSALBTG", "AWSELB", "AWSELBCORS"]
            .map(|name| format!("{name}=evil; Path=/"));
        let lines: Vec<String> = evil.into_iter().chain(["sid=1; Path=/".to_owned()]).collect();
        let home = client.get(lb.sticky, &setting(&lines)).body;
        // The filter's lines come after the target's, and a client keeps the second of two cookies with one name.
        assert_eq!([0; 3].map(|_| client.get(lb.sticky, "/").body), [0; 3].map(|_| home.clone()));
        is_unharmed(&lb);
    }
}

#[test]
fn the_address_of_a_target_is_in_no_answer_whatever_it_was() {
    let lb = pool::start(&Setup { edit: &only_the_filter_guards, ..Setup::default() });
    for path in ["/", "/leak", "/500", "/garbage", "/redirect", "/not-modified", &setting(&["a=\0"])] {
        let answer = fetch(lb.sticky, path, &[]);
        assert!(answer.headers.iter().all(|(name, _)| name != "x-sticky-session-host"), "{path}: {answer:?}");
        if REFUSED.contains(&answer.status) {
            assert_eq!(answer.set_cookies().len(), 0, "{path}");
        }
    }
    is_unharmed(&lb);
}
