//! Reads the `Cookie` lines of a request, one in each line of the input.
//!
//! A second reader follows the grammar step by step. Both must find the same values, and every value must be a part of the
//! client's bytes.

#![no_main]

use std::borrow::Cow;

use libfuzzer_sys::fuzz_target;
use stickiness::cookies::names::Pair;
use stickiness::wire::cookie_header::{ABSENT, CookieHeader};

fuzz_target!(|input: &[u8]| {
    let lines: Vec<&[u8]> = input.split(|&byte| byte == b'\n').collect();
    let header: CookieHeader<'_> = lines.iter().copied().collect();
    for name in ["AWSALB", "AWSALBCORS", "AWSALBAPP-0", "sid"] {
        let values: Vec<Cow<'_, [u8]>> = header.values(name).collect();
        let expected: Vec<Vec<u8>> = lines.iter().flat_map(|line| by_hand(line, name)).collect();
        let present = expected.iter().filter(|value| !ABSENT.iter().any(|absent| *value == absent.as_bytes()));
        assert!(values.iter().map(Cow::as_ref).eq(present.map(Vec::as_slice)), "{name}");
        assert_eq!(header.has(name), !expected.is_empty(), "{name}");
        for value in &values {
            match value {
                Cow::Borrowed(value) => assert!(value.is_empty() || lines.iter().any(|line| holds(line, value))),
                Cow::Owned(decoded) => assert!(decoded.len() < input.len(), "decoding makes it shorter"),
            }
        }
        assert!(values.len() <= lines.iter().map(|line| line.split(|byte| *byte == b';').count()).sum());
    }

    // The twin comes first, and no value is lost.
    let pair = Pair::of_lb_cookie(None);
    let both = header.values(&pair.twin).chain(header.values(&pair.plain));
    assert!(pair.values(&header).eq(both));

    // A cookie of ours is found between any other text.
    let mut around = lines.clone();
    around.insert(lines.len() / 2, b"AWSALB=ours");
    assert!(around.iter().copied().collect::<CookieHeader<'_>>().values("AWSALB").any(|value| *value == *b"ours"));
    let within = [input, b";AWSALB=ours; ", input].concat();
    assert!(CookieHeader::from_iter([within.as_slice()]).values("AWSALB").any(|value| *value == *b"ours"));
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
            && pair[..equals].trim_ascii() == name.as_bytes()
        {
            values.push(decoded(pair[equals + 1..].trim_ascii()));
        }
        position = end + 1;
    }
    values
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
