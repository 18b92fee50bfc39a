//! The settings of a browser: the size of the page, the colour scheme, the language and the cookie policy.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::Programs;

/// The settings of a browser.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The width of the page, in CSS pixels. Default: 1280.
    pub width: u32,
    /// The height of the page. Default: 900.
    pub height: u32,
    /// The number of screen and screenshot pixels in one CSS pixel. Default: 1.
    pub scale: f64,
    /// The preferred colour scheme. Default: light.
    pub colour_scheme: ColourScheme,
    /// The language in `Accept-Language`, such as `ko`. Default: `en-US`.
    pub language: String,
    /// True if it keeps third-party cookies. Default: yes, as in Chrome. Debian's Chromium does not by default.
    pub third_party_cookies: bool,
}

/// The value of `prefers-color-scheme`.
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

/// Maps every name under `.example` to this machine and no other name to anything. The top-level domain is reserved for examples
/// (RFC 2606, section 2), and a browser treats two names under it as two sites.
const HOSTS: &str = "MAP *.example 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1";

/// The capabilities for chromedriver: a browser without a window that accepts any certificate and sends no requests of its own.
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
        // Chromium's sandbox does not run as root, and containers and CI run as root. All pages are our own.
        "--no-sandbox",
        // /dev/shm has only 64 MB in a container.
        "--disable-dev-shm-usage",
        // Chromium would otherwise try HTTPS first on a port that speaks HTTP.
        "--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable",
        // The pipe breaks when chromedriver is killed, and Chromium then ends.
        "--remote-debugging-pipe",
        // A proxy of the environment does not reach this machine's loopback.
        "--no-proxy-server",
        format!("--host-resolver-rules={HOSTS}"),
        format!("--user-data-dir={}", profile.display()),
        format!("--accept-lang={}", settings.language),
    ]);
    // Chromium's enum CookieControlsMode: 0 is off, 1 blocks third-party cookies.
    let cookie_controls_mode = u8::from(!settings.third_party_cookies);
    let preferences = json!({ "profile": { "cookie_controls_mode": cookie_controls_mode } });
    let capabilities = json!({
        "browserName": "chrome",
        "acceptInsecureCerts": true,
        // In milliseconds. A test fails earlier, by its own waits.
        "timeouts": { "pageLoad": 60_000, "script": 60_000 },
        "goog:chromeOptions": { "binary": programs.chromium, "args": arguments, "prefs": preferences },
    });
    capabilities.as_object().cloned().unwrap_or_default()
}
