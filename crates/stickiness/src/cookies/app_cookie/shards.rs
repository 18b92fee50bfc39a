//! Splits a value that is too long for one cookie into up to four, and joins it again.
//!
//! "If the cookie is larger than 4K it is sharded" (AWS, "Edit target group attributes for your Application Load Balancer",
//! section "Sticky sessions"). Every part except the last is as long as a cookie's value may be, so the length of a part shows
//! whether another one follows.

use std::borrow::Cow;

use crate::cookies::reading::Reading;
use crate::trust::value_encoding::{MAX_COOKIE_VALUE, SHARDS};
use crate::wire::cookie_header::{CookieName, RawValue};

/// The parts of a value, which is ASCII.
pub(super) fn split(value: &str) -> impl Iterator<Item = &str> {
    let mut rest = value;
    std::iter::from_fn(move || {
        let (part, following) = rest.split_at_checked(MAX_COOKIE_VALUE).unwrap_or((rest, ""));
        rest = following;
        Some(part).filter(|part| !part.is_empty())
    })
}

/// The parts of the values that are tried: two values of four parts, or four of two.
const MAX_PARTS: usize = 2 * SHARDS;

/// The parts of one name that are tried in one place of a value.
const MAX_CHOICES: usize = 3;

/// The values that a request brings, joined from their parts.
///
/// A request has several when the client holds the cookies of two load balancers, or of two paths or domains. Nothing tells which
/// parts belong together: a browser sorts the cookies of one name by their age (RFC 6265 §5.4), and the second part of a value
/// that grew is younger than its first. So several combinations are tried. No two of them open. The first value that needs
/// another part is joined with the first part of the next name, the second value with the second part, and so on; then with the
/// parts that come after those.
///
/// At most [`MAX_PARTS`] parts are joined, each of them as often as it is used.
pub(super) fn joined<'a>(
    names: &[CookieName; SHARDS],
    reading: &Reading<'a>,
) -> impl Iterator<Item = Cow<'a, [u8]>> + use<'a> {
    let [first, following @ ..] = names;
    let (mut short, mut long) = (Vec::new(), Vec::new());
    let mut only = None;
    for part in reading.first_values(&[first]).map(RawValue::decoded) {
        if part.len() == MAX_COOKIE_VALUE {
            long.push(part);
        } else if only.is_none() {
            // Most requests have one value, which then needs no list.
            only = Some(part);
        } else {
            short.push(part);
        }
    }
    let long = if long.is_empty() { Vec::new() } else { combined(&long, following, reading) };
    only.into_iter().chain(short).chain(long.into_iter().map(Cow::Owned))
}

/// The values that begin with these parts and that need more.
fn combined(long: &[Cow<'_, [u8]>], following: &[CookieName; SHARDS - 1], reading: &Reading<'_>) -> Vec<Vec<u8>> {
    let mut left = MAX_PARTS;
    let following =
        following.each_ref().map(|name| reading.first_values(&[name]).map(RawValue::decoded).collect::<Vec<_>>());
    let [second, third, fourth] = following.each_ref().map(|parts| 0..parts.len().clamp(1, MAX_CHOICES));
    let choices = second.flat_map(move |second| {
        let fourth = fourth.clone();
        third.clone().flat_map(move |third| fourth.clone().map(move |fourth| [second, third, fourth]))
    });
    let mut values = Vec::new();
    for choice in choices {
        for (rank, first) in long.iter().enumerate() {
            let Some(parts) = chosen(first, &following, rank, choice) else { continue };
            let Some(rest) = left.checked_sub(parts.len()) else { return values };
            left = rest;
            values.push(parts.concat());
        }
    }
    values
}

/// The parts of the value that begins with `first`; `None` when another choice makes the same value.
fn chosen<'a>(
    first: &'a [u8],
    following: &'a [Vec<Cow<'_, [u8]>>],
    rank: usize,
    choice: [usize; SHARDS - 1],
) -> Option<Vec<&'a [u8]>> {
    let mut parts = vec![first];
    let mut is_whole = false;
    for (next, choice) in following.iter().zip(choice) {
        let position = rank.saturating_add(choice).checked_rem(next.len());
        match position.and_then(|position| next.get(position)).filter(|part| part.len() <= MAX_COOKIE_VALUE) {
            Some(part) if !is_whole => {
                is_whole = part.len() != MAX_COOKIE_VALUE;
                parts.push(part);
            }
            _ if choice > 0 => return None,
            _ => is_whole = true,
        }
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cookies::names::shards;
    use crate::testing::{KEYS, request_without_cookies};
    use crate::trust::key_text::parse_ring;
    use crate::trust::scope::Scope;
    use crate::trust::sealer::Sealer;
    use crate::wire::cookie_header::{CookieHeader, Use, WantedCookies};

    fn rejoined(cookies: &str) -> Vec<Vec<u8>> {
        let names = shards(None);
        let wanted = WantedCookies::new(names.iter().map(|name| (name, Use::Values { shortest: 0 })));
        let found = wanted.find(&CookieHeader::from_iter([cookies.as_bytes()]));
        let (sealer, request) = (Sealer::new(parse_ring(KEYS).unwrap()), request_without_cookies());
        let scope = Scope::default();
        let reading = Reading { sealer: &sealer, request: &request, found: &found, target_group: "web", scope: &scope };
        joined(&names, &reading).map(Cow::into_owned).collect()
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
    fn of_two_long_values_every_combination_of_two_parts_is_tried() {
        let [a, b] = ["a", "b"].map(|part| part.repeat(4000));
        for cookies in [
            format!("AWSALBAPP-0={a}; AWSALBAPP-0={b}; AWSALBAPP-1=c; AWSALBAPP-1=d"),
            format!("AWSALBAPP-0={a}; AWSALBAPP-0={b}; AWSALBAPP-1=d; AWSALBAPP-1=c"),
        ] {
            let values = rejoined(&cookies);
            assert_eq!(values.len(), 4);
            for expected in [format!("{a}c"), format!("{b}d"), format!("{a}d"), format!("{b}c")] {
                assert!(values.contains(&expected.into_bytes()), "{cookies}");
            }
        }
    }

    #[test]
    fn no_more_than_eight_parts_are_joined() {
        let pairs =
            |shard: usize, count: usize| (0..count).map(move |number| format!("AWSALBAPP-{shard}={number:04000}"));
        let cookies: Vec<String> = (0..4).flat_map(|shard| pairs(shard, 3)).collect();
        let parts: usize = rejoined(&cookies.join("; ")).iter().map(|value| value.len() / 4000).sum();
        assert_eq!(parts, 8);
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
