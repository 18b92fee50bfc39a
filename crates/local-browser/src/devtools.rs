//! Commands that WebDriver does not have, through Chromium's DevTools protocol.

use fantoccini::wd::WebDriverCompatibleCommand;
use serde_json::{Value, json};
use url::{ParseError, Url};

use crate::{Browser, ColourScheme, Result};

impl Browser {
    /// Sends a command of the DevTools protocol, such as `Storage.getCookies`, to the present tab.
    ///
    /// # Errors
    ///
    /// When the browser refuses it.
    pub fn devtools(&self, method: &str, parameters: &Value) -> Result<Value> {
        let command = Command(json!({ "cmd": method, "params": parameters }).to_string());
        self.wait_for(method, self.client.issue_cmd(command))
    }

    /// Sets the size of the page in the present tab in CSS pixels, and the number of screen pixels in one of them. A window cannot be
    /// as small as a phone.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn resize(&self, width: u32, height: u32, scale: f64) -> Result<()> {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics).map(drop)
    }

    /// Sets the preferred colour scheme of the present tab, and switches animations off: they would disturb screenshots and clicks.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn prefer(&self, colour_scheme: ColourScheme) -> Result<()> {
        let value = match colour_scheme {
            ColourScheme::Light => "light",
            ColourScheme::Dark => "dark",
        };
        let features = [("prefers-color-scheme", value), ("prefers-reduced-motion", "reduce")];
        let features = features.map(|(name, value)| json!({ "name": name, "value": value }));
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": features })).map(drop)
    }

    /// Switches the scripts of all later pages off. [`Browser::run`] still works.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn without_scripts(&self) -> Result<()> {
        self.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": true })).map(drop)
    }
}

/// The body of chromedriver's command for the DevTools protocol.
#[derive(Debug)]
struct Command(String);

impl WebDriverCompatibleCommand for Command {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> std::result::Result<Url, ParseError> {
        base_url.join(&format!("session/{}/goog/cdp/execute", session_id.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.0.clone()))
    }
}
