//! Very large and very many cookies. Envoy's limits refuse the request, or it is served, and the next request is served too.

use local_envoy::{Config, Plugin};
use serde_json::json;

use stickiness::outcome::Outcome;
use stickiness::trust::key_ring::CookieKind;

use harness::{Client, Connection, KEY, LoadBalancer, Response, Setup, fetch, forge, forge_as};

use crate::raw_http2::{Fate, Field, GET, send};
use crate::steps::has_not_crashed;

/// Envoy's status for request headers beyond its limits.
const TOO_LARGE: u16 = 431;

/// Sends these `Cookie` lines and returns the answer. A client without cookies is served afterwards.
#[track_caller]
fn survive(lb: &LoadBalancer, lines: &[impl AsRef<str>]) -> Response {
    let lines: Vec<Vec<u8>> = lines.iter().map(|line| format!("cookie: {}", line.as_ref()).into_bytes()).collect();
    let answer = Connection::open(lb.sticky).fetch("/", &lines.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let next = fetch(lb.sticky, "/", &[]);
    assert_eq!((next.status, next.set_cookies().len()), (200, 2));
    answer
}

/// The VM has not crashed, and a client is still pinned.
#[track_caller]
fn is_unharmed(lb: &LoadBalancer) {
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    assert_eq!([0; 3].map(|_| client.get(lb.sticky, "/").body), [0; 3].map(|_| home.clone()));
    has_not_crashed(&lb.envoy);
}

/// A `Cookie` value that repeats a pair.
fn repeated(name: &str, value: &str, count: usize) -> String {
    vec![format!("{name}={value}"); count].join("; ")
}

/// A value of `bytes` bytes in the form of a sealed value, with the name of our key.
fn forgery(bytes: usize) -> String {
    let sealed = data_encoding::BASE64_NOPAD.decode(forge("web", "10.0.0.1:80", 0).as_bytes()).unwrap();
    let forged = [&sealed[..5], vec![0; bytes - 5].as_slice()].concat();
    data_encoding::BASE64_NOPAD.encode(&forged)
}

#[test]
fn a_line_of_64_kilobytes_is_refused_by_envoy_and_one_of_59_is_served() {
    let lb = LoadBalancer::shipped();
    assert_eq!(survive(&lb, &[format!("AWSALB={}", "A".repeat(64 * 1024))]).status, TOO_LARGE);
    let before = lb.counted(Outcome::Malformed);
    assert_eq!(survive(&lb, &[format!("AWSALB={}", "A".repeat(59 * 1024))]).status, 200);
    assert_eq!(survive(&lb, &["A".repeat(59 * 1024)]).status, 200);
    assert_eq!(lb.counted(Outcome::Malformed), before + 1);
    is_unharmed(&lb);
}

#[test]
fn ten_thousand_cookies_are_served_and_a_good_one_behind_them_pins() {
    let lb = LoadBalancer::shipped();
    let many = repeated("a", "b", 10_000);
    assert_eq!(survive(&lb, &[many.as_str()]).status, 200);
    let good = format!("{many}; AWSALB={}", forge("web", &lb.targets[1].name_in_envoy(), 0));
    assert_eq!([0; 2].map(|_| survive(&lb, &[good.as_str()]).body), ["b", "b"]);
    // As many empty cookies as fit.
    for bomb in [";".repeat(60_000), "=".repeat(60_000), "AWSALB=;".repeat(7_000), "AWSALB=\"".repeat(7_000)] {
        assert_eq!(survive(&lb, &[bomb]).status, 200);
    }
    // Of cookies with our names 37 are looked at.
    let behind_alike = |count| {
        format!("{}; AWSALB={}", repeated("AWSALB", "x", count), forge("web", &lb.targets[1].name_in_envoy(), 0))
    };
    assert_eq!([0; 2].map(|_| survive(&lb, &[behind_alike(37)]).body), ["b", "b"]);
    let before = lb.counted(Outcome::Malformed);
    assert_eq!(survive(&lb, &[behind_alike(38)]).status, 200);
    assert_eq!(lb.counted(Outcome::Malformed), before + 1);
    is_unharmed(&lb);
}

#[test]
fn hundreds_of_forgeries_that_have_to_be_opened_are_served() {
    let lb = LoadBalancer::shipped();
    // 93 bytes is the shortest value whose authentication tag is checked.
    let shortest = forgery(93);
    let before = lb.counted(Outcome::Malformed);
    let bomb = repeated("AWSALB", &shortest, 435);
    assert!(bomb.len() > 57_000);
    assert_eq!(survive(&lb, &[bomb.as_str()]).status, 200);
    let longest = repeated("AWSALBCORS", &forgery(2_997), 14);
    assert_eq!(survive(&lb, &[longest]).status, 200);
    assert_eq!(lb.counted(Outcome::Malformed), before + 2);
    is_unharmed(&lb);
}

#[test]
fn cookies_in_many_lines_are_served_as_far_as_envoy_lets_them_through() {
    let lb = LoadBalancer::shipped();
    let lines = vec![repeated("AWSALB", &forgery(93), 4); 90];
    assert_eq!(survive(&lb, &lines).status, 200);
    // Envoy accepts at most a hundred headers.
    assert_eq!(survive(&lb, &vec!["a=b".to_owned(); 150]).status, TOO_LARGE);
    is_unharmed(&lb);
}

#[test]
fn crumbs_of_http_2_are_served_as_far_as_envoy_lets_them_through() {
    let lb = LoadBalancer::shipped();
    let forged = format!("AWSALB={}", forgery(93));
    let crumbs = |count: usize| {
        let crumbs = vec![(b"cookie".as_slice(), forged.as_bytes()); count];
        send(lb.sticky, &[GET.as_slice(), &crumbs].concat(), &[])
    };
    assert_eq!(crumbs(80), Fate::Served);
    assert_eq!(lb.counted(Outcome::Malformed), 1);
    assert_eq!(crumbs(5_000), Fate::Refused);
    let good = format!("AWSALB={}", forge("web", &lb.targets[1].name_in_envoy(), 0));
    let split: [Field<'_>; 3] = [(b"cookie", b"a=1"), (b"cookie", good.as_bytes()), (b"cookie", forged.as_bytes())];
    assert_eq!(send(lb.sticky, &[GET.as_slice(), &split].concat(), &[]), Fate::Served);
    assert_eq!(lb.counted(Outcome::Pinned) + lb.counted(Outcome::Moved), 1);
    is_unharmed(&lb);
}

#[test]
fn very_many_shards_are_served() {
    let stickiness = json!({ "type": "app_cookie", "app_cookie": { "cookie_name": "sid" } });
    let plugin = json!({ "target_groups": { "web": { "stickiness": stickiness }, "*": {} } });
    let lb = LoadBalancer::start(&Setup { plugin: Some(Plugin::Struct(plugin)), ..Setup::default() });
    let serve = |cookies: String| {
        let line = format!("cookie: sid=1; {cookies}").into_bytes();
        assert_eq!(Connection::open(lb.sticky).fetch("/", &[&line]).status, 200);
        assert_eq!(fetch(lb.sticky, "/", &[]).status, 200);
    };
    let full = "A".repeat(4_000);
    let shards = |shards: std::ops::Range<usize>| {
        shards.map(|shard| format!("AWSALBAPP-{}={full}", shard % 4)).collect::<Vec<_>>().join("; ")
    };
    serve(shards(0..14));
    serve(shards(0..1));
    serve(shards(1..4));
    // Each first shard announces three more.
    serve(format!("{}; {}", repeated("AWSALBAPP-0", &full, 5), repeated("AWSALBAPP-1", "B", 2_000)));
    serve(repeated("AWSALBAPP-0", &forgery(93), 400));
    serve(repeated("AWSALBAPP-99999999999999999999", "x", 1_000));
    let value = forge_as(CookieKind::AppCookie, KEY, &[("web", &lb.targets[1].name_in_envoy(), 0)]);
    let line = format!("cookie: sid=1; {}; AWSALBAPP-0={value}", repeated("AWSALBAPP-0", "x", 30));
    assert_eq!([0; 2].map(|_| fetch(lb.sticky, "/", &[line.as_bytes()]).body), ["b", "b"]);
}

#[test]
fn where_envoy_reads_a_megabyte_of_headers_the_filter_reads_128_kilobytes_of_cookies() {
    let lb = LoadBalancer::start(&Setup {
        edit: &|config: &mut Config| {
            config.connection_manager("sticky").unwrap()["max_request_headers_kb"] = json!(1_100);
        },
        ..Setup::default()
    });
    let good = format!("AWSALB={}", forge("web", &lb.targets[1].name_in_envoy(), 0));
    let bomb = repeated("AWSALB", &forgery(93), 7_700);
    let before = lb.counted(Outcome::Malformed);
    assert_eq!(survive(&lb, &[format!("{bomb}; {good}")]).status, 200);
    assert_eq!(lb.counted(Outcome::Malformed), before + 1);
    assert_eq!([0; 2].map(|_| survive(&lb, &[format!("{good}; {bomb}")]).body), ["b", "b"]);
    is_unharmed(&lb);
}
