//! A browser that is on the page and reads its data attributes.

use std::fmt;

use local_browser::{Browser, Result, Settings};

use super::Fixture;

/// A listener, and its half of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Sticky,
    Plain,
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sticky => "#lane-sticky",
            Self::Plain => "#lane-plain",
        })
    }
}

/// A browser on the page.
pub(crate) struct Visit {
    pub(crate) browser: Browser,
}

impl Visit {
    /// The first visit to the page of the sticky listener.
    pub(crate) fn sticky(demo: &Fixture) -> Result<Self> {
        Self::with(&Settings::default(), &url(demo, Lane::Sticky))
    }

    /// The first visit to the page of the listener without stickiness.
    pub(crate) fn plain(demo: &Fixture) -> Result<Self> {
        Self::with(&Settings::default(), &url(demo, Lane::Plain))
    }

    /// The first visit to a URL, with these settings of the browser.
    pub(crate) fn with(settings: &Settings, url: &str) -> Result<Self> {
        let visit = Self { browser: Browser::start(settings)? };
        visit.browser.open(url)?;
        visit.settle()?;
        Ok(visit)
    }

    /// Waits until all requests are answered and the socket is open.
    pub(crate) fn settle(&self) -> Result<()> {
        self.settle_without_socket()?;
        self.browser.wait_until("the socket", || Ok(!self.socket()?.is_empty()))
    }

    /// Waits until all requests are answered.
    pub(crate) fn settle_without_socket(&self) -> Result<()> {
        self.browser.wait_until("the page to be at rest", || Ok(self.browser.count("body[data-busy]")? == 0))
    }

    /// Reloads the page.
    pub(crate) fn refresh(&self) -> Result<()> {
        self.browser.refresh()?;
        self.settle()
    }

    /// Clicks a button and waits until its requests are answered.
    pub(crate) fn click(&self, selector: &str) -> Result<()> {
        self.browser.click(selector)?;
        self.settle_without_socket()
    }

    /// Logs in.
    pub(crate) fn log_in(&self, user: &str) -> Result<()> {
        self.browser.type_into("#user", user)?;
        self.browser.press(Browser::ENTER)?;
        self.settle_without_socket()
    }

    /// The instance that served the page.
    pub(crate) fn instance(&self) -> Result<String> {
        self.of_body("data-instance")
    }

    /// The user who is logged in. Empty for nobody.
    pub(crate) fn user(&self) -> Result<String> {
        self.of_body("data-user")
    }

    /// The instance at the other end of the socket. Empty while the socket is closed.
    pub(crate) fn socket(&self) -> Result<String> {
        Ok(self.browser.attribute("#socket", "data-instance")?.unwrap_or_default())
    }

    /// The instances of the answers in a lane's strip, the newest last. Empty for an answer of no instance.
    pub(crate) fn answers(&self, lane: Lane) -> Result<Vec<String>> {
        self.browser.attributes(&format!("{lane} .answers > li"), "data-instance")
    }

    /// For each answer in a lane's strip, `true` or `false`: the instance knew the login or not.
    pub(crate) fn known(&self, lane: Lane) -> Result<Vec<String>> {
        self.browser.attributes(&format!("{lane} .answers > li"), "data-known")
    }

    /// The text of the page's notice.
    pub(crate) fn notice(&self) -> Result<String> {
        self.browser.text("#notice")
    }

    /// Waits until the page shows this instance in this state.
    pub(crate) fn wait_for_state(&self, instance: &str, state: &str) -> Result<()> {
        let selector = format!("#instances [data-name={instance}][data-state={state}]");
        self.browser.wait_until(&format!("instance {instance} to be shown as {state}"), || {
            Ok(self.browser.count(&selector)? == 1)
        })
    }

    fn of_body(&self, attribute: &str) -> Result<String> {
        Ok(self.browser.attribute("body", attribute)?.unwrap_or_default())
    }
}

/// The URL of the page of a listener.
pub(crate) fn url(demo: &Fixture, lane: Lane) -> String {
    let ports = demo.ports();
    let port = match lane {
        Lane::Sticky => ports.sticky,
        Lane::Plain => ports.plain,
    };
    format!("http://localhost:{port}/")
}
