//! Tests of a crowd that sends its requests directly to targets, without a load balancer.

use std::io::{Read, Write};
use std::net::TcpListener;

use super::*;
use crate::{Backend, Behaviour, Loss};

const SOON: Duration = Duration::from_secs(20);

fn before(target: &Backend) -> CrowdSettings {
    CrowdSettings { sessions: 20, connections: 4, ..CrowdSettings::through(&[target.address()]) }
}

#[test]
fn all_sessions_take_equally_many_turns_and_the_tally_adds_up() {
    let target = Backend::start("a");
    let pause = Duration::from_millis(10);
    let settings = CrowdSettings { requests: Some(100), pause, ..before(&target) };
    let crowd = Crowd::start(&settings);
    crowd.wait_until_all_have_a_pin();
    assert_eq!(crowd.pins(), [("a".to_owned(), 20)].into());
    let tally = crowd.wait_until_done(SOON);
    assert_eq!((crowd.fewest_answers_of_a_session(), crowd.fewest_answers_of_a_connection() > 0), (5, true));
    assert_eq!(
        tally.to_string(),
        "sent 100, answered 100, refused {}, repeated 0, in flight 0, moved 0, lost 0 {}, connections 4"
    );
}

#[test]
fn a_killed_target_refuses_until_it_is_started_again() {
    let mut target = Backend::start("a");
    let crowd = Crowd::start(&before(&target));
    crowd.wait_until_all_have_a_pin();
    let (before, killed) = (crowd.so_far(), Instant::now());
    target.kill();
    crowd.wait_for("refused connections", SOON, |all| all.lost.iter().any(|lost| lost.loss == Loss::Refused));
    assert!(crowd.so_far().lost.iter().all(|lost| lost.pin.as_deref() == Some("a") && lost.ended > killed));
    target.start_again();
    crowd.wait_for("all to be in flight or through", SOON, |all| all.answered > before.answered + 100);
    let tally = crowd.stop();
    assert_eq!(tally.sent, tally.answered + tally.lost.len() as u64);
    assert_eq!((tally.in_flight, tally.moved.len()), (0, 0));
}

#[test]
fn a_hung_target_answers_in_time_only_after_it_is_resumed() {
    let target = Backend::start("a");
    let timeout = Duration::from_millis(300);
    let crowd = Crowd::start(&CrowdSettings { timeout, ..before(&target) });
    crowd.wait_until_all_have_a_pin();
    target.hang();
    crowd.wait_for("timeouts", SOON, |all| all.lost.len() >= 4);
    let hung = crowd.so_far();
    assert!(hung.lost.iter().all(|lost| lost.loss == Loss::Timeout && lost.ended - lost.sent >= timeout));
    target.resume();
    crowd.wait_for("answers", SOON, |all| all.answered > hung.answered + 100);
}

#[test]
fn an_error_of_a_target_is_refused_and_a_broken_answer_is_lost() {
    let target = Backend::start("a");
    let crowd = Crowd::start(&before(&target));
    crowd.wait_until_all_have_a_pin();
    target.behave(Behaviour::Status(500));
    crowd.wait_for("500", SOON, |all| all.refused.get(&500).is_some_and(|count| *count > 10));
    assert_eq!(crowd.so_far().losses(), [].into());
    target.behave(Behaviour::ResetMidResponse);
    crowd.wait_for("broken answers", SOON, |all| all.lost.len() > 10);
    assert!(crowd.so_far().lost.iter().all(|lost| lost.loss == Loss::Truncated));
    target.behave(Behaviour::Slow(Duration::from_millis(50)));
    // At most one request on each connection was in flight when the target became slow.
    let slow = crowd.so_far();
    let passed = Instant::now();
    crowd.wait_for("slow answers", SOON, |all| all.answered >= slow.answered + 12);
    assert!(passed.elapsed() >= Duration::from_millis(100));
}

#[test]
fn an_unhealthy_target_says_so_and_goes_on_answering() {
    let target = Backend::start("a");
    let health = || local_envoy::http::get(target.address(), crate::HEALTH_CHECK).unwrap().status;
    assert_eq!(health(), 200);
    target.behave(Behaviour::Unhealthy);
    assert_eq!(health(), 503);
    let tally = Crowd::start(&CrowdSettings { requests: Some(20), ..before(&target) }).wait_until_done(SOON);
    assert_eq!(tally.answered, 20);
}

#[test]
fn a_session_that_another_target_answers_has_moved() {
    let targets = [Backend::start("a"), Backend::start("b")];
    // With several connections, one could still lead to `a` after another leads to `b`, and a session would move back.
    let settings = CrowdSettings { connections: 1, requests_per_connection: Some(5), ..before(&targets[0]) };
    let crowd = Crowd::start(&settings);
    crowd.wait_until_all_have_a_pin();
    crowd.set_listeners(&[targets[1].address()]);
    crowd.wait_for("all to move", SOON, |all| all.moved.len() == 20);
    assert_eq!(crowd.pins(), [("b".to_owned(), 20)].into());
    let tally = crowd.stop();
    let ways = tally.moved.iter().map(|moved| (&*moved.from, &*moved.to));
    assert!(ways.clone().all(|way| way == ("a", "b")), "{:?}", ways.collect::<Vec<_>>());
    assert_eq!(tally.losses(), [].into());
}

/// A server that answers the first request of each connection and closes the connection at the second one.
fn closes_upon_the_second() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut request = [0; 1000];
            let _ = connection.read(&mut request);
            let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nx-target: a\r\ncontent-length: 0\r\n\r\n");
            let _ = connection.read(&mut request);
        }
    });
    address
}

#[test]
fn a_request_on_a_connection_that_ends_before_its_answer_is_sent_again_and_not_lost() {
    let settings = CrowdSettings {
        sessions: 1,
        connections: 1,
        requests: Some(4),
        ..CrowdSettings::through(&[closes_upon_the_second()])
    };
    let tally = Crowd::start(&settings).wait_until_done(SOON);
    assert_eq!((tally.sent, tally.answered, tally.repeated, tally.connections), (4, 4, 3, 4));
}

#[test]
fn a_connection_that_ends_before_the_first_answer_on_it_loses_the_request() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let settings =
        CrowdSettings { sessions: 1, connections: 1, requests: Some(3), ..CrowdSettings::through(&[address]) };
    let tally = Crowd::start(&settings).wait_until_done(SOON);
    assert_eq!(tally.losses(), [("reset".to_owned(), 3)].into());
}
