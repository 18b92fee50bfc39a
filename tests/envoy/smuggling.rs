//! Clients that send the headers which only the filter may set, in many spellings. The headers pin nothing, and no target
//! receives them.

use std::io::{Read, Write};

use data_encoding::BASE64;
use local_envoy::Config;
use serde_json::json;

use stickiness::outcome::Outcome;

use harness::{Connection, LoadBalancer, Setup, fetch, forge};

use crate::pool::{self, Pooled};
use crate::raw_http2::{Fate, Field, GET, send};
use crate::steps::{has_not_crashed, only_the_filter_guards};

/// The prefix of the headers that only the filter may set, in any case.
const OURS: &str = "x-sticky-session-";

/// A load balancer with the shipped configuration, and one in which only the filter removes the headers.
fn shipped_and_bare() -> [Pooled; 2] {
    let start = |edit: &dyn Fn(&mut Config)| {
        pool::start(&Setup {
            edit: &|config| {
                // By default Envoy keeps a refused connection open for another second.
                config.connection_manager("sticky").unwrap()["delayed_close_timeout"] = json!("0.1s");
                edit(config);
            },
            ..Setup::default()
        })
    };
    [start(&|_| ()), start(&only_the_filter)]
}

fn only_the_filter(config: &mut Config) {
    only_the_filter_guards(config);
    let manager = config.connection_manager("sticky").unwrap();
    manager["route_config"].as_object_mut().unwrap().remove("request_headers_to_remove").unwrap();
}

/// The filter's header value for the second target.
fn host(lb: &LoadBalancer) -> String {
    BASE64.encode(lb.targets[1].name_in_envoy().as_bytes())
}

/// No client was pinned, and the filter has not crashed.
#[track_caller]
fn nobody_was_pinned(lb: &LoadBalancer) {
    assert_eq!(lb.counted(Outcome::Pinned) + lb.counted(Outcome::Moved), 0);
    has_not_crashed(&lb.envoy);
}

/// No target received the headers, and the filter works.
#[track_caller]
fn achieved_nothing(lb: &LoadBalancer, what: &str) {
    for head in lb.received() {
        assert!(!head.to_ascii_lowercase().lines().any(|line| line.trim_start().starts_with(OURS)), "{what}: {head}");
    }
    let answer = fetch(lb.sticky, "/", &[]);
    assert_eq!((answer.status, answer.set_cookies().len()), (200, 2), "{what}");
}

/// Sends these lines twice. The same target would answer both requests if they were pinned.
#[track_caller]
fn lines_achieve_nothing(lb: &LoadBalancer, lines: &str) {
    lb.targets.iter().for_each(harness::Target::forget);
    let mut bodies = Vec::new();
    for _ in 0..2 {
        let answer = Connection::open(lb.sticky).fetch("/", &[lines.as_bytes()]);
        assert!([200, 400, 403].contains(&answer.status), "{lines:?}: {answer:?}");
        assert!(answer.headers.iter().all(|(name, _)| !name.starts_with(OURS)), "{lines:?}: {answer:?}");
        if answer.status == 200 {
            bodies.push(answer.body);
        }
    }
    assert!(bodies.is_empty() || bodies[0] != bodies[1], "{lines:?}: {bodies:?}");
    achieved_nothing(lb, lines);
}

#[test]
fn no_way_of_writing_our_headers_over_http_1_achieves_anything() {
    for lb in shipped_and_bare() {
        let host = host(&lb);
        for name in
            ["x-sticky-session-host", "X-STICKY-SESSION-HOST", "X-Sticky-Session-Group", "x_sticky_session_host"]
        {
            for lines in [
                format!("{name}: {host}"),
                format!("{name}:{host}"),
                format!("{name}: \t {host} \t"),
                format!("{name}: {host}\r\n{name}: {host}\r\n{name}: other"),
                format!("{name}: {host}, {host}"),
                format!("{name}:"),
                format!("{name} : {host}"),
                format!(" {name}: {host}"),
                format!("a: 1\r\n {name}: {host}"),
                format!("a: 1\n{name}: {host}"),
                format!("a: 1\r{name}: {host}"),
                format!("a: 1\r\r\n{name}: {host}"),
                format!(":{name}: {host}"),
                format!("{name}\0: {host}"),
                format!("{name}\u{ff}: {host}"),
                format!("{name}: {host}\0"),
                format!("connection: {name}\r\n{name}: {host}"),
                format!("{name}: {host}\r\nconnection: close, {name}"),
                format!("te: {name}\r\n{name}: {host}"),
                format!("upgrade: {name}\r\nconnection: upgrade\r\n{name}: {host}"),
            ] {
                lines_achieve_nothing(&lb, &lines);
            }
        }
        nobody_was_pinned(&lb);
    }
}

