//! A table of a fixed number of slots, which the highest bits of a hash select, and a hash of names.
//!
//! The caches are built on it because the hash map of the standard library draws a random seed, and panics where the host
//! gives no random bytes.

/// `COUNT` slots, a power of two. They are allocated with the first use.
///
/// ```
/// use stickiness::slots::{Slots, hash};
///
/// let mut slots: Slots<u32, 1024> = Slots::default();
/// assert_eq!(slots.get(hash(b"web".iter().copied())), None);
/// *slots.get_mut(hash(b"web".iter().copied())).unwrap() = 7;
/// assert_eq!(slots.get(hash(b"web".iter().copied())), Some(&7));
/// ```
#[derive(Debug)]
pub struct Slots<T, const COUNT: usize>(Vec<T>);

impl<T, const COUNT: usize> Default for Slots<T, COUNT> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Default, const COUNT: usize> Slots<T, COUNT> {
    /// The number of bits to shift a 64-bit hash by to get a slot's index.
    const SHIFT: u32 = u64::BITS.saturating_sub(COUNT.trailing_zeros());

    /// The slot of this hash, if the slots are allocated.
    #[must_use]
    pub fn get(&self, hash: u64) -> Option<&T> {
        self.0.get(Self::index(hash))
    }

    /// The slot of this hash.
    pub fn get_mut(&mut self, hash: u64) -> Option<&mut T> {
        if self.0.is_empty() {
            self.0.resize_with(COUNT, T::default);
        }
        self.0.get_mut(Self::index(hash))
    }

    /// All slots that are allocated.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut()
    }

    fn index(hash: u64) -> usize {
        usize::try_from(hash >> Self::SHIFT).unwrap_or_default()
    }

    /// All slots that are allocated.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }
}

/// A hash of the bytes of a name: FNV-1a, and then a multiplication by 2^64 divided by the golden ratio, because the last bytes of
/// a name change only the lower bits of FNV-1a. It is for names that belong to the operator, so nobody chooses them to collide.
pub fn hash(name: impl IntoIterator<Item = u8>) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let fnv = name.into_iter().fold(OFFSET_BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    fnv.wrapping_mul(SPREAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_in_their_last_byte_are_spread_over_the_slots() {
        let mut slots: Slots<bool, 64> = Slots::default();
        for last in b'a'..=b'z' {
            *slots.get_mut(hash(b"outbound|80||shop-".iter().copied().chain([last]))).unwrap() = true;
        }
        assert!(slots.iter().filter(|is_used| **is_used).count() > 15);
    }
}
