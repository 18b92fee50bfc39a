//! What is in the browser's cookie jar?

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Browser, Result};

/// A cookie as the browser holds it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cookie {
    /// Its name.
    pub name: String,
    /// Its value, as it came.
    pub value: String,
    /// The host that it goes back to; with a dot before it, to hosts below it too.
    pub domain: String,
    /// The paths that it goes back to begin so.
    pub path: String,
    /// Whether it goes over HTTPS only.
    pub secure: bool,
    /// Whether scripts do not see it.
    pub http_only: bool,
    /// `Strict`, `Lax` or `None`; nothing when its line does not say.
    pub same_site: Option<String>,
    /// The site under which alone it is sent; only partitioned cookies have one.
    partition_key: Option<Value>,
    /// Seconds since 1970; -1 for the end of the browser's session.
    expires: f64,
}

impl Cookie {
    /// Whether it is sent under the site only under which it came.
    #[must_use]
    pub fn is_partitioned(&self) -> bool {
        self.partition_key.is_some()
    }

    /// When the browser drops it; nothing when that is its own end.
    #[must_use]
    pub fn expires(&self) -> Option<SystemTime> {
        let since_1970 = Duration::try_from_secs_f64(self.expires).ok()?;
        Some(SystemTime::UNIX_EPOCH + since_1970)
    }

    /// How long from now until the browser drops it; nothing when that is its own end.
    #[must_use]
    pub fn expires_in(&self) -> Option<Duration> {
        self.expires()?.duration_since(SystemTime::now()).ok()
    }
}

impl Browser {
    /// Every cookie that it holds, whichever site's, in the order of their names.
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

    /// The cookie of this name, if it holds one.
    ///
    /// # Errors
    ///
    /// When the browser does not answer.
    pub fn cookie(&self, name: &str) -> Result<Option<Cookie>> {
        Ok(self.cookies()?.into_iter().find(|cookie| cookie.name == name))
    }

    /// Drops every cookie.
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
