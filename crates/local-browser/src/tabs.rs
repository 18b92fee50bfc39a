//! The tabs of a browser.

use fantoccini::wd::WindowHandle;

use crate::{Browser, Result};

/// A tab of a browser.
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

    /// Opens an empty tab and makes it the present one.
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
    /// When the tab was closed.
    pub fn switch_to(&self, tab: &Tab) -> Result<()> {
        self.wait_for("another tab", self.client.switch_to_window(tab.0.clone()))
    }

    /// Closes the present tab and makes this one the present one.
    ///
    /// # Errors
    ///
    /// When one of the two tabs is closed already.
    pub fn close_tab(&self, next: &Tab) -> Result<()> {
        self.wait_for("to close a tab", self.client.close_window())?;
        self.switch_to(next)
    }
}