#[test]
fn a_client_that_declares_our_header_hop_by_hop_keeps_its_pin() {
    let lb = pool::shipped();
    let cookie = format!("cookie: AWSALB={}", forge("web", &lb.targets[1].name_in_envoy(), 0));
    for line in
        ["connection: x-sticky-session-host", "connection: close, x-sticky-session-host", "te: x-sticky-session-host"]
    {
        for _ in 0..2 {
            assert_eq!(fetch(lb.sticky, "/", &[cookie.as_bytes(), line.as_bytes()]).body, "b", "{line}");
        }
    }
}

#[test]
fn a_name_with_underscores_is_another_name_and_envoy_can_drop_it_or_refuse_it() {
    for (action, status, arrives) in [("ALLOW", 200, true), ("DROP_HEADER", 200, false), ("REJECT_REQUEST", 400, false)]
    {
        let lb = LoadBalancer::start(&Setup {
            edit: &|config| {
                only_the_filter(config);
                let manager = config.connection_manager("sticky").unwrap();
                manager["common_http_protocol_options"] = json!({ "headers_with_underscores_action": action });
            },
            ..Setup::default()
        });
        let line = format!("x_sticky_session_host: {}", host(&lb));
        let answers = [0; 2].map(|_| fetch(lb.sticky, "/", &[line.as_bytes()]));
        assert_eq!([answers[0].status, answers[1].status], [status; 2], "{action}");
        assert!(status != 200 || answers[0].body != answers[1].body, "{action}");
        assert_eq!(lb.received().iter().any(|head| head.contains("x_sticky_session_host")), arrives, "{action}");
        achieved_nothing(&lb, action);
        nobody_was_pinned(&lb);
    }
}

/// A request with a body in chunks and these trailers.
fn with_trailers(trailers: &str) -> Vec<u8> {
    let head = "POST / HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n";
    format!("{head}trailer: x-sticky-session-host\r\n\r\n4\r\nbody\r\n0\r\n{trailers}\r\n").into_bytes()
}

#[test]
fn our_headers_as_trailers_over_http_1_achieve_nothing() {
    let lb = pool::shipped();
    for _ in 0..2 {
        let trailers = format!("x-sticky-session-host: {}\r\nx-sticky-session-group: web\r\n", host(&lb));
        let answers = [0; 2].map(|_| Connection::open(lb.sticky).send(&with_trailers(&trailers)));
        assert_eq!(answers.each_ref().map(|answer| answer.status), [200; 2]);
        assert_ne!(answers[0].body, answers[1].body);
    }
    achieved_nothing(&lb, "trailers");
    nobody_was_pinned(&lb);
}

#[test]
fn where_envoy_passes_trailers_on_ours_pin_nothing_though_the_target_is_sent_them_as_trailers() {
    let lb = LoadBalancer::start(&Setup {
        edit: &|config| {
            let trailers = json!({ "enable_trailers": true });
            config.connection_manager("sticky").unwrap()["http_protocol_options"] = trailers.clone();
            let options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
            config.cluster("web").unwrap()["typed_extension_protocol_options"] = json!({ options: {
                "@type": format!("type.googleapis.com/{options}"),
                "explicit_http_config": { "http_protocol_options": trailers }
            } });
        },
        ..Setup::default()
    });
    let trailers = format!("x-sticky-session-host: {}\r\n", host(&lb));
    let answers = [0; 2].map(|_| Connection::open(lb.sticky).send(&with_trailers(&trailers)));
    assert_eq!(answers.each_ref().map(|answer| answer.status), [200; 2]);
    assert_ne!(answers[0].body, answers[1].body);
    for request in lb.received() {
        let (head, trailers) = request.split_once("\r\n\r\n").unwrap();
        assert!(!head.contains("\r\nx-sticky-session") && trailers.contains("x-sticky-session-host"), "{request}");
    }
}

