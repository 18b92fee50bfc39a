//! Splits a value that is too long for one cookie into up to four, and joins it again.
//!
//! "If the cookie is larger than 4K it is sharded" (AWS, "Edit target group attributes for your Application Load Balancer",
//! section "Sticky sessions"). Every part except the last is as long as a cookie's value may be, so the length of a part shows
//! whether another one follows.

use crate::cookies::names::Name;
use crate::trust::value_encoding::{MAX_COOKIE_VALUE, SHARDS};
use crate::wire::cookie_header::CookieHeader;

/// The parts of a value, which is ASCII.
pub(super) fn split(value: &str) -> impl Iterator<Item = &str> {
    let mut rest = value;
    std::iter::from_fn(move || {
        let (part, following) = rest.split_at_checked(MAX_COOKIE_VALUE).unwrap_or((rest, ""));
        rest = following;
        Some(part).filter(|part| !part.is_empty())
    })
}

/// The values that a request brings in parts. The first value that needs another part takes the first cookie of the next name,
/// and so on.
///
/// A request has several such values when the client holds the cookies of two load balancers.
pub(super) fn joined(names: &[Name; SHARDS], cookies: &CookieHeader<'_>) -> impl Iterator<Item = Vec<u8>> {
    let [first, following @ ..] = names;
    let mut following = following.each_ref().map(|name| cookies.values(name));
    cookies.values(first).map(move |part| {
        let mut value = part.into_owned();
        let mut is_whole = value.len() != MAX_COOKIE_VALUE;
        for parts in &mut following {
            if is_whole {
                break;
            }
            let Some(part) = parts.next() else { break };
            is_whole = part.len() != MAX_COOKIE_VALUE;
            value.extend_from_slice(&part);
        }
        value
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cookies::names::shards;

    fn rejoined(cookies: &str) -> Vec<Vec<u8>> {
        let header = CookieHeader::from_iter([cookies.as_bytes()]);
        joined(&shards(None), &header).collect()
    }

    fn cookies(value: &str) -> String {
        let pair = |(position, part): (usize, &str)| format!("AWSALBAPP-{position}={part}");
        split(value).enumerate().map(pair).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn a_short_value_is_one_part_and_a_long_one_is_more() {
        let lengths = |length| split(&"x".repeat(length)).map(str::len).collect::<Vec<_>>();
        assert_eq!(lengths(0), [0; 0]);
        assert_eq!(lengths(1), [1]);
        assert_eq!(lengths(4000), [4000]);
        assert_eq!(lengths(4001), [4000, 1]);
        assert_eq!(lengths(16_000), [4000, 4000, 4000, 4000]);
    }

    #[test]
    fn every_value_that_was_split_is_joined_again() {
        for length in [1, 3999, 4000, 4001, 8000, 12_345, 16_000] {
            let value: String = (b'a'..=b'z').cycle().take(length).map(char::from).collect();
            assert_eq!(rejoined(&cookies(&value)), [value.as_bytes()], "{length}");
        }
    }

    #[test]
    fn a_part_that_is_not_full_is_the_last() {
        assert_eq!(rejoined("AWSALBAPP-0=a; AWSALBAPP-1=stale"), [b"a"]);
        assert!(rejoined("AWSALBAPP-1=stale").is_empty());
    }

    #[test]
    fn the_order_of_the_parts_in_the_request_does_not_matter() {
        let full = "x".repeat(4000);
        let expected = format!("{full}{full}y").into_bytes();
        assert_eq!(rejoined(&format!("AWSALBAPP-2=y; AWSALBAPP-1={full}; a=b; AWSALBAPP-0={full}")), [expected]);
    }

    #[test]
    fn two_sets_of_cookies_make_two_values() {
        assert_eq!(rejoined("AWSALBAPP-0=a; AWSALBAPP-1=_remove_; AWSALBAPP-0=b; AWSALBAPP-1=_remove_"), [b"a", b"b"]);
        let full = "x".repeat(4000);
        let long = format!("{full}y").into_bytes();
        let cookies = format!("AWSALBAPP-0=a; AWSALBAPP-1=_remove_; AWSALBAPP-0={full}; AWSALBAPP-1=y");
        assert_eq!(rejoined(&cookies), [b"a".to_vec(), long]);
    }
}
