//! Test machinery: drives a real Chromium, for the browser tests and the demo's screenshots.
//!
//! Chromium runs under WebDriver with its own profile and reaches only this machine. Every call returns when the browser has
//! answered.
//!
//! ```no_run
//! # fn main() -> local_browser::Result<()> {
//! use local_browser::{Browser, Settings};
//!
//! let browser = Browser::start(&Settings::default())?;
//! browser.open("http://shop.example:10000/")?;
//! println!("{} {:?}", browser.text("body")?, browser.cookie("AWSALB")?);
//! # Ok(()) }
//! ```

mod browser;
mod cookie;
mod devtools;
mod driver;
mod programs;
mod settings;
mod tabs;

pub use browser::Browser;
pub use cookie::Cookie;
pub use local_envoy::{Error, Result};
pub use programs::Programs;
pub use settings::{ColourScheme, Settings};
pub use tabs::Tab;