#[test]
fn a_request_inside_the_body_of_another_or_behind_it_is_stripped_too() {
    for lb in shipped_and_bare() {
        let inner = format!("GET /inner HTTP/1.1\r\nhost: test\r\nx-sticky-session-host: {}\r\n\r\n", host(&lb));
        let chunk = format!("{:x}\r\n{inner}\r\n0\r\n\r\n", inner.len());
        for request in [
            format!("GET / HTTP/1.1\r\nhost: test\r\n\r\n{inner}"),
            format!(
                "POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 0\r\ncontent-length: {}\r\n\r\n{inner}",
                inner.len()
            ),
            format!("POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n{chunk}"),
            format!("POST / HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked, identity\r\n\r\n{chunk}"),
            format!("POST / HTTP/1.1\r\nhost: test\r\ntransfer-encoding:\u{b}chunked\r\n\r\n{chunk}"),
        ] {
            lb.targets.iter().for_each(harness::Target::forget);
            let mut connection = std::net::TcpStream::connect(lb.sticky).unwrap();
            let last = "GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
            connection.write_all([request.as_str(), last].concat().as_bytes()).unwrap();
            let mut answers = String::new();
            connection.read_to_string(&mut answers).unwrap();
            assert!(answers.starts_with("HTTP/1.1 "), "{request}: {answers}");
            assert!(!answers.to_ascii_lowercase().contains(OURS), "{request}: {answers}");
            achieved_nothing(&lb, &request);
        }
        nobody_was_pinned(&lb);
    }
}

/// Sends a request with these fields, which achieve nothing, and returns its result.
#[track_caller]
fn fields_achieve_nothing(lb: &LoadBalancer, fields: &[Field<'_>], trailers: &[Field<'_>]) -> Fate {
    let fates = [0; 2].map(|_| send(lb.sticky, fields, trailers));
    assert_eq!(fates[0], fates[1]);
    let names = fields.iter().chain(trailers).map(|(name, _)| String::from_utf8_lossy(name).into_owned());
    let names = names.collect::<Vec<_>>().join(" ");
    if fates[0] == Fate::Served {
        let [a, b] = [0, 1].map(|target: usize| lb.targets[target].received().len());
        assert_eq!((a, b), (1, 1), "{names}");
    }
    achieved_nothing(lb, &names);
    // One more request, so that the next ones begin with the first target again.
    fetch(lb.sticky, "/", &[]);
    lb.targets.iter().for_each(harness::Target::forget);
    fates[0]
}

#[test]
fn no_way_of_writing_our_headers_over_http_2_achieves_anything() {
    for lb in shipped_and_bare() {
        let value = host(&lb).into_bytes();
        let value = value.as_slice();
        let with = |more: &[Field<'_>]| fields_achieve_nothing(&lb, &[&GET, more].concat(), &[]);
        assert_eq!(with(&[]), Fate::Served);
        assert_eq!(with(&[(b"x-sticky-session-host", value)]), Fate::Served);
        assert_eq!(with(&[(b"x-sticky-session-host", value), (b"x-sticky-session-host", value)]), Fate::Served);
        assert_eq!(with(&[(b"x-sticky-session-host", b"")]), Fate::Served);
        assert_eq!(with(&[(b"x-sticky-session-group", b"web")]), Fate::Served);
        assert_eq!(with(&[(b"x_sticky_session_host", value)]), Fate::Served);
        // These are malformed (RFC 9113, sections 8.2 and 8.3).
        for name in [
            b"X-Sticky-Session-Host".as_slice(),
            b":x-sticky-session-host",
            b"x-sticky-session-host ",
            b" x-sticky-session-host",
            b"x-sticky-session-host:",
            b"x-sticky-session-host\0",
            b"x-sticky-session-host\xff",
            b"\xff",
            b"a\r\nx-sticky-session-host",
            b"",
        ] {
            assert_eq!(with(&[(name, value)]), Fate::Refused, "{}", String::from_utf8_lossy(name));
        }
        assert_eq!(with(&[(b"a", b"1\r\nx-sticky-session-host: x")]), Fate::Refused);
        assert_eq!(
            with(&[(b"connection", b"x-sticky-session-host"), (b"x-sticky-session-host", value)]),
            Fate::Refused
        );
        assert_eq!(with(&[(b"te", b"x-sticky-session-host"), (b"x-sticky-session-host", value)]), Fate::Refused);
        // Pseudo fields after another field are malformed too, but Envoy 1.36 serves them.
        let before = [&[(b"x-sticky-session-host".as_slice(), value)], GET.as_slice()].concat();
        fields_achieve_nothing(&lb, &before, &[]);
        nobody_was_pinned(&lb);
    }
}

#[test]
fn our_headers_as_trailers_over_http_2_achieve_nothing() {
    let lb = pool::shipped();
    let value = host(&lb).into_bytes();
    let trailers: [Field<'_>; 2] = [(b"x-sticky-session-host", &value), (b"x-sticky-session-group", b"web")];
    assert_eq!(fields_achieve_nothing(&lb, &GET, &trailers), Fate::Served);
    assert_eq!(fields_achieve_nothing(&lb, &GET, &[(b":x-sticky-session-host", &value)]), Fate::Refused);
    assert_eq!(fields_achieve_nothing(&lb, &GET, &[(b"X-Sticky-Session-Host", &value)]), Fate::Refused);
    nobody_was_pinned(&lb);
}
