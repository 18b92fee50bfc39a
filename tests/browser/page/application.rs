//! The page's switch for stickiness by the application's own session cookie.

use super::{Fixture, Visit};
use crate::Passed;

fn is_on(visit: &Visit) -> local_browser::Result<bool> {
    Ok(visit.browser.attribute("#application", "aria-checked")?.as_deref() == Some("true"))
}

#[test]
fn with_the_switch_on_the_session_follows_the_applications_cookie_over_ten_refreshes() -> Passed {
    let demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    visit.log_in("alice")?;
    visit.click("#application")?;
    assert!(is_on(&visit)?);
    assert!(visit.browser.cookie("AWSALBAPP-0")?.is_some());
    let instance = visit.instance()?;
    // Without AWSALB, only the application's cookie decides.
    visit.browser.run("document.cookie = 'AWSALB=; Path=/; Max-Age=0'")?;
    for _ in 0..10 {
        visit.refresh()?;
        assert_eq!((visit.instance()?, visit.user()?), (instance.clone(), "alice".to_owned()));
    }
    assert!(is_on(&visit)? && visit.browser.cookie("AWSALB")?.is_none());
    assert_eq!(visit.browser.count("#cookies [data-cookie='AWSALBAPP-0']")?, 1);
    assert_eq!(visit.socket()?, instance);
    Ok(())
}

#[test]
fn with_the_switch_off_again_the_cookie_is_withdrawn_and_the_login_stays() -> Passed {
    let demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    visit.log_in("alice")?;
    visit.click("#application")?;
    visit.click("#application")?;
    assert!(!is_on(&visit)?);
    let withdrawn = visit.browser.cookie("AWSALBAPP-0")?;
    assert!(withdrawn.as_ref().is_none_or(|cookie| cookie.value == "_remove_"), "{withdrawn:?}");
    visit.refresh()?;
    assert_eq!(visit.user()?, "alice");
    Ok(())
}
