//! Writes `Set-Cookie` lines, byte for byte as AWS writes them.
//!
//! No library writes the attributes in AWS's order: `Expires`, `Path`, `SameSite`, `Secure`. The attributes that AWS does not
//! have are written between them.

use std::fmt::{self, Display, Formatter, Write};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use httpdate::HttpDate;

use crate::policy::SameSite;

/// The number of bytes that is enough for the attributes of most cookies.
const ATTRIBUTES: usize = 100;

/// A cookie for a client.
///
/// ```
/// use stickiness::wire::set_cookie::SetCookie;
///
/// let cookie = SetCookie {
///     name: "AWSALB",
///     value: "dmFsdWU",
///     expires: None,
///     max_age: None,
///     domain: None,
///     path: "/",
///     same_site: None,
///     secure: true,
///     http_only: false,
///     partitioned: false,
/// };
/// assert_eq!(cookie.to_string(), "AWSALB=dmFsdWU; Path=/; Secure");
/// assert_eq!(cookie.classic(), "AWSALB=dmFsdWU;PATH=/;SECURE");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SetCookie<'a> {
    /// The cookie's name.
    pub name: &'a str,
    /// Its value, in characters that a cookie may have.
    pub value: &'a str,
    /// `Expires`.
    pub expires: Option<SystemTime>,
    /// `Max-Age`. Without it and `Expires` the cookie lasts until the browser is closed.
    pub max_age: Option<Duration>,
    /// `Domain`.
    pub domain: Option<&'a str>,
    /// `Path`.
    pub path: &'a str,
    /// `SameSite`.
    pub same_site: Option<SameSite>,
    /// `Secure`.
    pub secure: bool,
    /// `HttpOnly`.
    pub http_only: bool,
    /// `Partitioned`.
    pub partitioned: bool,
}

impl Display for SetCookie<'_> {
    /// The line of an Application Load Balancer.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)?;
        if let Some(expires) = self.expires {
            write!(f, "; Expires={}", HttpDate::from(expires))?;
        }
        if let Some(max_age) = self.max_age {
            write!(f, "; Max-Age={}", max_age.as_secs())?;
        }
        if let Some(domain) = self.domain {
            write!(f, "; Domain={domain}")?;
        }
        write!(f, "; Path={}", self.path)?;
        if let Some(same_site) = self.same_site {
            write!(f, "; SameSite={same_site}")?;
        }
        let flags = [(self.secure, "Secure"), (self.http_only, "HttpOnly"), (self.partitioned, "Partitioned")];
        flags.iter().filter(|(is_set, _)| *is_set).try_for_each(|(_, flag)| write!(f, "; {flag}"))
    }
}

impl SetCookie<'_> {
    /// The line of an Application Load Balancer.
    #[must_use]
    pub fn line(&self) -> Rc<str> {
        // With enough room from the start, most lines are not copied. Without it, they are copied five times as they grow.
        let mut line =
            String::with_capacity(self.name.len().saturating_add(self.value.len()).saturating_add(ATTRIBUTES));
        // Writing to a String does not fail.
        let _ = write!(line, "{self}");
        line.into()
    }

    /// The line of a Classic Load Balancer: upper-case attributes, no spaces, and never `Expires`.
    #[must_use]
    pub fn classic(&self) -> String {
        let mut attributes = format!(";PATH={}", self.path);
        let mut attribute = |text: String| attributes.push_str(&text);
        if let Some(domain) = self.domain {
            attribute(format!(";DOMAIN={domain}"));
        }
        if let Some(max_age) = self.max_age {
            attribute(format!(";MAX-AGE={}", max_age.as_secs()));
        }
        for (is_set, flag) in
            [(self.secure, ";SECURE"), (self.http_only, ";HTTPONLY"), (self.partitioned, ";PARTITIONED")]
        {
            if is_set {
                attribute(flag.to_owned());
            }
        }
        if let Some(same_site) = self.same_site {
            attribute(format!(";SAMESITE={same_site}"));
        }
        format!("{}={}{attributes}", self.name, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    const BARE: SetCookie<'_> = SetCookie {
        name: "AWSALB",
        value: "v+/",
        expires: None,
        max_age: None,
        domain: None,
        path: "/",
        same_site: None,
        secure: false,
        http_only: false,
        partitioned: false,
    };

    fn awsalb() -> SetCookie<'static> {
        SetCookie { expires: Some(Timestamp::from_millis(1_709_032_913_000).to_system_time()), ..BARE }
    }

    fn full() -> SetCookie<'static> {
        SetCookie {
            max_age: Some(Duration::from_mins(1)),
            domain: Some("example.com"),
            path: "/app",
            same_site: Some(SameSite::Lax),
            secure: true,
            http_only: true,
            partitioned: true,
            ..awsalb()
        }
    }

    #[test]
    fn awsalb_is_written_as_aws_writes_it() {
        assert_eq!(awsalb().to_string(), "AWSALB=v+/; Expires=Tue, 27 Feb 2024 11:21:53 GMT; Path=/");
    }

    #[test]
    fn the_twin_is_written_as_aws_writes_it() {
        let twin = SetCookie { name: "AWSALBCORS", same_site: Some(SameSite::None), ..awsalb() };
        let line = "AWSALBCORS=v+/; Expires=Tue, 27 Feb 2024 11:21:53 GMT; Path=/; SameSite=None";
        assert_eq!(twin.to_string(), line);
        assert_eq!(SetCookie { secure: true, ..twin }.to_string(), format!("{line}; Secure"));
    }

    #[test]
    fn a_cookie_of_the_browser_session_has_a_path_only() {
        assert_eq!(BARE.to_string(), "AWSALB=v+/; Path=/");
        assert_eq!(BARE.classic(), "AWSALB=v+/;PATH=/");
    }

    #[test]
    fn every_attribute_has_its_place() {
        assert_eq!(
            full().to_string(),
            "AWSALB=v+/; Expires=Tue, 27 Feb 2024 11:21:53 GMT; Max-Age=60; Domain=example.com; Path=/app; \
             SameSite=Lax; Secure; HttpOnly; Partitioned"
        );
        assert_eq!(
            full().classic(),
            "AWSALB=v+/;PATH=/app;DOMAIN=example.com;MAX-AGE=60;SECURE;HTTPONLY;PARTITIONED;SAMESITE=Lax"
        );
    }

    #[test]
    fn awselb_is_written_as_aws_writes_it() {
        let awselb = SetCookie { name: "AWSELB", value: "0A", max_age: Some(Duration::from_mins(15)), ..BARE };
        assert_eq!(awselb.classic(), "AWSELB=0A;PATH=/;MAX-AGE=900");
        let twin = SetCookie { name: "AWSELBCORS", secure: true, same_site: Some(SameSite::None), ..awselb };
        assert_eq!(twin.classic(), "AWSELBCORS=0A;PATH=/;MAX-AGE=900;SECURE;SAMESITE=None");
    }

    #[test]
    fn a_client_reads_the_same_attributes_back() {
        let cookie = cookie::Cookie::parse(full().to_string()).unwrap();
        assert_eq!(cookie.name_value(), ("AWSALB", "v+/"));
        assert_eq!((cookie.path(), cookie.domain()), (Some("/app"), Some("example.com")));
        assert_eq!(cookie.same_site(), Some(SameSite::Lax));
        assert_eq!((cookie.secure(), cookie.http_only(), cookie.partitioned()), (Some(true), Some(true), Some(true)));
        assert_eq!(cookie.expires_datetime().unwrap().unix_timestamp(), 1_709_032_913);
        assert_eq!(cookie.max_age().unwrap().whole_seconds(), 60);
    }
}
