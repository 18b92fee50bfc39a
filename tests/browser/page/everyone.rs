//! The page in Korean, on a phone, and with the keyboard alone.

use std::collections::BTreeSet;

use local_browser::{Browser, Settings};

use super::visit::url;
use super::{Fixture, Lane, Visit};
use crate::Passed;

const PHONE: u32 = 360;

fn language(visit: &Visit) -> local_browser::Result<String> {
    Ok(visit.browser.attribute("html", "lang")?.unwrap_or_default())
}

#[test]
fn the_page_speaks_korean_when_it_is_told_to_and_keeps_to_it() -> Passed {
    let demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    assert_eq!(language(&visit)?, "en");
    let english = visit.browser.text("main")?;
    visit.click("#language")?;
    for _ in 0..2 {
        assert_eq!(language(&visit)?, "ko");
        assert!(visit.browser.text("#refresh")?.contains("새로고침"));
        visit.refresh()?;
    }
    let korean = visit.browser.text("main")?;
    let left: Vec<&str> = english
        .lines()
        .filter(|line| line.split(' ').count() > 3 && korean.lines().any(|other| other == *line))
        .collect();
    assert_eq!(left, Vec::<&str>::new(), "still in English");
    visit.click("#language")?;
    assert_eq!(language(&visit)?, "en");
    Ok(())
}

#[test]
fn a_korean_browser_is_met_in_korean() -> Passed {
    let demo = Fixture::find()?;
    let korean = Settings { language: "ko".to_owned(), ..Settings::default() };
    let visit = Visit::with(&korean, &url(&demo, Lane::Sticky))?;
    assert_eq!(language(&visit)?, "ko");
    Ok(())
}

#[test]
fn on_a_phone_nothing_reaches_beyond_the_screen_in_either_language() -> Passed {
    let demo = Fixture::find()?;
    let phone = Settings { width: PHONE, height: 740, ..Settings::default() };
    let visit = Visit::with(&phone, &url(&demo, Lane::Sticky))?;
    visit.log_in("a-visitor-with-a-name-of-forty-characters")?;
    visit.click("#ten")?;
    for _ in 0..2 {
        let wide =
            visit.browser.run("const page = document.documentElement; return [page.scrollWidth, page.clientWidth]")?;
        assert_eq!(wide[0], wide[1], "in {}", language(&visit)?);
        visit.click("#language")?;
    }
    Ok(())
}

#[test]
fn by_keyboard_alone_everything_is_reached_and_ten_requests_are_sent() -> Passed {
    let demo = Fixture::find()?;
    let visit = Visit::sticky(&demo)?;
    let mark = "const all = [...document.querySelectorAll('a[href], button, input, summary')]
                 .filter(one => one.offsetParent !== null && !one.closest('details:not([open]) > :not(summary)'));
                all.forEach(one => one.dataset.reached = 'no');
                return all.length";
    let count = visit.browser.run(mark)?.as_u64().unwrap();
    assert!(count > 10, "{count}");
    let mut seen = BTreeSet::new();
    for _ in 0..2 * count {
        visit.browser.press(Browser::TAB)?;
        let name = visit.browser.run(
            "const one = document.activeElement; one.dataset.reached = 'yes'; return one.id || one.textContent.trim()",
        )?;
        seen.insert(name.as_str().unwrap_or_default().to_owned());
    }
    let missed = visit.browser.run(
        "return [...document.querySelectorAll('[data-reached=no]')].map(one => one.id || one.textContent.trim())",
    )?;
    assert_eq!(missed, serde_json::json!([]), "reached {seen:?}");

    visit.browser.wait_until("the focus on #ten", || {
        visit.browser.press(Browser::TAB)?;
        Ok(visit.browser.run("return document.activeElement.id")? == "ten")
    })?;
    let before = visit.answers(Lane::Sticky)?.len();
    visit.browser.press(Browser::ENTER)?;
    visit.settle()?;
    assert_eq!(visit.answers(Lane::Sticky)?.len(), before + 10);
    Ok(())
}
