//! Reads from the `Set-Cookie` headers of an answer whether the application sets or deletes its cookie.
//!
//! A line is read as user agents read it (RFC 6265 §5.2), on its bytes: not every application writes text.

use crate::time::Timestamp;
use crate::wire::cookie_date;

/// The longest value of an attribute, in bytes. Browsers ignore an attribute with a longer one (RFC 6265bis §5.6).
const MAX_ATTRIBUTE_VALUE: usize = 1024;

/// The change that an answer makes to the application's cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// The answer leaves the cookie as it is.
    None,
    /// The answer sets the cookie with this line.
    Set(&'a [u8]),
    /// The answer deletes the cookie with this line.
    Delete(&'a [u8]),
}

/// The change that these lines make to the cookie of this name.
///
/// The last line that sets the cookie counts. If another line deletes it, that line is for a path or domain where the cookie
/// used to be. The name alone decides, as at AWS, which checks the name and "not the value or the expiry attribute" (AWS, "Edit
/// target group attributes for your Application Load Balancer", section "Sticky sessions"). A line that does not parse changes
/// nothing.
///
/// ```
/// use stickiness::time::Timestamp;
/// use stickiness::wire::application_set_cookie::{Change, change};
///
/// let now = Timestamp::from_millis(1_700_000_000_000);
/// let lines: [&[u8]; 2] = [b"theme=dark", b"sid=1; Path=/"];
/// assert_eq!(change(&lines, "sid", now), Change::Set(b"sid=1; Path=/"));
/// assert_eq!(change(&[b"sid=; Max-Age=0"], "sid", now), Change::Delete(b"sid=; Max-Age=0"));
/// ```
#[must_use]
pub fn change<'a>(lines: &[&'a [u8]], name: &str, now: Timestamp) -> Change<'a> {
    let changes = lines.iter().filter_map(|line| change_by(line, name, now));
    changes.fold(Change::None, |earlier, later| match (earlier, later) {
        (set @ Change::Set(_), Change::Delete(_)) => set,
        (_, later) => later,
    })
}

fn change_by<'a>(line: &'a [u8], name: &str, now: Timestamp) -> Option<Change<'a>> {
    let (its_name, value) = name_and_value(parts(line).next()?);
    if its_name != name.as_bytes() || value.is_none() {
        return None;
    }
    Some(if is_deletion(line, now) { Change::Delete(line) } else { Change::Set(line) })
}

/// Returns true if the line removes the cookie, because its time is over. `Max-Age` has precedence over `Expires`, and of
/// several that can be read the last one counts (RFC 6265 §5.3).
fn is_deletion(line: &[u8], now: Timestamp) -> bool {
    let (mut is_over_by_max_age, mut expires) = (None, None);
    for (name, value) in attributes(line) {
        let Some(value) = value.filter(|value| value.len() <= MAX_ATTRIBUTE_VALUE) else { continue };
        if name.eq_ignore_ascii_case(b"max-age") {
            is_over_by_max_age = is_over(value).or(is_over_by_max_age);
        } else if name.eq_ignore_ascii_case(b"expires") {
            expires = cookie_date::seconds(value).or(expires);
        }
    }
    let is_past = |seconds: i64| u64::try_from(seconds).map_or(true, |seconds| seconds <= now.second());
    is_over_by_max_age.or(expires.map(is_past)).unwrap_or(false)
}

/// Returns true if this `Max-Age` is not positive: digits, with or without a minus (RFC 6265 §5.2.2). `None` when user agents
/// ignore it.
fn is_over(max_age: &[u8]) -> Option<bool> {
    let (is_negative, digits) = max_age.strip_prefix(b"-").map_or((false, max_age), |digits| (true, digits));
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| is_negative || digits.iter().all(|digit| *digit == b'0'))
}

/// The names of the attributes of a line, and their values where they have one.
pub(crate) fn attributes(line: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    parts(line).skip(1).map(name_and_value)
}

/// The cookie of a line, and then its attributes.
fn parts(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|byte| *byte == b';')
}

fn name_and_value(part: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut halves = part.splitn(2, |byte| *byte == b'=').map(trim);
    (halves.next().unwrap_or_default(), halves.next())
}

