//! What does WebDriver not know, that Chromium's DevTools protocol does?

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

    /// Gives the page of the present tab this size in CSS pixels, and so many pixels of the screen to each. A window could not be
    /// as small as a phone.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn resize(&self, width: u32, height: u32, scale: f64) -> Result<()> {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics).map(drop)
    }

    /// Has the present tab prefer this colour scheme, and no motion: a picture or a click would catch it half-way.
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

    /// Lets pages run no script of theirs, from the next one on. What [`Browser::run`] is given still runs.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn without_scripts(&self) -> Result<()> {
        self.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": true })).map(drop)
    }
}

/// The body of chromedriver's own command for the DevTools protocol.
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
