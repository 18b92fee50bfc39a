//! Reads a map in the bytes in which the host hands it over.
//!
//! A map is the number of its pairs, the lengths of all keys and values, and all keys and values with a zero byte after each. The
//! numbers are little-endian, of four bytes (proxy-wasm ABI v0.2.1, "Serialization").

/// The headers of a request or of a response.
#[derive(Debug, Default)]
pub struct HeaderMap(Box<[u8]>);

impl HeaderMap {
    /// The names, in lower case, and the values, in their order. A name comes as often as the header.
    #[must_use]
    pub fn iter(&self) -> Pairs<'_> {
        Pairs::of(&self.0)
    }
}

impl From<Box<[u8]>> for HeaderMap {
    fn from(bytes: Box<[u8]>) -> Self {
        Self(bytes)
    }
}

impl<'a> IntoIterator for &'a HeaderMap {
    type Item = (&'a [u8], &'a [u8]);
    type IntoIter = Pairs<'a>;

    fn into_iter(self) -> Pairs<'a> {
        self.iter()
    }
}

/// The keys and values of a map.
#[derive(Clone, Debug, Default)]
pub struct Pairs<'a> {
    /// The lengths of the keys and values that are left.
    lengths: &'a [[[u8; 4]; 2]],
    /// The keys and values that are left.
    rest: &'a [u8],
}

impl<'a> Pairs<'a> {
    /// The pairs of the map in these bytes; none, when the bytes are no map.
    #[must_use]
    pub fn of(bytes: &'a [u8]) -> Self {
        Self::whole(bytes).unwrap_or_default()
    }

    fn whole(bytes: &'a [u8]) -> Option<Self> {
        let (count, rest) = bytes.split_first_chunk()?;
        let (lengths, rest) = rest.split_at_checked(number(*count)?.checked_mul(8)?)?;
        let (lengths, _) = lengths.as_chunks();
        let size =
            lengths.iter().try_fold(0_usize, |size, length| size.checked_add(number(*length)?)?.checked_add(1))?;
        let (lengths, _) = lengths.as_chunks();
        (size <= rest.len()).then_some(Self { lengths, rest })
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (text, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest.get(1..)?;
        Some(text)
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let ([key, value], lengths) = self.lengths.split_first()?;
        self.lengths = lengths;
        Some((self.take(number(*key)?)?, self.take(number(*value)?)?))
    }
}

fn number(bytes: [u8; 4]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(bytes)).ok()
}

#[cfg(test)]
mod tests;
