//! Reads the `Cookie` lines of a request, one in each line of the input.
//!
//! A second reader follows the grammar step by step. Both must find the same values, and every value must be a part of the
//! client's bytes.

#![no_main]

use std::borrow::Cow;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use stickiness::wire::cookie_header::{
    ABSENT, CookieHeader, CookieName, MAX_BLANKS, MAX_PLACES, RawValue, Use, WantedCookies,
};

/// The cookies of which every value is wanted.
static VALUES: LazyLock<[CookieName; 3]> =
    LazyLock::new(|| ["AWSALB", "AWSALBCORS", "AWSALBAPP-1"].map(CookieName::from));
static APPLICATION: LazyLock<CookieName> = LazyLock::new(|| CookieName::from("sid"));
static WANTED: LazyLock<WantedCookies> = LazyLock::new(|| {
    let values = VALUES.iter().map(|name| (name, Use::Values { shortest: 0 }));
    WantedCookies::new(values.chain([(&*APPLICATION, Use::Presence)]))
});

fuzz_target!(|input: &[u8]| {
    let lines: Vec<&[u8]> = input.split(|&byte| byte == b'\n').collect();
    let header: CookieHeader<'_> = lines.iter().copied().collect();
    let found = WANTED.find(&header);
    // White space is skipped up to a bound, and places are looked at up to a bound.
    let blank = |byte: &u8| *byte == b' ' || *byte == b'\t';
    let is_within_bounds = !input.chunk_by(|one, other| blank(one) && blank(other)).any(|run| run.len() > MAX_BLANKS)
        && input.iter().filter(|byte| matches!(byte, b'A' | b's')).count() <= MAX_PLACES;
    for name in &*VALUES {
        let values: Vec<Cow<'_, [u8]>> = found.values(name).map(RawValue::decoded).collect();
        let expected: Vec<Vec<u8>> = lines.iter().flat_map(|line| by_hand(line, name)).collect();
        let present = expected.iter().filter(|value| !ABSENT.iter().any(|absent| *value == absent.as_bytes()));
        if is_within_bounds {
            assert!(values.iter().map(Cow::as_ref).eq(present.map(Vec::as_slice)), "{name}");
        }
        for value in &values {
            match value {
                Cow::Borrowed(value) => assert!(value.is_empty() || lines.iter().any(|line| holds(line, value))),
                Cow::Owned(decoded) => assert!(decoded.len() < input.len(), "decoding makes it shorter"),
            }
        }
        assert!(values.len() <= MAX_PLACES);
    }
    if is_within_bounds {
        assert_eq!(found.has(&APPLICATION), lines.iter().any(|line| !by_hand(line, &APPLICATION).is_empty()));
    }

    // A cookie of ours is found between any other text.
    let found_ours =
        |header: &CookieHeader<'_>| WANTED.find(header).values(&VALUES[0]).any(|value| value.bytes() == b"ours");
    let mut around = lines.clone();
    around.insert(lines.len() / 2, b"AWSALB=ours");
    let within = [input, b";AWSALB=ours; ", input].concat();
    if is_within_bounds {
        assert!(found_ours(&around.iter().copied().collect()));
        assert!(found_ours(&CookieHeader::from_iter([within.as_slice()])));
    }
});

/// Returns true when `value` lies in the memory of `line`.
fn holds(line: &[u8], value: &[u8]) -> bool {
    let (line, value) = (line.as_ptr_range(), value.as_ptr_range());
    line.start <= value.start && value.end <= line.end
}

/// The values of this name, from `cookie-pair *( ";" OWS cookie-pair )` (RFC 6265, section 4.2.1). White space is allowed
/// everywhere, then quotes are removed, then `%XX` is decoded.
fn by_hand(line: &[u8], name: &str) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    let mut position = 0;
    while position <= line.len() {
        let end = (position..line.len()).find(|at| line[*at] == b';').unwrap_or(line.len());
        let pair = &line[position..end];
        if let Some(equals) = pair.iter().position(|byte| *byte == b'=')
            && trimmed(&pair[..equals]) == name.as_bytes()
        {
            values.push(decoded(trimmed(&pair[equals + 1..])));
        }
        position = end + 1;
    }
    values
}

fn trimmed(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

fn decoded(value: &[u8]) -> Vec<u8> {
    let is_quoted = value.len() >= 2 && value.first() == Some(&b'"') && value.last() == Some(&b'"');
    let value = if is_quoted { &value[1..value.len() - 1] } else { value };
    let mut decoded = Vec::with_capacity(value.len());
    let mut at = 0;
    while at < value.len() {
        let digits = value.get(at + 1..at + 3).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        match digits {
            Some(digits) if value[at] == b'%' => {
                let text = std::str::from_utf8(digits).expect("hexadecimal digits are ASCII");
                decoded.push(u8::from_str_radix(text, 16).expect("two hexadecimal digits"));
                at += 3;
            }
            _ => {
                decoded.push(value[at]);
                at += 1;
            }
        }
    }
    decoded
}
