use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn map(pairs: &[(&[u8], &[u8])]) -> Vec<u8> {
    let length = |text: &[u8]| u32::try_from(text.len()).unwrap().to_le_bytes();
    let count = u32::try_from(pairs.len()).unwrap().to_le_bytes();
    let lengths = pairs.iter().flat_map(|(key, value)| [length(key), length(value)].concat());
    let texts = pairs.iter().flat_map(|(key, value)| [key, &[0][..], value, &[0]].concat());
    count.into_iter().chain(lengths).chain(texts).collect()
}

fn read(bytes: &[u8]) -> Vec<(&[u8], &[u8])> {
    Pairs::of(bytes).collect()
}

const PAIRS: [(&[u8], &[u8]); 4] = [(b"cookie", b"a=1"), (b"cookie", b"\xff\0"), (b"", b""), (b":path", b"/")];

#[test]
fn the_pairs_come_in_their_order_with_any_bytes() {
    assert_eq!(read(&map(&PAIRS)), PAIRS);
}

#[test]
fn an_empty_map_and_no_bytes_have_no_pairs() {
    assert!(read(&map(&[])).is_empty());
    assert!(read(&[]).is_empty());
}

#[test]
fn a_map_that_is_cut_anywhere_has_no_pairs() {
    let whole = map(&PAIRS);
    for length in 0..whole.len() {
        assert!(read(&whole[..length]).is_empty(), "{length}");
    }
}

#[test]
fn a_length_or_a_count_that_lies_means_no_pairs() {
    let whole = map(&PAIRS);
    for at in 0..9 {
        for lie in [u32::MAX, u32::MAX / 8, 1 << 31, 1000] {
            let mut bytes = whole.clone();
            bytes[at * 4..at * 4 + 4].copy_from_slice(&lie.to_le_bytes());
            assert!(read(&bytes).is_empty(), "{lie} at {at}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_to_an_end(bytes in vec(any::<u8>(), 0..200), count in 0_u32..8) {
        read(&bytes);
        let pairs = read(&[&count.to_le_bytes(), &*bytes].concat()).len();
        prop_assert!(pairs == 0 || pairs == usize::try_from(count).unwrap());
    }

    #[test]
    fn any_pairs_are_read_as_they_were_written(pairs in vec((vec(any::<u8>(), 0..9), vec(any::<u8>(), 0..9)), 0..9)) {
        let pairs: Vec<(&[u8], &[u8])> = pairs.iter().map(|(key, value)| (&**key, &**value)).collect();
        let bytes = map(&pairs);
        prop_assert_eq!(read(&bytes), pairs);
    }
}
