//! How does a visitor open the same page once more?

use fantoccini::wd::WindowHandle;

use crate::{Browser, Result};

/// One of the tabs of a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab(WindowHandle);

impl Browser {
    /// The present tab.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn tab(&self) -> Result<Tab> {
        self.wait_for("the present tab", self.client.window()).map(Tab)
    }

    /// Opens an empty tab, which is the present one from now on.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn new_tab(&self) -> Result<Tab> {
        let opened = self.wait_for("a new tab", self.client.new_window(true))?;
        let tab = Tab(opened.handle);
        self.switch_to(&tab)?;
        self.show_as_set()?;
        Ok(tab)
    }

    /// Makes this tab the present one.
    ///
    /// # Errors
    ///
    /// When it was closed.
    pub fn switch_to(&self, tab: &Tab) -> Result<()> {
        self.wait_for("another tab", self.client.switch_to_window(tab.0.clone()))
    }

    /// Closes the present tab; this one is the present one then.
    ///
    /// # Errors
    ///
    /// When one of the two was closed before.
    pub fn close_tab(&self, next: &Tab) -> Result<()> {
        self.wait_for("to close a tab", self.client.close_window())?;
        self.switch_to(next)
    }
}
