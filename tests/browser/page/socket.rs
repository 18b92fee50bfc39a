//! The WebSocket of the page.

use super::visit::url;
use super::{Fixture, Lane, Visit};
use crate::Passed;

#[test]
fn in_ten_tabs_the_socket_lands_on_the_pinned_instance() -> Passed {
    let demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    let instance = visit.instance()?;
    assert_eq!(visit.socket()?, instance);
    let first = visit.browser.tab()?;
    for _ in 0..10 {
        visit.browser.new_tab()?;
        visit.browser.open(&url(&demo, Lane::Sticky))?;
        visit.settle()?;
        assert_eq!((visit.instance()?, visit.socket()?), (instance.clone(), instance.clone()));
        visit.browser.close_tab(&first)?;
    }
    Ok(())
}

#[test]
fn the_socket_is_no_answer_in_the_strip() -> Passed {
    let demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    assert_eq!(visit.answers(Lane::Sticky)?.len(), 1);
    Ok(())
}
