//! Reads the browser's cookie jar.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Browser, Result};

/// A cookie in the browser's jar.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value, unchanged.
    pub value: String,
    /// The host that gets it. With a leading dot, the hosts below it get it too.
    pub domain: String,
    /// The prefix of the paths that get it.
    pub path: String,
    /// True if it is sent over HTTPS only.
    pub secure: bool,
    /// True if it is hidden from scripts.
    pub http_only: bool,
    /// `Strict`, `Lax` or `None`. Absent when the `Set-Cookie` line has no such attribute.
    pub same_site: Option<String>,
    /// The top-level site of a partitioned cookie.
    partition_key: Option<Value>,
    /// Seconds since 1970, or -1 for the end of the browser's session.
    expires: f64,
}

impl Cookie {
    /// True if it is partitioned: the browser sends it only under the top-level site that it came under.
    #[must_use]
    pub fn is_partitioned(&self) -> bool {
        self.partition_key.is_some()
    }

    /// The time at which the browser drops it. `None` for the end of the browser's session.
    #[must_use]
    pub fn expires(&self) -> Option<SystemTime> {
        let since_1970 = Duration::try_from_secs_f64(self.expires).ok()?;
        Some(SystemTime::UNIX_EPOCH + since_1970)
    }

    /// The time from now until the browser drops it. `None` for the end of the browser's session.
    #[must_use]
    pub fn expires_in(&self) -> Option<Duration> {
        self.expires()?.duration_since(SystemTime::now()).ok()
    }
}

impl Browser {
    /// The cookies of all sites, sorted by name.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn cookies(&self) -> Result<Vec<Cookie>> {
        let answer = self.devtools("Storage.getCookies", &json!({}))?;
        let mut cookies: Vec<Cookie> = Vec::deserialize(&answer["cookies"])
            .map_err(|error| crate::Error::new(format!("the cookies of the browser, {answer}: {error}")))?;
        cookies.sort_by(|one, other| (&one.name, &one.domain).cmp(&(&other.name, &other.domain)));
        Ok(cookies)
    }

    /// The cookie with this name, if there is one.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn cookie(&self, name: &str) -> Result<Option<Cookie>> {
        Ok(self.cookies()?.into_iter().find(|cookie| cookie.name == name))
    }

    /// Deletes all cookies.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn delete_cookies(&self) -> Result<()> {
        self.devtools("Storage.clearCookies", &json!({})).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_without_an_end_has_no_expiry() {
        let line = json!({
            "name": "a", "value": "b", "domain": "shop.example", "path": "/", "secure": false, "httpOnly": true, "expires": -1.0
        });
        let cookie = Cookie::deserialize(&line).unwrap();
        assert_eq!((cookie.expires(), cookie.http_only, cookie.same_site), (None, true, None));
    }
}
