//! An instance that dies or becomes unhealthy, with a visitor pinned to it.

use super::fixture::other;
use super::{Fixture, Lane, Visit};
use crate::Passed;

#[test]
fn when_the_instance_dies_one_refresh_shows_the_page_of_the_other_and_that_the_session_moved() -> Passed {
    let mut demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    visit.log_in("alice")?;
    let (first, second) = (visit.instance()?, other(&visit.instance()?)?);
    demo.stop(&first)?;
    visit.refresh()?;
    assert_eq!((visit.instance()?, visit.user()?), (second.to_owned(), String::new()));
    let notice = visit.notice()?;
    assert!(notice.contains(&format!("from {first} to {second}")), "{notice}");
    // The page still names the user who is no longer known.
    assert!(visit.browser.text(&format!("{} .account", Lane::Sticky))?.contains("alice"));
    Ok(())
}

#[test]
fn when_the_instance_is_back_the_session_stays_where_it_went() -> Passed {
    let mut demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    let first = visit.instance()?;
    demo.stop(&first)?;
    visit.refresh()?;
    let second = visit.instance()?;
    assert_ne!(second, first);
    demo.start_again(&first)?;
    for _ in 0..5 {
        visit.refresh()?;
        assert_eq!(visit.instance()?, second);
    }
    Ok(())
}

#[test]
fn a_page_that_nobody_refreshes_notices_the_dead_instance_by_its_socket() -> Passed {
    let mut demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    let (first, second) = (visit.instance()?, other(&visit.instance()?)?);
    demo.stop(&first)?;
    visit.browser.wait_until("the page to move by itself", || Ok(visit.instance()? == second))?;
    assert_eq!(visit.socket()?, second);
    visit.wait_for_state(&first, "away")?;
    visit.browser.wait_until("the reason", || Ok(visit.notice()?.contains(&format!("{first} does not answer"))))?;
    // A refresh at this moment shows the reason too.
    visit.refresh()?;
    assert!(visit.notice()?.contains(&format!("from {first} to {second}")), "{}", visit.notice()?);
    Ok(())
}

#[test]
fn when_no_instance_is_left_the_page_says_so_and_it_recovers_by_itself() -> Passed {
    let mut demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    visit.wait_for_state("b", "healthy")?;
    demo.stop("a")?;
    demo.stop("b")?;
    visit.browser.wait_until("the news", || Ok(visit.notice()?.contains("No instance has answered")))?;
    visit.wait_for_state("a", "away")?;
    visit.wait_for_state("b", "away")?;
    demo.start_again("a")?;
    demo.start_again("b")?;
    visit.browser.wait_until("the socket", || Ok(!visit.socket()?.is_empty()))?;
    visit.wait_for_state("a", "healthy")?;
    visit.wait_for_state("b", "healthy")?;
    Ok(())
}

#[test]
fn a_dead_instance_leaves_no_gap_in_the_strip() -> Passed {
    let mut demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    let (first, second) = (visit.instance()?, other(&visit.instance()?)?);
    demo.stop(&first)?;
    visit.click("#ten")?;
    let answers = visit.answers(Lane::Sticky)?;
    assert_eq!(answers, [vec![first], vec![second.to_owned(); 10]].concat());
    Ok(())
}

#[test]
fn the_session_leaves_an_instance_that_is_made_unhealthy_and_stays_away_when_it_is_back() -> Passed {
    let demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    let (first, second) = (visit.instance()?, other(&visit.instance()?)?);
    visit.click("#unhealthy")?;
    visit.wait_for_state(&first, "unhealthy")?;
    demo.wait_for_healthy(1);
    // Envoy's worker learns of the health a moment later.
    visit.browser.wait_until("the session to move", || {
        visit.refresh()?;
        Ok(visit.instance()? == second)
    })?;
    let notice = visit.notice()?;
    assert!(notice.contains(&format!("from {first} to {second}")), "{notice}");
    // The refreshed page must learn first that the instance is unhealthy.
    visit.wait_for_state(&first, "unhealthy")?;
    visit.click("#healthy")?;
    visit.wait_for_state(&first, "healthy")?;
    demo.wait_for_healthy(2);
    for _ in 0..5 {
        visit.refresh()?;
        assert_eq!(visit.instance()?, second);
    }
    Ok(())
}
