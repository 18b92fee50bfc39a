//! What kind of visitor does a browser show?

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::Programs;

/// How a browser is started.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The width of the page, in CSS pixels. Default: 1280.
    pub width: u32,
    /// The height of the page. Default: 900.
    pub height: u32,
    /// Pixels of the screen, and of screenshots, to one CSS pixel. Default: 1.
    pub scale: f64,
    /// Default: light.
    pub colour_scheme: ColourScheme,
    /// The language that it tells pages, such as `ko`. Default: `en-US`.
    pub language: String,
    /// Whether it keeps cookies for one site that come under another. Default: yes, as Chrome; Debian's Chromium would not.
    pub third_party_cookies: bool,
}

/// What a page is told by `prefers-color-scheme`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColourScheme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            width: 1280,
            height: 900,
            scale: 1.0,
            colour_scheme: ColourScheme::Light,
            language: "en-US".to_owned(),
            third_party_cookies: true,
        }
    }
}

/// Every name under `.example` is this machine, and nothing else is found: the top-level domain is reserved for examples, and
/// browsers take two names under it for two sites.
const HOSTS: &str = "MAP *.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1";

/// What chromedriver is asked for: a browser without a window, that trusts any certificate and speaks to nobody by itself.
pub(crate) fn capabilities(programs: &Programs, profile: &Path, settings: &Settings) -> Map<String, Value> {
    let arguments = json!([
        "--headless",
        "--disable-gpu",
        "--no-first-run",
        "--no-default-browser-check",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-quic",
        // Chromium's sandbox does not run as root, which containers and CI are. The pages are our own.
        "--no-sandbox",
        // Containers have 64 MB of it.
        "--disable-dev-shm-usage",
        // It would try https first, on a port that speaks http.
        "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable",
        // It goes with chromedriver, also when that is killed: the pipe breaks.
        "--remote-debugging-pipe",
        // A proxy of the environment would see what is meant for this machine.
        "--no-proxy-server",
        format!("--host-resolver-rules={HOSTS}"),
        format!("--user-data-dir={}", profile.display()),
        format!("--accept-lang={}", settings.language),
    ]);
    // Chromium's enum CookieControlsMode: 0 is off, 1 blocks third parties.
    let cookie_controls_mode = u8::from(!settings.third_party_cookies);
    let preferences = json!({ "profile": { "cookie_controls_mode": cookie_controls_mode } });
    let capabilities = json!({
        "browserName": "chrome",
        "acceptInsecureCerts": true,
        // In milliseconds. A test fails earlier by what it waits for.
        "timeouts": { "pageLoad": 60_000, "script": 60_000 },
        "goog:chromeOptions": { "binary": programs.chromium, "args": arguments, "prefs": preferences },
    });
    capabilities.as_object().cloned().unwrap_or_default()
}
