//! A table of a fixed number of slots, which the highest bits of a hash select.
//!
//! The caches are built on it because the hash map of the standard library draws a random seed, and panics where the host
//! gives no random bytes.

/// `COUNT` slots, a power of two. They are allocated with the first use.
#[derive(Debug)]
pub(crate) struct Slots<T, const COUNT: usize>(Vec<T>);

impl<T, const COUNT: usize> Default for Slots<T, COUNT> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Default, const COUNT: usize> Slots<T, COUNT> {
    /// The number of bits to shift a 64-bit hash by to get a slot's index.
    const SHIFT: u32 = u64::BITS.saturating_sub(COUNT.trailing_zeros());

    /// The slot of this hash, if the slots are allocated.
    pub(crate) fn get(&self, hash: u64) -> Option<&T> {
        self.0.get(Self::index(hash))
    }

    /// The slot of this hash.
    pub(crate) fn get_mut(&mut self, hash: u64) -> Option<&mut T> {
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
