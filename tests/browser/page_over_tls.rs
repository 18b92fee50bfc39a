//! The page over HTTPS, where scripts also see the CORS twin. It is not part of `page`, because the demo in containers speaks plain
//! HTTP.

use local_browser::Settings;

use harness::over_tls_on;

use crate::Passed;
use crate::page::{Fixture, Lane, Visit};

#[test]
fn over_https_the_page_works_with_its_socket_and_shows_the_twin() -> Passed {
    let demo = Fixture::own(|config| {
        over_tls_on(config, "sticky");
        over_tls_on(config, "plain");
        Ok(())
    })?;
    let visit = Visit::with(&Settings::default(), &format!("https://localhost:{}/", demo.ports().sticky))?;
    visit.log_in("alice")?;
    visit.click("#ten")?;
    let instance = visit.instance()?;
    assert_eq!(visit.answers(Lane::Sticky)?, vec![instance.clone(); 12]);
    assert_eq!(visit.answers(Lane::Plain)?.len(), 12);
    assert!(visit.answers(Lane::Plain)?.iter().all(|name| !name.is_empty()));
    assert_eq!(visit.socket()?, instance);
    assert_eq!(visit.user()?, "alice");
    let shown = visit.browser.attributes("#cookies [data-cookie]", "data-cookie")?;
    assert_eq!(shown, ["AWSALB", "AWSALBCORS"]);
    for (attribute, expected) in [("secure", "yes"), ("samesite", "none")] {
        let selector = format!("#cookies [data-cookie=AWSALBCORS] [data-attribute={attribute}]");
        assert_eq!(visit.browser.text(&selector)?.to_lowercase(), expected);
    }
    Ok(())
}
