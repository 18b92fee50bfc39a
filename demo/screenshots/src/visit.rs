//! Plays the visits to the page before its pictures are taken.

use local_browser::{Browser, Result, Settings};
use local_demo::Ports;
use local_envoy::{Error, http};
use serde_json::json;

/// The space below the lanes, in pixels.
const MARGIN: u32 = 12;

/// The user who logs in.
const USER: &str = "alice";

/// The number of responses in a full strip.
const STRIP: usize = 30;

/// The width of the page, in CSS pixels.
const WIDTH: u32 = 1280;

/// Device pixels for each CSS pixel, so that text is sharp.
const SCALE: f64 = 1.5;

/// A visit to the page with stickiness: the login stays after every click.
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

/// A visit to the page without stickiness: the last response is from an instance that does not know the login.
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
            // Logging out and in took two turns of the round robin. With a third, the next login reaches the other instance.
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

/// A visitor whose session is on instance a, as in every picture.
fn first_visit(ports: Ports) -> Result<Browser> {
    let plain = ([127, 0, 0, 1], ports.plain).into();
    let browser = Browser::start(&Settings { width: WIDTH, scale: SCALE, ..Settings::default() })?;
    // New visitors are spread over the instances in turns.
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

/// Sends requests one after the other for the chart, and then ten at once.
fn fill_the_strips(browser: &Browser) -> Result<()> {
    browser.click("#keep")?;
    browser.wait_until("the strip to be full", || Ok(browser.count("#lane-sticky .answers > li")? == STRIP))?;
    browser.click("#keep")?;
    settle(browser)?;
    browser.click("#ten")?;
    settle(browser)
}

/// Limits the picture to the part from the top of the page to the end of both lanes.
fn frame(browser: &Browser) -> Result<()> {
    browser.wait_until("the charts", || {
        let drawn = |lane: &str| browser.count(&format!("{lane} svg.chart [class^=hue-]"));
        Ok(drawn("#lane-sticky")? > 0 && drawn("#lane-plain")? > 0)
    })?;
    // An instance learns the requests of the other one up to a second later. Until then the lane without stickiness looks uneven.
    let uneven = "const [one, other] = [...document.querySelectorAll('#lane-plain .totals > li')].map(
                      total => Number(total.textContent.match(/\\d+$/)));
                  return Math.abs(one - other)";
    browser
        .wait_until("the requests of both instances", || Ok(browser.run(uneven)?.as_u64().is_some_and(|by| by <= 2)))?;
    // No button may look focused.
    browser.run("document.activeElement?.blur(); scrollTo(0, 0)")?;
    browser.devtools("Emulation.setScrollbarsHidden", &json!({ "hidden": true }))?;
    let ends = "const lanes = [...document.querySelectorAll('#lane-sticky, #lane-plain')];
                return Math.ceil(Math.max(...lanes.map(lane => lane.getBoundingClientRect().bottom)))";
    let end = browser.run(ends)?.as_u64().and_then(|end| u32::try_from(end).ok());
    let end = end.ok_or_else(|| Error::new("the page has no lanes to take a picture of"))?;
    browser.resize(WIDTH, end.saturating_add(MARGIN), SCALE)
}

/// Waits until all requests of the page are answered.
fn settle(browser: &Browser) -> Result<()> {
    browser.wait_until("the page to be at rest", || {
        let connected = browser.attribute("#socket", "data-instance")?.is_some_and(|instance| !instance.is_empty());
        Ok(connected && browser.count("body[data-busy]")? == 0)
    })
}

fn of_body(browser: &Browser, attribute: &str) -> Result<String> {
    Ok(browser.attribute("body", attribute)?.unwrap_or_default())
}
