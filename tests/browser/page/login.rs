//! A login that survives refreshes.

use std::collections::BTreeSet;

use local_browser::{Browser, Settings};

use super::visit::url;
use super::{Fixture, Lane, Visit};
use crate::Passed;

#[test]
fn ten_refreshes_come_from_the_instance_that_the_page_names() -> Passed {
    let demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    let instance = visit.instance()?;
    assert_eq!(visit.browser.text("#pinned")?, instance);
    for _ in 0..5 {
        visit.refresh()?;
        assert_eq!(visit.instance()?, instance);
        visit.click("#refresh")?;
        visit.settle()?;
        assert_eq!(visit.instance()?, instance);
    }
    assert_eq!(visit.answers(Lane::Sticky)?, vec![instance; 11]);
    Ok(())
}

#[test]
fn a_login_survives_ten_refreshes() -> Passed {
    let demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    visit.log_in("alice")?;
    assert_eq!(visit.user()?, "alice");
    for _ in 0..10 {
        visit.refresh()?;
        assert_eq!(visit.user()?, "alice");
    }
    assert_eq!(visit.known(Lane::Sticky)?, vec!["true"; 12]);
    assert!(visit.browser.text(&format!("{} .account", Lane::Sticky))?.contains("alice"));
    Ok(())
}

#[test]
fn without_stickiness_a_login_comes_and_goes() -> Passed {
    let demo = Fixture::find()?;
    let visit = Visit::plain(&demo)?;
    visit.log_in("alice")?;
    assert_eq!(visit.user()?, "alice");
    let mut users = BTreeSet::new();
    for _ in 0..10 {
        visit.refresh()?;
        users.insert(visit.user()?);
    }
    assert_eq!(users, BTreeSet::from([String::new(), "alice".to_owned()]));
    Ok(())
}

#[test]
fn a_logout_forgets_the_user_on_both_listeners() -> Passed {
    let demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    visit.log_in("alice")?;
    visit.click("#logout button")?;
    visit.refresh()?;
    assert_eq!(visit.user()?, "");
    for lane in [Lane::Sticky, Lane::Plain] {
        let account = visit.browser.text(&format!("{lane} .account"))?;
        assert_eq!(account, "Nobody is logged in", "{lane}");
    }
    Ok(())
}

#[test]
fn without_javascript_a_login_survives_ten_refreshes_too() -> Passed {
    let demo = Fixture::find()?;
    let browser = Browser::start(&Settings::default())?;
    browser.without_scripts()?;
    browser.open(&url(&demo, Lane::Sticky))?;
    let instance = browser.text("#pinned")?;
    browser.type_into("#user", "alice")?;
    browser.click("#login button")?;
    browser.wait_until("the login", || Ok(browser.attribute("body", "data-user")?.as_deref() == Some("alice")))?;
    for _ in 0..10 {
        browser.click("#refresh")?;
        assert_eq!(browser.attribute("body", "data-user")?.as_deref(), Some("alice"));
        assert_eq!(browser.text("#pinned")?, instance);
    }
    // The page hides the buttons that need a script.
    assert_eq!(browser.run("return document.querySelector('#ten').offsetParent")?, serde_json::Value::Null);
    Ok(())
}
