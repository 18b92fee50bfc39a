//! Reads from the `Set-Cookie` headers of an answer whether the application sets or deletes its cookie.

use cookie::Cookie;

use crate::time::Timestamp;

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
    // The name is not taken from the parser, which strips all white space of Unicode. User agents do not (RFC 6265 §5.2).
    if !line.trim_ascii_start().strip_prefix(name.as_bytes())?.trim_ascii_start().starts_with(b"=") {
        return None;
    }
    let cookie = Cookie::parse(String::from_utf8_lossy(line)).ok()?;
    Some(if is_deletion(&cookie, now) { Change::Delete(line) } else { Change::Set(line) })
}

/// Returns true if the line removes the cookie, because its time is over. `Max-Age` has precedence over `Expires` (RFC 6265
/// §5.3).
fn is_deletion(cookie: &Cookie<'_>, now: Timestamp) -> bool {
    // The parser reads an empty Max-Age, which user agents ignore, as the greatest number.
    match cookie.max_age().filter(|max_age| max_age.whole_seconds() < i64::MAX) {
        Some(max_age) => !max_age.is_positive(),
        None => cookie
            .expires_datetime()
            .is_some_and(|expires| i128::from(expires.unix_timestamp()) <= i128::from(now.second())),
    }
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
    fn a_value_may_have_bytes_that_are_not_text() {
        assert_eq!(change(&[b"s=\xff\xfe; Path=/"], "s", NOW), Change::Set(b"s=\xff\xfe; Path=/"));
    }
}
