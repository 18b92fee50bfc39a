//! Searches a `Cookie` line for the places where a wanted cookie may begin.

/// The number of bytes that are searched at once.
pub(super) const BLOCK: usize = 16;

/// The first bytes of wanted names, as a table: a row for the lower half of a byte, a bit for its upper half. The bytes of names are
/// ASCII, so eight bits are enough.
#[derive(Debug, Default)]
pub(super) struct FirstBytes {
    rows: [u8; BLOCK],
}

impl FirstBytes {
    /// Adds a byte.
    pub(super) fn add(&mut self, byte: u8) {
        if let Some(row) = self.rows.get_mut(usize::from(byte & 15)) {
            *row |= bit(byte >> 4);
        }
    }

    /// Returns true if the byte was added.
    #[cfg(any(test, not(all(target_arch = "wasm32", target_feature = "simd128"))))]
    fn has(&self, byte: u8) -> bool {
        self.rows.get(usize::from(byte & 15)).is_some_and(|row| row & bit(byte >> 4) != 0)
    }

    /// A bit for each of the last sixteen bytes of the window, the lowest for the first of them: 1 if the byte was added and stands
    /// after `;` or white space.
    ///
    /// A control character counts as white space here, which saves two instructions. No header has one.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    pub(super) fn places(&self, window: &[u8; BLOCK + 1]) -> u16 {
        use core::arch::wasm32::{
            u8x16, u8x16_bitmask, u8x16_eq, u8x16_le, u8x16_ne, u8x16_shr, u8x16_splat, u8x16_swizzle, v128_and,
            v128_or,
        };

        let (Some(before), Some(block)) = (window.first_chunk(), window.last_chunk()) else { return 0 };
        let (before, block) = (vector(before), vector(block));
        let is_after_separator = v128_or(u8x16_eq(before, u8x16_splat(b';')), u8x16_le(before, u8x16_splat(b' ')));
        let rows = u8x16_swizzle(vector(&self.rows), v128_and(block, u8x16_splat(15)));
        let bits = u8x16(1, 2, 4, 8, 16, 32, 64, 128, 0, 0, 0, 0, 0, 0, 0, 0);
        let bits = u8x16_swizzle(bits, u8x16_shr(block, 4));
        let places = v128_and(v128_and(rows, bits), is_after_separator);
        u8x16_bitmask(u8x16_ne(places, u8x16_splat(0)))
    }

    /// As for WebAssembly.
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    pub(super) fn places(&self, window: &[u8; BLOCK + 1]) -> u16 {
        let is_separator = |byte: u8| byte == b';' || byte <= b' ';
        // The compiler makes a comparison of the whole block of this.
        if !window.iter().fold(false, |any, byte| any | is_separator(*byte)) {
            return 0;
        }
        let pairs = window.array_windows().rev();
        pairs.fold(0, |places, [before, byte]| (places << 1) | u16::from(is_separator(*before) && self.has(*byte)))
    }
}

/// The bit of the upper half of a byte; none if the byte is not ASCII.
fn bit(upper_half: u8) -> u8 {
    1_u8.checked_shl(upper_half.into()).unwrap_or_default()
}

/// The bytes in a register. The compiler makes one instruction of it.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
fn vector(bytes: &[u8; BLOCK]) -> core::arch::wasm32::v128 {
    match bytes.as_chunks() {
        ([low, high], _) => core::arch::wasm32::u64x2(u64::from_le_bytes(*low), u64::from_le_bytes(*high)),
        _ => core::arch::wasm32::u64x2(0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_byte_of_the_table_after_a_separator() {
        let mut bytes = FirstBytes::default();
        b"As_".iter().for_each(|byte| bytes.add(*byte));
        assert_eq!(bytes.places(b";A;a;s;_ A\tsxA Q\xc1"), 0b0000_0101_0101_0001);
        assert_eq!(bytes.places(b"AAAAAAAAAAAAAAAAA"), 0);
        assert_eq!(bytes.places(b"xxxxxxxxxxxxxxx;A"), 0b1000_0000_0000_0000);
    }

    #[test]
    fn the_table_has_the_bytes_that_were_added_and_no_others() {
        let mut bytes = FirstBytes::default();
        b"Az9".iter().for_each(|byte| bytes.add(*byte));
        let present: Vec<u8> = (0..=u8::MAX).filter(|byte| bytes.has(*byte)).collect();
        assert_eq!(present, b"9Az");
    }
}
