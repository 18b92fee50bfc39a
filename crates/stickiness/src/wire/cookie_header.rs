//! Reads cookies from the `Cookie` header of a request.
//!
//! The header is bytes, not text: a client may send anything, and a broken cookie of somebody else must not end the stickiness.
//! RFC 6265 §5.4 describes what user agents send, and §4.2.2 tells servers not to rely on the order.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter};
use percent_encoding::percent_decode;

/// The value with which AWS withdraws a cookie. Clients store it and send it back, and it then means "no cookie".
pub const REMOVED: &str = "_remove_";

/// The values that mean "no cookie". Some clients send `remove`: their code was copied from formatted text, which lost the
/// underscores.
pub const ABSENT: [&str; 2] = [REMOVED, "remove"];

/// The most bytes of `Cookie` lines that are read from one request.
///
/// This is more than twice the 60 KiB that Envoy accepts in the headers of a request by default. The rest is not read.
pub const MAX_BYTES: usize = 128 * 1024;

/// The `Cookie` lines of one request, in the order in which they came.
///
/// An HTTP/1.1 request may have several. HTTP/2 splits a line into fields, which the proxy joins (RFC 9113 §8.2.3).
///
/// ```
/// use stickiness::wire::cookie_header::CookieHeader;
///
/// let header: CookieHeader = [b"theme=dark; AWSALB=a%2Bb; AWSALB=_remove_".as_slice()].into_iter().collect();
/// let values: Vec<_> = header.values("AWSALB").collect();
/// assert_eq!(values, [b"a+b".as_slice()]);
/// assert!(header.has("theme"));
/// ```
#[derive(Clone, Debug)]
pub struct CookieHeader<'a> {
    /// A field of its own, because most requests have one line: they then need no allocation.
    first: Option<&'a [u8]>,
    others: Vec<&'a [u8]>,
    /// The number of bytes that may still be read.
    left: usize,
}

impl Default for CookieHeader<'_> {
    /// No lines.
    fn default() -> Self {
        Self { first: None, others: Vec::new(), left: MAX_BYTES }
    }
}

impl<'a> CookieHeader<'a> {
    /// Adds a line to those that came before it.
    pub fn push(&mut self, line: &'a [u8]) {
        let read = line.get(..self.left).unwrap_or(line);
        self.left = self.left.saturating_sub(read.len());
        match self.first {
            None => self.first = Some(read),
            Some(_) => self.others.push(read),
        }
    }

    /// Every value of the cookie `name`, as the client was given it: without quotes and percent-decoded.
    ///
    /// Names are case-sensitive (RFC 6265 §5.4). Values that mean "no cookie" ([`ABSENT`]) are left out.
    pub fn values<'n>(&self, name: &'n str) -> impl Iterator<Item = Cow<'a, [u8]>> + use<'_, 'a, 'n> {
        self.pairs()
            .filter_map(move |pair| value_if_named(pair, name))
            .filter(|value| !ABSENT.iter().any(|absent| value.as_ref() == absent.as_bytes()))
    }

    /// Whether there is a cookie of this name, with any value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.pairs().any(|pair| value_if_named(pair, name).is_some())
    }

    fn pairs(&self) -> impl Iterator<Item = &'a [u8]> + use<'_, 'a> {
        self.first.iter().chain(&self.others).flat_map(|line| {
            let mut start = 0;
            memchr_iter(b';', line).chain([line.len()]).filter_map(move |end| {
                let pair = line.get(start..end);
                start = end.saturating_add(1);
                pair
            })
        })
    }
}

impl<'a> FromIterator<&'a [u8]> for CookieHeader<'a> {
    fn from_iter<I: IntoIterator<Item = &'a [u8]>>(lines: I) -> Self {
        let mut header = Self::default();
        lines.into_iter().for_each(|line| header.push(line));
        header
    }
}

fn value_if_named<'a>(pair: &'a [u8], name: &str) -> Option<Cow<'a, [u8]>> {
    let value =
        pair.trim_ascii_start().strip_prefix(name.as_bytes())?.trim_ascii_start().strip_prefix(b"=")?.trim_ascii();
    let unquoted = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value);
    let is_encoded = memchr(b'%', unquoted).is_some();
    Some(if is_encoded { percent_decode(unquoted).into() } else { unquoted.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(lines: &[&[u8]], name: &str) -> Vec<String> {
        lines
            .iter()
            .copied()
            .collect::<CookieHeader>()
            .values(name)
            .map(|value| String::from_utf8_lossy(&value).into_owned())
            .collect()
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        assert_eq!(values(&[b"a=1; AWSALB=v; b=2"], "AWSALB"), ["v"]);
    }

    #[test]
    fn every_cookie_of_the_name_is_found_in_every_line() {
        assert_eq!(values(&[b"AWSALB=1; AWSALB=2", b"x=y", b"AWSALB=3"], "AWSALB"), ["1", "2", "3"]);
    }

    #[test]
    fn a_name_that_only_begins_alike_is_another_cookie() {
        assert!(values(&[b"AWSALBCORS=1; AWSALBTG=2; XAWSALB=3"], "AWSALB").is_empty());
    }

    #[test]
    fn names_are_compared_by_case() {
        assert!(values(&[b"awsalb=1"], "AWSALB").is_empty());
    }

    #[test]
    fn separators_without_spaces_and_with_many_are_understood() {
        assert_eq!(values(&[b"a=1;AWSALB=1;;  \t AWSALB = 2  ;"], "AWSALB"), ["1", "2"]);
    }

    #[test]
    fn a_quoted_value_loses_its_quotes() {
        assert_eq!(values(&[b"AWSALB=\"v\""], "AWSALB"), ["v"]);
    }

    #[test]
    fn a_percent_encoded_value_is_decoded() {
        assert_eq!(values(&[b"AWSALB=a%2Bb%2fc%3D"], "AWSALB"), ["a+b/c="]);
    }

    #[test]
    fn a_removed_cookie_is_absent() {
        assert!(values(&[b"AWSALB=_remove_; AWSALB=remove"], "AWSALB").is_empty());
    }

    #[test]
    fn a_cookie_is_there_with_any_value() {
        let header = CookieHeader::from_iter([b"a=\xff; session=; b; c=_remove_".as_slice()]);
        assert_eq!(["a", "session", "b", "c", "sess"].map(|name| header.has(name)), [true, true, false, true, false]);
    }

    #[test]
    fn broken_bytes_of_a_foreign_cookie_disturb_nothing() {
        assert_eq!(values(&[b"a=\xff\xfe; \xc3; AWSALB=v"], "AWSALB"), ["v"]);
    }

    #[test]
    fn a_name_without_a_value_is_no_cookie() {
        assert!(values(&[b"AWSALB; AWSALB"], "AWSALB").is_empty());
        assert_eq!(values(&[b"AWSALB="], "AWSALB"), [""]);
    }

    #[test]
    fn lines_beyond_the_limit_are_not_read() {
        let filler = vec![b'x'; MAX_BYTES];
        assert!(values(&[&filler, b"AWSALB=v"], "AWSALB").is_empty());
        assert_eq!(values(&[b"AWSALB=v", &filler], "AWSALB"), ["v"]);
    }
}
