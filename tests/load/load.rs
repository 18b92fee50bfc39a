//! The run.

use std::io::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use harness::{Report, Setup, counted, start_envoy, wait_until};
use local_envoy::{Config, Envoy};
use serde_json::json;
use stickiness::outcome::Outcome;
use traffic::{Backend, Crowd, CrowdSettings, allow_open_files};

use crate::memory::{Bound, Memory};
use crate::size::Size;

static REPORT: Report = Report::of(
    "load",
    &["connections", "sessions", "requests", "errors", "moved sessions", "repeated", "requests per second"],
);

static COUNTS: Report = Report::of("load-counts", &["counter", "counted", "expected"]);

static MEMORY: Report =
    Report::of("load-memory", &["of Envoy, in MB", "before", "warm", "in the middle", "at the end", "bound"]);

/// The number of memory samples.
const SAMPLES: u64 = 10;

/// The limit of Envoy's connections to the targets.
const TO_TARGETS: usize = 500;

/// The time for a run. It suffices for a tenth of the speed of two processors.
fn patience(size: Size) -> Duration {
    Duration::from_mins(1) + Duration::from_secs(size.requests / 500)
}

/// Changes the shipped configuration.
fn edit(config: &mut Config, size: Size) {
    let manager = config.connection_manager("sticky").unwrap();
    // The test would keep the access log in memory. Ten million lines are more than the sessions need.
    manager.as_object_mut().unwrap().remove("access_log");
    // Every connection has a request in flight, and all of them wait for two processors.
    let routes = manager["route_config"]["virtual_hosts"][0]["routes"].as_array_mut().unwrap();
    routes.last_mut().unwrap()["route"]["timeout"] = json!("60s");
    let web = config.cluster("web").unwrap();
    let limits = &mut web["circuit_breakers"]["thresholds"][0];
    limits["max_requests"] = json!(size.connections);
    limits["max_pending_requests"] = json!(size.connections);
    // So few connections are open before the warm sample, and they stay below the limit of open files.
    limits["max_connections"] = json!(TO_TARGETS);
    // A target that waits for a processor is not dead.
    web["health_checks"][0]["timeout"] = json!("30s");
    web["connect_timeout"] = json!("30s");
}

#[test]
fn no_request_fails_no_session_moves_every_count_is_exact_and_memory_stays_flat() {
    let size @ Size { connections, sessions, requests } = Size::from_environment();
    allow_open_files(connections).unwrap_or_else(|error| panic!("{error}"));
    let targets = ["a", "b", "c", "d"].map(Backend::start);
    let addresses: Vec<SocketAddr> = targets.iter().map(Backend::address).collect();
    let envoy = start_envoy(&addresses, &Setup { workers: 2, edit: &|config| edit(config, size), ..Setup::default() });
    wait_until("all targets to be healthy", || envoy.admin().healthy_hosts("web") == Ok(targets.len()));
    let before = Memory::of(&envoy);

    let start = Instant::now();
    let crowd = Crowd::start(&CrowdSettings {
        sessions,
        connections,
        requests: Some(requests),
        timeout: Duration::from_mins(1),
        ..CrowdSettings::through(&[envoy.address("sticky").unwrap()])
    });
    let samples: Vec<Memory> = (0..SAMPLES).map(|number| sample(number, &crowd, &envoy, size)).collect();
    let tally = crowd.wait_until_done(patience(size));
    let took = start.elapsed();

    let errors = requests - tally.answered;
    let per_second = u128::from(requests) * 1000 / took.as_millis();
    REPORT.row(&[
        connections.to_string(),
        sessions.to_string(),
        requests.to_string(),
        errors.to_string(),
        tally.moved.len().to_string(),
        tally.repeated.to_string(),
        per_second.to_string(),
    ]);
    let counts = counts(&envoy, size);
    for (counter, counted, expected) in &counts {
        COUNTS.row(&[counter.clone(), counted.to_string(), expected.to_string()]);
    }
    let bound = Bound::after(&samples[0]);
    for (what, cells) in
        Memory::rows(&[before, samples[0], samples[samples.len() / 2], samples[samples.len() - 1], bound.0])
    {
        MEMORY.row(&[vec![what.to_owned()], cells].concat());
    }

    assert_eq!((errors, tally.repeated), (0, 0), "{tally}");
    assert_eq!(tally.moved, [], "{tally}");
    assert!(crowd.fewest_answers_of_a_session() >= 2, "a session has not returned");
    assert!(crowd.fewest_answers_of_a_connection() >= 2, "a connection was open, but not used");
    for (counter, counted, expected) in counts {
        assert_eq!(counted, expected, "{counter}");
    }
    bound.assert_holds_for(&samples);
}

/// Takes a memory sample while requests are in flight, and prints it, because a long run is silent otherwise. At the first sample the
/// memory is warm: all connections are open, all sessions have been there, and half of them have returned.
#[track_caller]
fn sample(number: u64, crowd: &Crowd, envoy: &Envoy, size: Size) -> Memory {
    let warm = size.sessions as u64 * 3 / 2;
    let enough = warm + (size.requests - warm) / SAMPLES * number;
    crowd.wait_for(&format!("{enough} requests"), patience(size), |all| all.sent - all.in_flight >= enough);
    let memory = Memory::of(envoy);
    // The test runner would capture eprintln!.
    let _ = writeln!(std::io::stderr(), "{} Envoy: {memory}", crowd.so_far());
    memory
}

/// Each counter of the filter and of Envoy, with its value and the expected value.
#[track_caller]
fn counts(envoy: &Envoy, size: Size) -> Vec<(String, u64, u64)> {
    let of_envoy = |name: &str| envoy.admin().counter(name).unwrap();
    // Envoy counts a request a moment after the client has the answer.
    wait_until("the last request to be counted", || of_envoy("http.sticky.downstream_rq_completed") >= size.requests);
    // A worker that is still busy then tells Envoy its counts with the next tick of its timer.
    let outcomes = || Outcome::ALL.map(|outcome| counted(envoy, "web", outcome.word())).iter().sum::<u64>();
    wait_until("the filter to tell its last counts", || outcomes() >= size.requests);
    let (first, returns) = (size.sessions as u64, size.requests - size.sessions as u64);
    let expected = |outcome| match outcome {
        Outcome::NoCookie => first,
        Outcome::Pinned => returns,
        _ => 0,
    };
    let of_filter = Outcome::ALL.map(|outcome| (outcome.word(), expected(outcome))).into_iter();
    let of_filter = of_filter.chain([("issued", size.requests)]);
    let of_filter =
        of_filter.map(|(word, expected)| (format!("{word} of the filter"), counted(envoy, "web", word), expected));
    let of_envoy = [
        ("http.sticky.downstream_rq_total", size.requests),
        ("http.sticky.downstream_rq_completed", size.requests),
        ("http.sticky.downstream_rq_2xx", size.requests),
        ("http.sticky.downstream_cx_total", size.connections as u64),
        ("http.sticky.downstream_cx_active", size.connections as u64),
        ("cluster.web.upstream_rq_retry", 0),
        ("cluster.web.upstream_rq_timeout", 0),
        ("cluster.web.upstream_rq_pending_overflow", 0),
    ]
    .map(|(name, expected)| (name.to_owned(), of_envoy(name), expected));
    of_filter.chain(of_envoy).collect()
}
