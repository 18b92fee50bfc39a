//! The cookies that a configuration wants, and the walk that finds them.

use std::collections::BinaryHeap;

use memchr::memchr;

use super::found::FoundCookies;
use super::name::{CookieName, NameKey};
use super::places::{BLOCK, FirstBytes};
use super::{CookieHeader, MAX_BLANKS, is_blank, trimmed_end};

/// The most places of a request that are looked at. At each one a wanted cookie may begin. A place where one begins counts as two,
/// because it takes twice as long.
///
/// Browsers keep at most 180 cookies for a site, and few of them begin with the letter of one that is wanted.
pub const MAX_PLACES: usize = 75;

/// The purpose for which a cookie is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// Its values are wanted.
    Values {
        /// The length of the shortest value that can be good. Of the shorter ones, one is enough.
        shortest: usize,
    },
    /// Only the presence of the cookie matters.
    Presence,
}

impl Use {
    /// The length from which on every value is wanted.
    pub(super) const fn shortest(self) -> usize {
        match self {
            Self::Values { shortest } => shortest,
            Self::Presence => usize::MAX,
        }
    }
}

/// The names of the cookies that a configuration wants.
#[derive(Debug, Default)]
pub struct WantedCookies {
    /// In the order of the names, each once.
    names: Vec<(CookieName, Use)>,
    first_bytes: FirstBytes,
    /// The length of the longest name.
    longest: usize,
}

impl WantedCookies {
    /// The cookies with these names. If a name is wanted for several purposes, the first of them in the order of [`Use`] counts.
    pub fn new<'n>(names: impl IntoIterator<Item = (&'n CookieName, Use)>) -> Self {
        let mut wanted = Self::default();
        // A heap, because the sorting of slices in the standard library is 5 KB of instructions.
        for (name, purpose) in names.into_iter().collect::<BinaryHeap<_>>().into_sorted_vec() {
            if wanted.names.last().is_none_or(|(last, _)| last != name) {
                name.bytes().next().into_iter().for_each(|byte| wanted.first_bytes.add(byte));
                wanted.longest = wanted.longest.max(name.len());
                wanted.names.push((name.clone(), purpose));
            }
        }
        wanted
    }

    /// The wanted cookies in a request.
    #[must_use]
    pub fn find<'a>(&'a self, header: &CookieHeader<'a>) -> FoundCookies<'a> {
        let mut found = FoundCookies::of(self);
        let mut left = MAX_PLACES;
        for line in header.lines() {
            let _is_to_its_end = self.find_in(line, &mut left, &mut found);
        }
        found
    }

    /// Finds the cookies in a line; `None` when no more places may be looked at.
    fn find_in<'a>(&self, line: &'a [u8], left: &mut usize, found: &mut FoundCookies<'a>) -> Option<()> {
        let Some(first) = line.first_chunk::<BLOCK>() else { return self.find_in_short(line, left, found) };
        // `;` stands for what is before the line.
        let mut window = [b';'; BLOCK + 1];
        window.last_chunk_mut().into_iter().for_each(|block| *block = *first);
        let mut start = match self.first_bytes.places(&window) {
            0 => BLOCK,
            places => self.look(line, 0, places, left, found)?,
        };
        loop {
            // From the byte before the block on.
            let mut rest = line.get(start.wrapping_sub(1)..).unwrap_or_default();
            let start_of = |rest: &[u8]| line.len().wrapping_sub(rest.len()).wrapping_add(1);
            let places = loop {
                let Some(window) = rest.first_chunk() else {
                    return self.find_in_tail(line, start_of(rest), left, found);
                };
                let places = self.first_bytes.places(window);
                if places != 0 {
                    break places;
                }
                rest = rest.get(BLOCK..).unwrap_or_default();
            };
            start = self.look(line, start_of(rest), places, left, found)?;
        }
    }

    /// Finds the cookies that begin at or after `start`, behind which there is less than a block.
    fn find_in_tail<'a>(
        &self,
        line: &'a [u8],
        start: usize,
        left: &mut usize,
        found: &mut FoundCookies<'a>,
    ) -> Option<()> {
        let Some(window) = line.last_chunk() else { return Some(()) };
        let last = line.len().wrapping_sub(BLOCK);
        // The bytes before `start` have been searched.
        let searched = u32::try_from(start.wrapping_sub(last)).ok().and_then(|count| u16::MAX.checked_shl(count));
        match self.first_bytes.places(window) & searched.unwrap_or_default() {
            0 => Some(()),
            places => self.look(line, last, places, left, found).map(drop),
        }
    }

    /// Finds the cookies in a line that is shorter than a block.
    #[inline(never)]
    fn find_in_short<'a>(&self, line: &'a [u8], left: &mut usize, found: &mut FoundCookies<'a>) -> Option<()> {
        // `;` stands for what is before the line, and zeros for what is behind it. No place is among the zeros.
        let mut window = [0; BLOCK + 1];
        window.iter_mut().zip(std::iter::once(&b';').chain(line)).for_each(|(place, byte)| *place = *byte);
        self.look(line, 0, self.first_bytes.places(&window), left, found).map(drop)
    }

    /// Looks at places in the block that begins at `start`. Returns the end of the block, or of a cookie that ends behind it.
    #[inline(never)]
    fn look<'a>(
        &self,
        line: &'a [u8],
        start: usize,
        mut places: u16,
        left: &mut usize,
        found: &mut FoundCookies<'a>,
    ) -> Option<usize> {
        while places != 0 {
            *left = left.checked_sub(1)?;
            let place = places.trailing_zeros();
            places &= places.wrapping_sub(1);
            if let Some(end) = self.take(line, start.wrapping_add(place as usize), found) {
                *left = left.saturating_sub(1);
                let next = end.wrapping_add(1);
                // What looks like a place before the end of a cookie lies in its value.
                let behind =
                    u32::try_from(next.wrapping_sub(start)).ok().and_then(|length| u16::MAX.checked_shl(length));
                match behind {
                    Some(behind) => places &= behind,
                    None => return Some(next),
                }
            }
        }
        Some(start.wrapping_add(BLOCK))
    }

    /// Adds the cookie at this place, if one is there and is wanted. Returns where it ends.
    #[inline(never)]
    fn take<'a>(&self, line: &'a [u8], place: usize, found: &mut FoundCookies<'a>) -> Option<usize> {
        let rest = line.get(place..)?;
        let equals = position_of(b'=', rest, self.longest.wrapping_add(MAX_BLANKS))?;
        let name = match rest.get(..equals)? {
            blanks @ [.., b' ' | b'\t'] => trimmed_end(blanks),
            name => name,
        };
        let index = self.index(NameKey::of(rest, name.len()), name)?;
        is_start(line, place).then(|| add(line, rest.get(equals.wrapping_add(1)..)?, index, found))?
    }

    #[inline(never)]
    fn index(&self, key: NameKey, name: &[u8]) -> Option<usize> {
        let mut index = self.names.partition_point(|(wanted, _)| wanted.key() < key);
        loop {
            let (wanted, _) = self.names.get(index)?;
            if wanted.key() != key {
                return None;
            }
            if wanted.is(name) {
                return Some(index);
            }
            index = index.saturating_add(1);
        }
    }

    /// The index of this name, if it is wanted.
    pub(super) fn index_of(&self, name: &CookieName) -> Option<usize> {
        self.index(name.key(), name.as_bytes())
    }

    /// The purpose of the name with this index.
    pub(super) fn purpose(&self, index: usize) -> Option<Use> {
        self.names.get(index).map(|(_, purpose)| *purpose)
    }
}

