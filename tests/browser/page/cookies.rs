//! The page's table of cookies, and sessions whose cookie is deleted or changed.

use std::collections::BTreeSet;

use serde_json::json;
use stickiness::outcome::Outcome;

use super::{Fixture, Lane, Visit};
use crate::Passed;

/// The text of one cell of the table.
fn cell(visit: &Visit, cookie: &str, attribute: &str) -> local_browser::Result<String> {
    visit.browser.text(&format!("#cookies [data-cookie={cookie}] [data-attribute={attribute}]"))
}

#[test]
fn the_table_shows_what_the_jar_holds() -> Passed {
    let demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    assert_eq!(visit.browser.attributes("#cookies [data-cookie]", "data-cookie")?, ["AWSALB"]);
    let held = visit.browser.cookie("AWSALB")?.unwrap();
    let shown = visit
        .browser
        .run("return document.querySelector('#cookies [data-cookie=AWSALB] [data-attribute=value]').textContent")?;
    assert!(shown.as_str().unwrap().contains(&held.value), "{shown}");
    assert_eq!(cell(&visit, "AWSALB", "path")?, held.path);
    assert_eq!((held.secure, cell(&visit, "AWSALB", "secure")?.as_str()), (false, "no"));
    visit
        .browser
        .wait_until("the countdown in the table", || Ok(cell(&visit, "AWSALB", "expires")?.contains("23:59:")))?;
    Ok(())
}

#[test]
fn the_sealed_value_shows_no_address_as_it_is_or_decoded() -> Passed {
    let demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    let value = json!(visit.browser.cookie("AWSALB")?.unwrap().value);
    let texts = visit.browser.run_with("return arguments[0] + ' ' + atob(arguments[0])", &[value])?.to_string();
    let addresses = demo.addresses()?;
    assert_eq!(addresses.len(), 2);
    for address in addresses {
        let (ip, port) = address.rsplit_once(':').unwrap();
        assert!(!texts.contains(ip) && !texts.contains(port), "{address} is in {texts}");
    }
    Ok(())
}

#[test]
fn the_countdown_runs_and_every_answer_starts_it_anew() -> Passed {
    let demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    visit.browser.wait_until("the countdown to run", || Ok(visit.browser.text("#until")?.contains("23:59:5")))?;
    let end = || visit.browser.cookie("AWSALB").map(|cookie| cookie.unwrap().expires().unwrap());
    let first = end()?;
    // The end is in whole seconds, so two answers in one second have the same end.
    visit.browser.wait_until("a later end", || {
        visit.refresh()?;
        Ok(end()? > first)
    })?;
    Ok(())
}

#[test]
fn a_visitor_who_deletes_the_cookie_gets_a_new_session() -> Passed {
    let demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    let strangers = demo.counted(Outcome::NoCookie)?;
    visit.click("#drop")?;
    assert_eq!(demo.counted(Outcome::NoCookie)?, strangers + 1);
    assert!(visit.notice()?.contains("dropped"), "{}", visit.notice()?);
    stays_pinned(&demo, &visit)
}

#[test]
fn a_visitor_who_deletes_the_cookie_again_and_again_reaches_both_instances() -> Passed {
    let demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    let mut chosen = BTreeSet::new();
    for _ in 0..4 {
        visit.click("#drop")?;
        visit.settle()?;
        chosen.insert(visit.instance()?);
    }
    assert_eq!(chosen.len(), 2);
    Ok(())
}

#[test]
fn a_changed_cookie_is_taken_for_none_and_replaced() -> Passed {
    let demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    let refused = demo.counted(Outcome::Malformed)?;
    visit.click("#tamper")?;
    assert_eq!(demo.counted(Outcome::Malformed)?, refused + 1);
    assert!(visit.notice()?.contains("changed one character"), "{}", visit.notice()?);
    stays_pinned(&demo, &visit)
}

/// Checks that the new cookie of the session is valid.
fn stays_pinned(demo: &Fixture, visit: &Visit) -> Passed {
    visit.settle()?;
    let instance = visit.instance()?;
    let pinned = demo.counted(Outcome::Pinned)?;
    visit.click("#ten")?;
    assert_eq!(demo.counted(Outcome::Pinned)?, pinned + 10);
    assert_eq!(visit.answers(Lane::Sticky)?[2..], vec![instance; 10]);
    Ok(())
}
