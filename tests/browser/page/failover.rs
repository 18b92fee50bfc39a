//! An instance that dies or calls itself unhealthy, with a visitor pinned to it.

use super::place::other;
use super::{Lane, Place, Visit};
use crate::Passed;

#[test]
fn when_the_instance_dies_one_refresh_shows_the_page_of_the_other_and_that_the_session_moved() -> Passed {
    let mut place = Place::find()?;
    let visit = Visit::sticky(&place)?;
    visit.log_in("alice")?;
    let (first, second) = (visit.instance()?, other(&visit.instance()?)?);
    place.stop(&first)?;
    visit.refresh()?;
    assert_eq!((visit.instance()?, visit.user()?), (second.to_owned(), String::new()));
    let notice = visit.notice()?;
    assert!(notice.contains(&format!("from {first} to {second}")), "{notice}");
    // Who is not known any more.
    assert!(visit.browser.text(&format!("{} .account", Lane::Sticky))?.contains("alice"));
    Ok(())
}

#[test]
fn when_the_instance_is_back_the_session_stays_where_it_went() -> Passed {
    let mut place = Place::find()?;
    let visit = Visit::sticky(&place)?;
    let first = visit.instance()?;
    place.stop(&first)?;
    visit.refresh()?;
    let second = visit.instance()?;
    assert_ne!(second, first);
    place.start_again(&first)?;
    for _ in 0..5 {
        visit.refresh()?;
        assert_eq!(visit.instance()?, second);
    }
    Ok(())
}

#[test]
fn a_page_that_nobody_refreshes_notices_the_dead_instance_by_its_socket() -> Passed {
    let mut place = Place::find()?;
    let visit = Visit::sticky(&place)?;
    let (first, second) = (visit.instance()?, other(&visit.instance()?)?);
    place.stop(&first)?;
    visit.browser.wait_until("the page to move by itself", || Ok(visit.instance()? == second))?;
    assert_eq!(visit.socket()?, second);
    visit.wait_for_state(&first, "away")?;
    visit.browser.wait_until("the reason", || Ok(visit.notice()?.contains(&format!("{first} does not answer"))))?;
    // Whoever refreshes just then is told too.
    visit.refresh()?;
    assert!(visit.notice()?.contains(&format!("from {first} to {second}")), "{}", visit.notice()?);
    Ok(())
}

#[test]
fn when_no_instance_is_left_the_page_says_so_and_it_recovers_by_itself() -> Passed {
    let mut place = Place::find()?;
    let visit = Visit::sticky(&place)?;
    visit.wait_for_state("b", "healthy")?;
    place.stop("a")?;
    place.stop("b")?;
    visit.browser.wait_until("the news", || Ok(visit.notice()?.contains("No instance has answered")))?;
    visit.wait_for_state("a", "away")?;
    visit.wait_for_state("b", "away")?;
    place.start_again("a")?;
    place.start_again("b")?;
    visit.browser.wait_until("the socket", || Ok(!visit.socket()?.is_empty()))?;
    visit.wait_for_state("a", "healthy")?;
    visit.wait_for_state("b", "healthy")?;
    Ok(())
}

#[test]
fn a_dead_instance_leaves_no_gap_in_the_strip() -> Passed {
    let mut place = Place::find()?;
    let visit = Visit::sticky(&place)?;
    let (first, second) = (visit.instance()?, other(&visit.instance()?)?);
    place.stop(&first)?;
    visit.click("#ten")?;
    let answers = visit.answers(Lane::Sticky)?;
    assert_eq!(answers, [vec![first], vec![second.to_owned(); 10]].concat());
    Ok(())
}

#[test]
fn the_session_leaves_an_instance_that_is_made_unhealthy_and_stays_away_when_it_is_back() -> Passed {
    let place = Place::find()?;
    let visit = Visit::sticky(&place)?;
    let (first, second) = (visit.instance()?, other(&visit.instance()?)?);
    visit.click("#unhealthy")?;
    visit.wait_for_state(&first, "unhealthy")?;
    place.wait_for_healthy(1);
    // The worker is told a moment later.
    visit.browser.wait_until("the session to move", || {
        visit.refresh()?;
        Ok(visit.instance()? == second)
    })?;
    let notice = visit.notice()?;
    assert!(notice.contains(&format!("from {first} to {second}")), "{notice}");
    // The page that came by the refresh has to hear first whom to bring back.
    visit.wait_for_state(&first, "unhealthy")?;
    visit.click("#healthy")?;
    visit.wait_for_state(&first, "healthy")?;
    place.wait_for_healthy(2);
    for _ in 0..5 {
        visit.refresh()?;
        assert_eq!(visit.instance()?, second);
    }
    Ok(())
}
