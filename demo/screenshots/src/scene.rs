//! What happens on the page before its picture is taken?

use local_browser::{Browser, Result, Settings};
use local_demo::Ports;
use local_envoy::{Error, http};
use serde_json::json;

/// Below the lanes.
const MARGIN: u32 = 12;

/// Who logs in.
const USER: &str = "alice";

/// So many answers fill a strip.
const STRIP: usize = 30;

/// As wide as a page of documentation may show it.
const WIDTH: u32 = 1280;

/// Pixels to one of these: enough for text to be sharp.
const SCALE: f64 = 1.5;

/// The page with stickiness: whatever is clicked, the login stays.
pub(crate) fn stays(ports: Ports) -> Result<Browser> {
    let browser = first_visit(ports)?;
    log_in(&browser)?;
    fill_the_strips(&browser)?;
    browser.wait_until("the other lane to have forgotten the user", || {
        browser.refresh()?;
        settle(&browser)?;
        let last = browser.attribute("#lane-plain .answers > li:last-child", "data-known")?;
        Ok(last.as_deref() == Some("false"))
    })?;
    frame(&browser)?;
    Ok(browser)
}

/// The page without: the answer comes from an instance that has never heard of who has just logged in.
pub(crate) fn comes_and_goes(ports: Ports) -> Result<Browser> {
    let browser = first_visit(ports)?;
    browser.open(&format!("http://localhost:{}/", ports.plain))?;
    settle(&browser)?;
    browser.wait_until("instance a to take the login", || {
        log_in(&browser)?;
        let taken = of_body(&browser, "data-instance")? == "a";
        if !taken {
            browser.click("#logout button")?;
            settle(&browser)?;
            // Logging out and in took two turns: with a third, the next login is for the other instance.
            http::get(([127, 0, 0, 1], ports.plain).into(), "/whoami")?;
        }
        Ok(taken)
    })?;
    fill_the_strips(&browser)?;
    browser.wait_until("an answer of the instance that does not know the user", || {
        browser.refresh()?;
        settle(&browser)?;
        Ok(of_body(&browser, "data-instance")? == "b" && of_body(&browser, "data-user")?.is_empty())
    })?;
    frame(&browser)?;
    Ok(browser)
}

/// A visitor whose session is on instance a: the same in every picture.
fn first_visit(ports: Ports) -> Result<Browser> {
    let plain = ([127, 0, 0, 1], ports.plain).into();
    let browser = Browser::start(&Settings { width: WIDTH, scale: SCALE, ..Settings::default() })?;
    // The instances take turns with whoever is new.
    browser.wait_until("the turn of instance a", || Ok(http::get(plain, "/whoami")?.body.starts_with("instance b")))?;
    browser.open(&format!("http://localhost:{}/", ports.sticky))?;
    settle(&browser)?;
    Ok(browser)
}

fn log_in(browser: &Browser) -> Result<()> {
    browser.type_into("#user", USER)?;
    browser.press(Browser::ENTER)?;
    settle(browser)
}

/// Some requests one after the other, for the chart, and some at once.
fn fill_the_strips(browser: &Browser) -> Result<()> {
    browser.click("#keep")?;
    browser.wait_until("the strip to be full", || Ok(browser.count("#lane-sticky .answers > li")? == STRIP))?;
    browser.click("#keep")?;
    settle(browser)?;
    browser.click("#ten")?;
    settle(browser)
}

/// Leaves on the picture what stands above the fold: from the top of the page to the end of both lanes.
fn frame(browser: &Browser) -> Result<()> {
    browser.wait_until("the charts", || {
        let drawn = |lane: &str| browser.count(&format!("{lane} svg.chart [class^=hue-]"));
        Ok(drawn("#lane-sticky")? > 0 && drawn("#lane-plain")? > 0)
    })?;
    // An instance hears of the other's requests up to a second later, and until then the listener without stickiness seems uneven.
    let uneven = "const [one, other] = [...document.querySelectorAll('#lane-plain .totals > li')].map(
                      total => Number(total.textContent.match(/\\d+$/)));
                  return Math.abs(one - other)";
    browser
        .wait_until("the requests of both instances", || Ok(browser.run(uneven)?.as_u64().is_some_and(|by| by <= 2)))?;
    // No button is to look as if it were being used.
    browser.run("document.activeElement?.blur(); scrollTo(0, 0)")?;
    browser.devtools("Emulation.setScrollbarsHidden", &json!({ "hidden": true }))?;
    let ends = "const lanes = [...document.querySelectorAll('#lane-sticky, #lane-plain')];
                return Math.ceil(Math.max(...lanes.map(lane => lane.getBoundingClientRect().bottom)))";
    let end = browser.run(ends)?.as_u64().and_then(|end| u32::try_from(end).ok());
    let end =
        end.ok_or_else(|| Error::new("the lanes of the page have no end, so there is nothing to take a picture of"))?;
    browser.resize(WIDTH, end.saturating_add(MARGIN), SCALE)
}

/// Waits until everything that was asked for is answered.
fn settle(browser: &Browser) -> Result<()> {
    browser.wait_until("the page to be at rest", || {
        let connected = browser.attribute("#socket", "data-instance")?.is_some_and(|instance| !instance.is_empty());
        Ok(connected && browser.count("body[data-busy]")? == 0)
    })
}

fn of_body(browser: &Browser, attribute: &str) -> Result<String> {
    Ok(browser.attribute("body", attribute)?.unwrap_or_default())
}