/// Adds the cookie with this index whose value begins here. Returns where it ends.
#[inline(never)]
fn add<'a>(line: &'a [u8], value: &'a [u8], index: usize, found: &mut FoundCookies<'a>) -> Option<usize> {
    let length = position_of(b';', value, size_of::<u64>()).unwrap_or_else(|| length_of_long(value));
    found.add(index, value.get(..length)?);
    Some(line.len().wrapping_sub(value.len()).wrapping_add(length))
}

/// The length of a value. `memchr` takes two hundred instructions for the shortest one, and few more for a long one.
#[inline(never)]
fn length_of_long(value: &[u8]) -> usize {
    memchr(b';', value).unwrap_or(value.len())
}

/// The first position of a byte, if it is not behind the first `most` bytes, or not far behind them.
fn position_of(byte: u8, bytes: &[u8], most: usize) -> Option<usize> {
    const ONES: u64 = u64::MAX / 0xff;
    let mut at = 0_usize;
    while at <= most {
        let rest = bytes.get(at..)?;
        let Some(word) = rest.first_chunk() else { return position_in_tail(byte, rest, at) };
        // The byte becomes zero. The lowest bit that is set then is the upper one of the lowest zero byte (Warren, "Hacker's Delight",
        // section 6-1).
        let word = u64::from_le_bytes(*word) ^ ONES.wrapping_mul(byte.into());
        let zeros = word.wrapping_sub(ONES) & !word & ONES.wrapping_mul(0x80);
        if zeros != 0 {
            return Some(at.wrapping_add((zeros.trailing_zeros() / 8) as usize));
        }
        at = at.wrapping_add(size_of::<u64>());
    }
    None
}

#[inline(never)]
fn position_in_tail(byte: u8, tail: &[u8], start: usize) -> Option<usize> {
    tail.iter().position(|other| *other == byte).map(|position| start.wrapping_add(position))
}

/// Returns true if a cookie begins here: there is nothing but white space between it and the `;` or the start of the line before it.
fn is_start(line: &[u8], place: usize) -> bool {
    match line.get(..place).unwrap_or_default() {
        [] | [.., b';'] | [.., b';', b' '] => true,
        before => is_start_after_blanks(before),
    }
}

#[inline(never)]
fn is_start_after_blanks(before: &[u8]) -> bool {
    let mut blanks = before.iter().rev().take(MAX_BLANKS.saturating_add(1));
    match blanks.find(|byte| !is_blank(**byte)) {
        Some(byte) => *byte == b';',
        None => before.len() <= MAX_BLANKS,
    }
}
