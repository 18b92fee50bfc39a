//! How does Envoy hand a map over?
//!
//! How many pairs there are, the lengths of all keys and values, and all of these with a zero after each. The SDK reads headers
//! this way and keeps its reader to itself; a property that is a map it gives as bytes.

/// The keys and values of a map; `None` when the bytes are none.
pub(crate) fn pairs(bytes: &[u8]) -> Option<Vec<(&[u8], &[u8])>> {
    let (count, rest) = number(bytes)?;
    let (mut lengths, mut rest) = rest.split_at_checked(count.checked_mul(8)?)?;
    let mut pairs = Vec::new();
    while !lengths.is_empty() {
        let (key, value);
        (key, lengths, rest) = next(lengths, rest)?;
        (value, lengths, rest) = next(lengths, rest)?;
        pairs.push((key, value));
    }
    Some(pairs)
}

/// The next key or value, and what is left of the lengths and of the rest.
fn next<'a>(lengths: &'a [u8], rest: &'a [u8]) -> Option<(&'a [u8], &'a [u8], &'a [u8])> {
    let (length, lengths) = number(lengths)?;
    let (text, rest) = rest.split_at_checked(length)?;
    Some((text, lengths, rest.get(1..)?))
}

fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((usize::try_from(u32::from_le_bytes(*number)).ok()?, rest))
}
