//! Tests of the verdict.

use std::time::Duration;

use super::*;

/// Sessions 0 to 299 of `b` moved to `a` and `c` in turn.
fn tally() -> Tally {
    let moved = (0..300).map(|session| moved(session, "b", if session % 2 == 0 { "a" } else { "c" }));
    Tally { sent: 1_000, answered: 1_000, moved: moved.collect(), ..Tally::default() }
}

fn moved(session: usize, from: &str, to: &str) -> Moved {
    Moved { session, from: from.into(), to: to.into(), sent: Instant::now(), ended: Instant::now() }
}

fn lost(pin: &str, loss: Loss, sent: Instant) -> Lost {
    Lost { session: 0, pin: Some(pin.into()), loss, sent, ended: sent }
}

fn b_died() -> Gone {
    let heirs = ["a", "c"].map(str::to_owned).to_vec();
    Gone { target: "b".to_owned(), sessions: 300, heirs, died: None }.known(Loss::Timeout)
}

#[track_caller]
fn wrong(verdict: &Verdict, tally: &Tally) -> String {
    verdict.findings(tally).wrong.join("; ")
}

#[test]
fn nothing_is_wrong_when_all_sessions_of_a_dead_target_move_once_and_evenly() {
    let findings = Verdict::on("x").gone(b_died()).findings(&tally());
    assert_eq!(findings.wrong, Vec::<String>::new());
    assert_eq!(findings.row.join("|"), "x|2000|1000|0|0|0|300|0 of 150 (bound 43)|");
}

#[test]
fn a_session_that_moves_from_a_living_target_is_found() {
    let mut tally = tally();
    tally.moved.push(moved(7, "a", "c"));
    assert!(wrong(&Verdict::on("x").gone(b_died()), &tally).starts_with("1 sessions of living targets moved"));
}

#[test]
fn a_session_that_moves_back_and_forth_or_not_at_all_is_found() {
    let mut tally = tally();
    tally.moved.push(moved(0, "b", "a"));
    assert_eq!(wrong(&Verdict::on("x").gone(b_died()), &tally), "of 300 sessions of b, 299 moved once and 300 in all");
    tally.moved.drain(299..);
    assert_eq!(wrong(&Verdict::on("x").gone(b_died()), &tally), "of 300 sessions of b, 299 moved once and 299 in all");
}

#[test]
fn only_requests_sent_before_the_death_was_known_were_in_flight_to_a_dead_target() {
    let verdict = Verdict::on("x").gone(b_died());
    let known = verdict.gone[0].died.as_ref().unwrap().known;
    let later = known + Duration::from_nanos(1);
    for (lost, is_wrong) in [
        (lost("b", Loss::Timeout, known), false),
        (lost("b", Loss::Timeout, later), true),
        (lost("b", Loss::Status(503), known), true),
        (lost("a", Loss::Timeout, known), true),
    ] {
        let tally = Tally { sent: 1_001, lost: vec![lost.clone()], ..tally() };
        assert_eq!(wrong(&verdict, &tally).starts_with("1 requests were lost"), is_wrong, "{lost:?}");
    }
}

#[test]
fn an_uneven_share_is_found() {
    let mut tally = tally();
    // 44 of 150 too many; five standard deviations are 43.
    (0..88).for_each(|place| tally.moved[place].to = "a".into());
    assert!(wrong(&Verdict::on("x").gone(b_died()), &tally).ends_with("44 of 150 (bound 43)"));
}

#[test]
fn a_request_that_has_not_ended_is_found() {
    let tally = Tally { sent: 1_001, in_flight: 1, ..tally() };
    assert_eq!(wrong(&Verdict::on("x").gone(b_died()), &tally), "some requests have not ended");
}

#[test]
fn excused_effects_are_counted_separately() {
    let tally = Tally { sent: 1_001, lost: vec![lost("a", Loss::Truncated, Instant::now())], ..tally() };
    let verdict = Verdict::on("x")
        .gone(b_died())
        .unserved("answers broken off", |lost| lost.loss == Loss::Truncated)
        .ended("sessions were over", |_| true);
    let findings = verdict.findings(&tally);
    assert_eq!(findings.wrong, Vec::<String>::new());
    assert_eq!(findings.row[8], "1 answers broken off, 0 sessions were over");
}
