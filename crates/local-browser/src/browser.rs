//! A browser: opens pages, reads them, clicks and types.

use std::time::Duration;

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use local_envoy::try_until;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::driver::Driver;
use crate::settings::capabilities;
use crate::{Error, Programs, Result, Settings};

/// The time that [`Browser::wait_until`] waits. A loaded machine needs far less.
const PATIENCE: Duration = Duration::from_secs(30);

/// Chromedriver's name for an error that has no name in WebDriver, such as a page that was replaced during a command. It can happen
/// after chromedriver has reported the new page as loaded (crbug.com/391907160).
const REPLACED: &str = "<unknown>";

/// A Chromium with its own profile. It ends on drop.
pub struct Browser {
    pub(crate) client: Client,
    runtime: Runtime,
    settings: Settings,
    // Dropped before the folder, into which the browser writes until it ends.
    _driver: Driver,
    _folder: TempDir,
}

impl Browser {
    /// Starts a browser with an empty page.
    ///
    /// # Errors
    ///
    /// Those of [`Programs::find`], and when a program does not start.
    pub fn start(settings: &Settings) -> Result<Self> {
        let programs = Programs::find()?;
        let say = |error: std::io::Error| Error::new(format!("the browser cannot be started: {error}"));
        let folder = tempfile::Builder::new().prefix("local-browser-").tempdir().map_err(say)?;
        let driver = Driver::start(&programs.chromedriver, folder.path(), &settings.language)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(say)?;
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities(&programs, &folder.path().join("profile"), settings));
        let client = runtime
            .block_on(builder.connect(&driver.url))
            .map_err(|error| Error::new(format!("{} cannot be started: {error}", programs.chromium.display())))?;
        let browser = Self { client, runtime, settings: settings.clone(), _driver: driver, _folder: folder };
        browser.show_as_set()?;
        Ok(browser)
    }

    /// Opens a page and returns when it is loaded.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub fn open(&self, url: &str) -> Result<()> {
        self.wait_for(url, self.client.goto(url))
    }

    /// Reloads the page, as F5 does.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub fn refresh(&self) -> Result<()> {
        self.wait_for("to refresh", self.client.refresh())
    }

    /// The visible text of the first element with this CSS selector.
    ///
    /// # Errors
    ///
    /// When there is no such element.
    pub fn text(&self, selector: &str) -> Result<String> {
        let text = self.run_with("return document.querySelector(arguments[0])?.innerText", &[json!(selector)])?;
        text.as_str().map(str::to_owned).ok_or_else(|| self.no_such(selector))
    }

    /// An attribute of the first element with this CSS selector. `None` when the element has no such attribute.
    ///
    /// # Errors
    ///
    /// When there is no such element.
    pub fn attribute(&self, selector: &str, name: &str) -> Result<Option<String>> {
        let script = "const found = document.querySelector(arguments[0]);
                      return found && [found.getAttribute(arguments[1])]";
        let value = self.run_with(script, &[json!(selector), json!(name)])?;
        let value = value.get(0).ok_or_else(|| self.no_such(selector))?;
        Ok(value.as_str().map(str::to_owned))
    }

    /// An attribute of each element with this CSS selector. It is empty where the element has no such attribute.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn attributes(&self, selector: &str, name: &str) -> Result<Vec<String>> {
        let script =
            "return [...document.querySelectorAll(arguments[0])].map(found => found.getAttribute(arguments[1]))";
        let values = self.run_with(script, &[json!(selector), json!(name)])?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(values.as_array().into_iter().flatten().map(text).collect())
    }

    /// The number of elements with this CSS selector.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn count(&self, selector: &str) -> Result<usize> {
        Ok(self.attributes(selector, "")?.len())
    }

    /// Clicks the first element with this CSS selector.
    ///
    /// # Errors
    ///
    /// When there is no such element, or another element covers it.
    pub fn click(&self, selector: &str) -> Result<()> {
        let found = self.find(selector)?;
        self.wait_for(&format!("to click {selector}"), found.click())
    }

    /// Types into the first element with this CSS selector.
    ///
    /// # Errors
    ///
    /// When there is no such element, or it takes no text.
    pub fn type_into(&self, selector: &str, text: &str) -> Result<()> {
        let found = self.find(selector)?;
        self.wait_for(&format!("to type into {selector}"), found.send_keys(text))
    }

    /// Presses a key, such as [`Browser::TAB`], at the present focus.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn press(&self, key: char) -> Result<()> {
        let actions = KeyActions::new("keyboard".to_owned());
        let actions = actions.then(KeyAction::Down { value: key }).then(KeyAction::Up { value: key });
        self.wait_for("to press a key", self.client.perform_actions(actions))
    }

    /// The tab key, for [`Browser::press`].
    pub const TAB: char = '\u{e004}';

    /// The enter key, for [`Browser::press`].
    pub const ENTER: char = '\u{e007}';

    /// Runs JavaScript and returns its value. If the value is a promise, its result is returned.
    ///
    /// # Errors
    ///
    /// When the script throws.
    pub fn run(&self, script: &str) -> Result<Value> {
        self.run_with(script, &[])
    }

    /// As [`Browser::run`], with `arguments`.
    ///
    /// # Errors
    ///
    /// When the script throws.
    pub fn run_with(&self, script: &str, arguments: &[Value]) -> Result<Value> {
        self.ask(script, || self.client.execute(script, arguments.to_vec()))
    }

    /// Checks `condition` until it is true.
    ///
    /// # Errors
    ///
    /// After 30 s; the error names `what`. Also the errors of `condition`.
    pub fn wait_until(&self, what: &str, condition: impl FnMut() -> Result<bool>) -> Result<()> {
        try_until(what, PATIENCE, condition)
    }

    /// A screenshot of the present tab as PNG.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn screenshot(&self) -> Result<Vec<u8>> {
        self.wait_for("a screenshot", self.client.screenshot())
    }

    /// Applies the size and the colour scheme of the settings to the present tab. Each tab has its own.
    pub(crate) fn show_as_set(&self) -> Result<()> {
        self.resize(self.settings.width, self.settings.height, self.settings.scale)?;
        self.prefer(self.settings.colour_scheme)
    }

    /// The answer to a command. An error names `what`.
    pub(crate) fn wait_for<T>(
        &self,
        what: &str,
        command: impl Future<Output = std::result::Result<T, CmdError>>,
    ) -> Result<T> {
        self.runtime.block_on(command).map_err(|error| refused(what, &error))
    }

    fn find(&self, selector: &str) -> Result<Element> {
        self.ask(&format!("to find {selector}"), || self.client.find(Locator::Css(selector)))
    }

    /// As [`Browser::wait_for`], but sends the command again if the page was replaced during it.
    fn ask<T, C>(&self, what: &str, command: impl Fn() -> C) -> Result<T>
    where
        C: Future<Output = std::result::Result<T, CmdError>>,
    {
        let mut answer = None;
        try_until(what, PATIENCE, || match self.runtime.block_on(command()) {
            Err(CmdError::NotW3C(Value::String(name))) if name == REPLACED => Ok(false),
            Err(error) => Err(refused(what, &error)),
            Ok(value) => {
                answer = Some(value);
                Ok(true)
            }
        })?;
        answer.ok_or_else(|| Error::new(format!("the browser, {what}: no answer")))
    }

    fn no_such(&self, selector: &str) -> Error {
        let page = self.run("return location.href + ': ' + document.body?.innerText.slice(0, 500)").unwrap_or_default();
        Error::new(format!("there is no {selector} on {}", page.as_str().unwrap_or("the page")))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // A browser that does not answer ends with chromedriver.
        let _ = self.runtime.block_on(self.client.clone().close());
    }
}

fn refused(what: &str, error: &CmdError) -> Error {
    let said = match error {
        CmdError::Standard(refused) => refused.message.to_string(),
        error => error.to_string(),
    };
    // The other lines are addresses of chromedriver's functions.
    Error::new(format!("the browser, {what}: {}", said.lines().next().unwrap_or_default()))
}
