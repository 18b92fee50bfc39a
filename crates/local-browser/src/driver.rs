//! Runs chromedriver. The browser ends with it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use local_envoy::{Child, Log, try_until};

use crate::{Error, Result};

/// The time for its start. A loaded machine needs far less.
const LIMIT: Duration = Duration::from_secs(30);

/// The text before the port in chromedriver's output.
const STARTED: &str = "started successfully on port ";

/// A chromedriver on a free port. It ends on drop, together with its browser.
pub(crate) struct Driver {
    child: Child,
    log: Log,
    /// The URL at which it takes commands.
    pub(crate) url: String,
}

impl Driver {
    /// Starts it. Its files and those of the browser go into `folder`.
    pub(crate) fn start(program: &Path, folder: &Path, language: &str) -> Result<Self> {
        let mut command = Command::new(program);
        command.arg("--port=0").env("TMPDIR", folder).env("HOME", folder).env("LANGUAGE", language);
        // On a desktop these would make the browser write into other folders.
        command.env_remove("XDG_CONFIG_HOME").env_remove("XDG_CACHE_HOME");
        let child = Child::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        let log = Log::of(&child);
        let mut driver = Self { child, log, url: String::new() };
        let mut port = None;
        try_until("chromedriver to say its port", LIMIT, || {
            if let Some(status) = driver.child.ended() {
                driver.log.settle();
                let said = driver.log.tail(5);
                return Err(Error::new(format!("chromedriver has ended by itself ({status}): {said}")));
            }
            port = port_in(&driver.log.text());
            Ok(port.is_some())
        })?;
        driver.url = format!("http://127.0.0.1:{}", port.unwrap_or_default());
        Ok(driver)
    }
}

fn port_in(output: &str) -> Option<u16> {
    let line = output.lines().find_map(|line| Some(line.split_once(STARTED)?.1))?;
    line.trim_end_matches('.').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_read_from_the_line_of_chromedriver() {
        let output =
            "Starting ChromeDriver 156.0.8078.79 on port 0\nChromeDriver was started successfully on port 41657.\n";
        assert_eq!(port_in(output), Some(41657));
        assert_eq!(port_in("Starting ChromeDriver 156.0.8078.79 on port 0\n"), None);
    }
}
