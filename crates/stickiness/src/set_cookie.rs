//! How cookies are written in an answer: `Set-Cookie` lines, byte for byte as AWS writes them.
//!
//! By hand, because no library writes the attributes in AWS's order: `Expires`, `Path`, `SameSite`, `Secure`.

use std::fmt::Write as _;
use std::time::SystemTime;

use httpdate::fmt_http_date;

use crate::names::{AWSALB, AWSALBCORS};

/// The value of the `Set-Cookie` header for the duration-based cookie.
///
/// `expires` is what the browser is shown; without it the cookie lasts as long as the browser runs.
#[must_use]
pub fn awsalb(value: &str, expires: Option<SystemTime>) -> String {
    line(AWSALB, value, expires)
}

/// The value of the `Set-Cookie` header for its twin, which browsers also send cross-site.
///
/// `over_https` is the listener's: over plain HTTP AWS leaves `Secure` out, and browsers then refuse the twin.
#[must_use]
pub fn awsalbcors(value: &str, expires: Option<SystemTime>, over_https: bool) -> String {
    let mut line = line(AWSALBCORS, value, expires);
    line.push_str("; SameSite=None");
    if over_https {
        line.push_str("; Secure");
    }
    line
}

fn line(name: &str, value: &str, expires: Option<SystemTime>) -> String {
    let mut line = format!("{name}={value}");
    if let Some(expires) = expires {
        // Writing to a String does not fail.
        let _ = write!(line, "; Expires={}", fmt_http_date(expires));
    }
    line.push_str("; Path=/");
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn expires() -> Option<SystemTime> {
        Timestamp::from_millis(1_709_032_913_000).to_system_time().into()
    }

    #[test]
    fn awsalb_is_written_as_aws_writes_it() {
        assert_eq!(awsalb("v+/", expires()), "AWSALB=v+/; Expires=Tue, 27 Feb 2024 11:21:53 GMT; Path=/");
    }

    #[test]
    fn the_twin_over_https_is_secure() {
        assert_eq!(
            awsalbcors("v", expires(), true),
            "AWSALBCORS=v; Expires=Tue, 27 Feb 2024 11:21:53 GMT; Path=/; SameSite=None; Secure"
        );
    }

    #[test]
    fn the_twin_over_plain_http_is_not_secure() {
        assert_eq!(
            awsalbcors("v", expires(), false),
            "AWSALBCORS=v; Expires=Tue, 27 Feb 2024 11:21:53 GMT; Path=/; SameSite=None"
        );
    }

    #[test]
    fn without_expires_it_is_a_cookie_of_the_browser_session() {
        assert_eq!(awsalb("v", None), "AWSALB=v; Path=/");
        assert_eq!(awsalbcors("v", None, true), "AWSALBCORS=v; Path=/; SameSite=None; Secure");
    }

    #[test]
    fn a_client_reads_the_same_attributes_back() {
        let line = awsalbcors("v+/", expires(), true);
        let cookie = cookie::Cookie::parse(line).unwrap();
        assert_eq!(cookie.name_value(), ("AWSALBCORS", "v+/"));
        assert_eq!(cookie.path(), Some("/"));
        assert_eq!(cookie.same_site(), Some(cookie::SameSite::None));
        assert_eq!(cookie.secure(), Some(true));
        let expires = cookie.expires_datetime().unwrap();
        assert_eq!(expires.unix_timestamp(), 1_709_032_913);
    }
}
