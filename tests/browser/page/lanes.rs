//! The two lanes of the page: the same clicks with stickiness and without.

use super::{Fixture, Lane, Visit};
use crate::Passed;

#[test]
fn ten_requests_at_once_come_from_one_instance_here_and_from_both_there() -> Passed {
    let demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    let instance = visit.instance()?;
    visit.click("#ten")?;
    assert_eq!(visit.answers(Lane::Sticky)?, vec![instance; 11]);
    let there = visit.answers(Lane::Plain)?;
    let of_a = there.iter().filter(|name| *name == "a").count();
    assert_eq!(there.len(), 11);
    assert!(of_a == 5 || of_a == 6, "{there:?}");
    Ok(())
}

#[test]
fn the_other_lane_forgets_the_login_and_this_one_does_not() -> Passed {
    let demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    visit.log_in("alice")?;
    visit.click("#ten")?;
    assert!(visit.known(Lane::Sticky)?.iter().all(|known| known == "true"));
    let there = visit.known(Lane::Plain)?;
    let forgotten = there.iter().filter(|known| *known == "false").count();
    assert!(forgotten >= 4, "{there:?}");
    assert!(visit.browser.text(&format!("{} .account", Lane::Sticky))?.contains("alice"));
    Ok(())
}

#[test]
fn the_strip_holds_the_last_thirty_answers_and_its_caption_counts_them() -> Passed {
    let demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    for _ in 0..4 {
        visit.click("#ten")?;
    }
    assert_eq!(visit.answers(Lane::Sticky)?.len(), 30);
    let caption = visit.browser.text(&format!("{} .caption", Lane::Sticky))?;
    assert!(caption.contains("30") && caption.contains(&visit.instance()?), "{caption}");
    assert_eq!(visit.answers(Lane::Plain)?.len(), 30);
    let caption = visit.browser.text(&format!("{} .caption", Lane::Plain))?;
    assert!(caption.contains("15"), "{caption}");
    Ok(())
}

#[test]
fn the_strip_outlives_a_refresh() -> Passed {
    let demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    visit.click("#ten")?;
    visit.refresh()?;
    assert_eq!([visit.answers(Lane::Sticky)?.len(), visit.answers(Lane::Plain)?.len()], [12, 12]);
    Ok(())
}

#[test]
fn the_page_of_the_other_listener_shows_its_own_lane_first() -> Passed {
    let demo = Fixture::find()?;
    let visit = Visit::plain(&demo)?;
    assert_eq!(visit.browser.attribute("body", "data-listener")?.as_deref(), Some("plain"));
    let first =
        "return document.querySelector('#lane-plain').compareDocumentPosition(document.querySelector('#lane-sticky'))
                 === Node.DOCUMENT_POSITION_FOLLOWING";
    assert_eq!(visit.browser.run(first)?, true);
    assert_eq!([visit.answers(Lane::Sticky)?.len(), visit.answers(Lane::Plain)?.len()], [1, 1]);
    Ok(())
}

#[test]
fn the_chart_shows_that_all_requests_went_to_one_instance() -> Passed {
    let demo = Fixture::find_new()?;
    let visit = Visit::sticky(&demo)?;
    visit.click("#ten")?;
    let columns = |lane: Lane| visit.browser.count(&format!("{lane} svg.chart rect[class^=hue-]"));
    visit.browser.wait_until("the chart to show the requests", || Ok(columns(Lane::Sticky)? > 0))?;
    // In the sticky lane all columns have one colour. In the other lane there are two.
    let colours = |lane: Lane| -> local_browser::Result<usize> {
        let mut classes = visit.browser.attributes(&format!("{lane} svg.chart rect[class^=hue-]"), "class")?;
        classes.sort();
        classes.dedup();
        Ok(classes.len())
    };
    visit.browser.wait_until("the chart to show both instances", || Ok(colours(Lane::Plain)? == 2))?;
    if let Fixture::Local { .. } = demo {
        assert_eq!(colours(Lane::Sticky)?, 1);
    }
    Ok(())
}

#[test]
fn keep_asking_goes_on_until_it_is_told_to_stop() -> Passed {
    let demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    visit.browser.click("#keep")?;
    visit.browser.wait_until("eight answers more", || Ok(visit.answers(Lane::Sticky)?.len() > 8))?;
    visit.click("#keep")?;
    visit.settle()?;
    assert_eq!(visit.browser.attribute("#keep", "aria-pressed")?.as_deref(), Some("false"));
    // The page waits for longer than one of its intervals.
    let asked = "const asked = () => performance.getEntriesByType('resource').length;
                 const before = asked();
                 return new Promise(over => setTimeout(() => over(asked() - before), 600))";
    assert_eq!(visit.browser.run(asked)?, 0);
    let answers = visit.answers(Lane::Sticky)?;
    assert_eq!(answers, vec![visit.instance()?; answers.len()]);
    Ok(())
}
