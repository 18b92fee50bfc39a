//! Reads cookies from the `Cookie` header of a request.
//!
//! The header is bytes, not text: a client may send anything, and a broken cookie of somebody else must not end the stickiness.
//! RFC 6265 §5.4 describes what user agents send, and §4.2.2 tells servers not to rely on the order.
//!
//! One walk over the header finds all cookies that a configuration wants, at any number of policies and rules. Its cost is bounded
//! by the bytes of the header and not by their structure:
//!
//! - Sixteen bytes at a time are searched for the *places* where a wanted cookie may begin: the first byte of a wanted name after
//!   `;` or white space. This takes the same 47 instructions for any bytes and for any number of names. A walk that stops at every
//!   `;` takes 12 instructions for sixteen bytes of a long cookie, and some hundreds for each cookie. Its cost is then that of the
//!   structure: a bound on the number of cookies that keeps `;;;` as cheap as one long cookie would be about a hundred, and
//!   browsers send more. The headers of browsers, whose cookies are short, cost more with it too.
//! - The first [`MAX_PLACES`] places are looked at. So a good cookie is found behind any number of foreign ones, unless so many of
//!   them begin with the same letter as a wanted one.
//! - At most [`MAX_BLANKS`] bytes of white space are skipped in one place, and of the values that are too short to be good only one
//!   is kept.
//!
//! The test `host::cost` counts the instructions.

mod found;
mod name;
mod places;
mod wanted;

pub use found::{FoundCookies, RawValue};
pub use name::CookieName;
pub use wanted::{MAX_PLACES, Use, WantedCookies};

/// The value with which AWS withdraws a cookie. Clients store it and send it back, and it then means "no cookie".
pub const REMOVED: &str = "_remove_";

/// The values that mean "no cookie". Some clients send `remove`: their code was copied from formatted text, which lost the
/// underscores.
pub const ABSENT: [&str; 2] = [REMOVED, "remove"];

/// The most bytes of `Cookie` lines that are read from one request.
///
/// This is more than twice the 60 KiB that Envoy accepts in the headers of a request by default. The rest is not read.
pub const MAX_BYTES: usize = 128 * 1024;

/// The most white space that is skipped at one end of a name or value. Clients send one space, or none.
pub const MAX_BLANKS: usize = 16;

/// The `Cookie` lines of one request, in the order in which they came.
///
/// An HTTP/1.1 request may have several. HTTP/2 splits a line into fields, which the proxy joins (RFC 9113 §8.2.3).
///
/// ```
/// use stickiness::wire::cookie_header::{CookieHeader, CookieName, Use, WantedCookies};
///
/// let [ours, theme] = ["AWSALB", "theme"].map(CookieName::from);
/// let wanted = WantedCookies::new([(&ours, Use::Values { shortest: 3 }), (&theme, Use::Presence)]);
///
/// let header: CookieHeader = [b"theme=dark; AWSALB=a%2Bb; AWSALB=_remove_".as_slice()].into_iter().collect();
/// let found = wanted.find(&header);
/// let values: Vec<_> = found.values(&ours).map(|value| value.decoded()).collect();
/// assert_eq!(values, [b"a+b".as_slice()]);
/// assert!(found.has(&theme));
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

    fn lines(&self) -> impl Iterator<Item = &'a [u8]> {
        self.first.iter().chain(&self.others).copied()
    }
}

impl<'a> FromIterator<&'a [u8]> for CookieHeader<'a> {
    fn from_iter<I: IntoIterator<Item = &'a [u8]>>(lines: I) -> Self {
        let mut header = Self::default();
        lines.into_iter().for_each(|line| header.push(line));
        header
    }
}

/// Returns true if the byte is white space in a header (RFC 9110 §5.6.3).
const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The bytes without the white space before and after them, of which at most [`MAX_BLANKS`] are skipped on each side.
fn trimmed(mut bytes: &[u8]) -> &[u8] {
    for _ in 0..MAX_BLANKS {
        match bytes {
            [byte, rest @ ..] if is_blank(*byte) => bytes = rest,
            _ => break,
        }
    }
    trimmed_end(bytes)
}

/// As [`trimmed`], at the end only.
#[inline(never)]
fn trimmed_end(mut bytes: &[u8]) -> &[u8] {
    for _ in 0..MAX_BLANKS {
        match bytes {
            [rest @ .., byte] if is_blank(*byte) => bytes = rest,
            _ => break,
        }
    }
    bytes
}

#[cfg(test)]
mod tests;