/// Removes the white space that user agents know: spaces and tabs (RFC 6265 §5.2).
fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn kind(lines: &[&str], name: &str) -> &'static str {
        let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
        match change(&lines, name, NOW) {
            Change::None => "none",
            Change::Set(_) => "set",
            Change::Delete(_) => "delete",
        }
    }

    #[test]
    fn the_session_cookies_of_real_frameworks_are_seen() {
        for (name, line) in [
            ("JSESSIONID", "JSESSIONID=node01abc.node0; Path=/; Secure; HttpOnly"),
            ("JSESSIONID", "JSESSIONID=\"quoted!value\"; Version=1; Path=/app; Discard"),
            ("connect.sid", "connect.sid=s%3AabcDEF.x%2By; Path=/; Expires=Tue, 19 Jan 2038 03:14:07 GMT; HttpOnly"),
            ("PHPSESSID", "PHPSESSID=el4ukv0kqbvoirg7nkp4dncpk3; path=/"),
            (
                "PHPSESSID",
                "PHPSESSID=x; expires=Thu, 19-Nov-2081 08:52:00 GMT; Max-Age=1440; path=/; domain=.example.com; SameSite=Lax",
            ),
            ("PHPSESSID", "PHPSESSID=x;PATH=/;;HTTPONLY ;odd=\"a;"),
            ("ASP.NET_SessionId", "ASP.NET_SessionId=abc; path=/; HttpOnly; SameSite=Lax"),
            ("_app_session", "_app_session=cGF5bG9hZA%3D%3D--0123; path=/; HttpOnly"),
            ("csrftoken", " csrftoken=; Path=/"),
        ] {
            assert_eq!(kind(&[line], name), "set", "{line}");
        }
    }

    #[test]
    fn a_cookie_of_another_name_is_another_cookie() {
        for line in ["JSESSIONID2=x", "jsessionid=x", "theme=JSESSIONID=x", "JSESSIONID", "=x", ""] {
            assert_eq!(kind(&[line], "JSESSIONID"), "none", "{line}");
        }
    }

    #[test]
    fn white_space_that_user_agents_do_not_know_belongs_to_the_name() {
        for line in ["s\u{a0}=1", "s\u{b}=1", "\u{2003}s=1"] {
            assert_eq!(kind(&[line], "s"), "none", "{line:?}");
        }
        assert_eq!(kind(&[" s\t =1"], "s"), "set");
    }

    #[test]
    fn a_line_whose_time_is_over_deletes() {
        for line in [
            "s=; Max-Age=0",
            "s=x; max-age=-1; Expires=Tue, 19 Jan 2038 03:14:07 GMT",
            "s=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/",
            "s=; Max-Age=; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "s=; expires=Thu, 01-Jan-1970 00:00:01 GMT",
            "s=deleted; expires=Tue, 14 Nov 2023 22:13:20 GMT",
        ] {
            assert_eq!(kind(&[line], "s"), "delete", "{line}");
        }
        for line in [
            "s=x; Max-Age=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "s=x; expires=Tue, 14 Nov 2023 22:13:21 GMT",
            "s=x; Max-Age=never",
            "s=x; Expires=0",
        ] {
            assert_eq!(kind(&[line], "s"), "set", "{line}");
        }
    }

    #[test]
    fn of_several_lines_the_last_one_that_sets_counts() {
        assert_eq!(change(&[b"s=1", b"s=2; Path=/", b"t=3"], "s", NOW), Change::Set(b"s=2; Path=/"));
        for order in [["s=1; Path=/", "s=; Path=/old; Max-Age=0"], ["s=; Path=/old; Max-Age=0", "s=1; Path=/"]] {
            assert_eq!(kind(&order, "s"), "set", "{order:?}");
        }
        assert_eq!(kind(&["t=1", "s=; Max-Age=0", "s=; Path=/old; Max-Age=0"], "s"), "delete");
    }

    #[test]
    fn a_deletion_is_seen_in_every_spelling_of_its_date_that_browsers_take() {
        for date in [
            "Thu, 01 Jan 1970 00:00:00 -0000",
            "Thu, 01-Jan-70 00:00:01 GMT",
            "Thursday, 01-Jan-1970 00:00:00 GMT",
            "Thu, 1 Jan 1970 00:00:00 UTC",
            "Thu, 01 Jan 1970 00:00:00",
            "Thu, 01 Jan 1970 00:00:00 +0000",
            "01 Jan 1970 00:00:00 GMT",
            "\"Thu, 01-Jan-1970 00:00:00 GMT\"",
            "thu, 01 jan 1970 00:00:00 gmt",
            "Thu Jan 01 00:00:00 UTC 1970",
            "Do, 01 Jan 1601 00:00:00 GMT",
        ] {
            assert_eq!(kind(&[&format!("s=; path=/; expires={date}")], "s"), "delete", "{date}");
        }
        for date in ["Tue, 01-Jan-69 00:00:00 GMT", "Sat, 01-Aug-37 00:00:00 GMT", "Thu, 01 Jan 1600 00:00:00 GMT", "1"]
        {
            assert_eq!(kind(&[&format!("s=; path=/; expires={date}")], "s"), "set", "{date}");
        }
    }

    #[test]
    fn of_several_attributes_the_last_one_that_can_be_read_counts() {
        const PAST: &str = "Thu, 01 Jan 1970 00:00:00 GMT";
        const FUTURE: &str = "Tue, 19 Jan 2038 03:14:07 GMT";
        for line in [
            format!("s=x; Expires={FUTURE}; Expires={PAST}"),
            format!("s=x; Expires={PAST}; Expires=soon"),
            "s=x; Max-Age=5; Max-Age=0; Max-Age=+5; Max-Age=5s; Max-Age=-; Max-Age".to_owned(),
            format!("s=x; MAX-AGE = -0 ;eXpIrEs={FUTURE}"),
            format!("s=x; Max-Age=\"5\"; Expires={PAST}"),
            format!("s=x; Max-Age={}5; Expires={PAST}", "0".repeat(1024)),
        ] {
            assert_eq!(kind(&[&line], "s"), "delete", "{line}");
        }
        for line in [
            format!("s=x; Expires={PAST}; Expires={FUTURE}"),
            format!("s=x; Max-Age=0; Max-Age={}", "9".repeat(1000)),
            format!("s=x; Expires={PAST}{}", " ".repeat(1024) + "x"),
            format!("s=Max-Age=0; Expires\u{a0}={PAST}"),
        ] {
            assert_eq!(kind(&[&line], "s"), "set", "{line}");
        }
    }

    #[test]
    fn a_value_may_have_bytes_that_are_not_text() {
        assert_eq!(change(&[b"s=\xff\xfe; Path=/"], "s", NOW), Change::Set(b"s=\xff\xfe; Path=/"));
    }
}
