//! A browser on the page, by the marks that the page keeps for its tests.

use std::fmt;

use local_browser::{Browser, Result, Settings};

use super::Place;

/// One of the two listeners, and its half of the page.
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
    /// A first visit to the page of the sticky listener.
    pub(crate) fn sticky(place: &Place) -> Result<Self> {
        Self::with(&Settings::default(), &url(place, Lane::Sticky))
    }

    /// A first visit to the page of the listener without stickiness.
    pub(crate) fn plain(place: &Place) -> Result<Self> {
        Self::with(&Settings::default(), &url(place, Lane::Plain))
    }

    /// A first visit with this browser.
    pub(crate) fn with(settings: &Settings, url: &str) -> Result<Self> {
        let visit = Self { browser: Browser::start(settings)? };
        visit.browser.open(url)?;
        visit.settle()?;
        Ok(visit)
    }

    /// Waits until everything that was asked for is answered, the socket too.
    pub(crate) fn settle(&self) -> Result<()> {
        self.settle_without_socket()?;
        self.browser.wait_until("the socket", || Ok(!self.socket()?.is_empty()))
    }

    /// Waits until every request is answered.
    pub(crate) fn settle_without_socket(&self) -> Result<()> {
        self.browser.wait_until("the page to be at rest", || Ok(self.browser.count("body[data-busy]")? == 0))
    }

    /// F5.
    pub(crate) fn refresh(&self) -> Result<()> {
        self.browser.refresh()?;
        self.settle()
    }

    /// Clicks a button, and waits for all that follows.
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

    /// The instance that the page names.
    pub(crate) fn instance(&self) -> Result<String> {
        self.of_body("data-instance")
    }

    /// Who the page says is logged in; empty for nobody.
    pub(crate) fn user(&self) -> Result<String> {
        self.of_body("data-user")
    }

    /// The instance that holds the page's socket; empty while none does.
    pub(crate) fn socket(&self) -> Result<String> {
        Ok(self.browser.attribute("#socket", "data-instance")?.unwrap_or_default())
    }

    /// The instances of a lane's strip, the newest last; empty where none answered.
    pub(crate) fn answers(&self, lane: Lane) -> Result<Vec<String>> {
        self.browser.attributes(&format!("{lane} .answers > li"), "data-instance")
    }

    /// For each answer of a lane's strip, whether the instance knew the login.
    pub(crate) fn known(&self, lane: Lane) -> Result<Vec<String>> {
        self.browser.attributes(&format!("{lane} .answers > li"), "data-known")
    }

    /// What the page says has just happened.
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

/// The page of one of the listeners.
pub(crate) fn url(place: &Place, lane: Lane) -> String {
    let ports = place.ports();
    let port = match lane {
        Lane::Sticky => ports.sticky,
        Lane::Plain => ports.plain,
    };
    format!("http://localhost:{port}/")
}
