//! The hash of a name, for tables that know many names.

/// The FNV-1a hash of a name. The hash map of the standard library draws a seed, and panics where the host gives no random bytes.
pub(crate) fn name_hash(name: &str) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    name.bytes().fold(OFFSET_BASIS, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}
