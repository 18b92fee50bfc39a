//! A target group without a healthy target.

use crate::exchange::AnsweredBy;
use crate::outcome::Outcome;
use crate::testing::{Client, Fixture, TargetAnswer, WEB_A, after, answer_by};
use crate::time::Timestamp;

const BLUE: TargetAnswer<'static> = TargetAnswer { target_group: "blue", target: "10.0.1.1:80", ..WEB_A };
const GREEN: TargetAnswer<'static> = TargetAnswer { target_group: "green", target: "10.0.2.1:80", ..WEB_A };

fn fixture(on_empty_group: &str) -> Fixture {
    Fixture::new(&format!(
        r#"{{"rules": [{{"target_groups": ["blue", "green"], {on_empty_group}
            "target_group_stickiness": {{"duration_seconds": 3600}}}}]}}"#
    ))
}

fn repicking() -> Fixture {
    fixture(r#""on_empty_group": "repick", "probe_path": "/healthz","#)
}

/// A client of blue.
fn client_of_blue(fixture: &Fixture) -> Client {
    let mut client = Client::default();
    client.ask(fixture, BLUE);
    client
}

fn reroute(fixture: &Fixture, client: &Client, routed: &str, now: Timestamp) -> Option<String> {
    fixture.receive(routed, &client.cookies(), now).unwrap().reroute().map(str::to_owned)
}

#[test]
fn its_clients_fail_as_at_aws_unless_told_otherwise() {
    let fixture = fixture("");
    let client = client_of_blue(&fixture);
    fixture.empty.borrow_mut().push("blue");
    assert_eq!(reroute(&fixture, &client, "green", after(11)).as_deref(), Some("blue"));
    assert!(fixture.asked.borrow().is_empty());
}

#[test]
fn its_clients_go_to_another_group_and_stay_there() {
    let fixture = repicking();
    let mut client = client_of_blue(&fixture);
    fixture.empty.borrow_mut().push("blue");
    for routed in ["green", "blue"] {
        let seen = client.clone().ask_routed(&fixture, routed, TargetAnswer { at: after(11), ..GREEN }).unwrap();
        assert_eq!((seen.reroute.as_deref(), seen.pin, seen.outcome), (Some("green"), None, Outcome::Moved));
    }
    client.ask_routed(&fixture, "blue", TargetAnswer { at: after(11), ..GREEN });
    fixture.empty.borrow_mut().clear();
    assert_eq!(reroute(&fixture, &client, "blue", after(20)).as_deref(), Some("green"));
}

#[test]
fn a_request_that_went_elsewhere_counts_for_the_group_of_its_cookie() {
    let fixture = repicking();
    let client = client_of_blue(&fixture);
    fixture.empty.borrow_mut().push("blue");
    let counted = |cookies: &str| {
        let session = fixture.receive("blue", cookies, after(11)).unwrap();
        let answer = answer_by(AnsweredBy::LoadBalancer, after(11));
        fixture.balancer.reply(session, &answer, &mut || None).counted_group.to_string()
    };
    assert_eq!([counted(&client.cookies()), counted("")], ["blue", "green"]);
}

#[test]
fn new_clients_do_not_go_there_either() {
    let fixture = repicking();
    fixture.empty.borrow_mut().push("blue");
    assert_eq!(reroute(&fixture, &Client::default(), "blue", after(11)).as_deref(), Some("green"));
    assert_eq!(reroute(&fixture, &Client::default(), "green", after(11)), None);
}

#[test]
fn its_clients_are_back_when_a_target_is() {
    let fixture = repicking();
    let client = client_of_blue(&fixture);
    fixture.empty.borrow_mut().push("blue");
    assert_eq!(reroute(&fixture, &client, "green", after(11)).as_deref(), Some("green"));
    fixture.empty.borrow_mut().clear();
    assert_eq!(reroute(&fixture, &client, "green", after(13)).as_deref(), Some("blue"));
}

/// A client of blue, of which a request was answered because no healthy target was found.
fn client_that_found_no_target(fixture: &Fixture) -> Client {
    let client = client_of_blue(fixture);
    let session = fixture.receive("blue", &client.cookies(), after(1)).unwrap();
    assert_eq!(session.reroute(), Some("blue"));
    let answer = answer_by(AnsweredBy::NoHealthyTarget { target_group: "blue".into() }, after(1));
    let reply = fixture.balancer.reply(session, &answer, &mut || None);
    assert_eq!((reply.outcome, reply.headers().count()), (Outcome::Pinned, 0));
    client
}

#[test]
fn a_request_that_found_no_target_empties_no_group_that_has_one() {
    let fixture = repicking();
    let client = client_that_found_no_target(&fixture);
    for _ in 0..3 {
        assert_eq!(reroute(&fixture, &client, "green", after(1)).as_deref(), Some("blue"));
    }
    // The first question is that of the first request of a worker.
    assert_eq!(*fixture.asked.borrow(), ["blue/healthz", "blue/healthz"]);
}

#[test]
fn a_request_that_found_no_target_has_its_group_asked_and_left_if_it_is_empty() {
    let fixture = repicking();
    let client = client_that_found_no_target(&fixture);
    fixture.empty.borrow_mut().push("blue");
    for _ in 0..3 {
        assert_eq!(reroute(&fixture, &client, "green", after(1)).as_deref(), Some("green"));
    }
    assert_eq!(*fixture.asked.borrow(), ["blue/healthz", "blue/healthz", "green/healthz"]);
}

#[test]
fn a_group_that_takes_no_question_is_not_empty_while_it_is_at_work() {
    let fixture = repicking();
    let client = client_of_blue(&fixture);
    let slow = fixture.receive("blue", &client.cookies(), after(1)).unwrap();
    fixture.empty.borrow_mut().push("blue");
    assert_eq!(reroute(&fixture, &client, "blue", after(60)).as_deref(), Some("blue"));
    let _ = fixture.balancer.reply(slow, &answer_by(AnsweredBy::LoadBalancer, after(60)), &mut || None);
    assert_eq!(reroute(&fixture, &client, "blue", after(60)).as_deref(), Some("blue"), "the one before is under way");
}

#[test]
fn of_several_groups_the_first_of_the_rule_that_is_not_empty_takes_over() {
    for (empty, next) in [(vec!["blue"], "green"), (vec!["blue", "green"], "red")] {
        let fixture = Fixture::new(
            r#"{"rules": [{"target_groups": ["blue", "green", "red"], "on_empty_group": "repick",
                "target_group_stickiness": {"duration_seconds": 3600}}]}"#,
        );
        *fixture.empty.borrow_mut() = empty;
        assert_eq!(reroute(&fixture, &Client::default(), "blue", after(11)).as_deref(), Some(next));
    }
}

#[test]
fn when_every_group_is_empty_nobody_is_sent_elsewhere() {
    let fixture = repicking();
    let client = client_of_blue(&fixture);
    fixture.empty.borrow_mut().extend(["blue", "green"]);
    assert_eq!(reroute(&fixture, &client, "green", after(11)).as_deref(), Some("blue"));
}
