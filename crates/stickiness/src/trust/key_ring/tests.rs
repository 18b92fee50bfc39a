use data_encoding::BASE64_NOPAD;
use proptest::prelude::*;

use super::*;

fn ring(secrets: &[u8]) -> KeyRing {
    let mut keys = secrets.iter().map(|byte| Key::new(&[*byte; SECRET_LENGTH]));
    KeyRing::new(keys.next().unwrap(), keys.collect())
}

const NONCE: Nonce = [7; NONCE_LENGTH];

#[test]
fn the_format_does_not_change_from_version_to_version() {
    let sealed = ring(&[1]).seal(CookieKind::LbCookie, b"content", &NONCE);
    assert_eq!(BASE64_NOPAD.encode(&sealed), "AWv9TKIHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwf+Q+ac2KQ8I0eqzhYkRnI9nuvQhY9wxA");
}

#[test]
fn a_sealed_value_opens() {
    let ring = ring(&[1]);
    let sealed = ring.seal(CookieKind::LbCookie, b"content", &NONCE);
    assert_eq!(ring.open(CookieKind::LbCookie, &sealed), Ok(b"content".to_vec()));
}

#[test]
fn a_value_cut_anywhere_is_malformed() {
    let ring = ring(&[1]);
    let sealed = ring.seal(CookieKind::LbCookie, b"content", &NONCE);
    for length in 0..sealed.len() {
        assert_eq!(ring.open(CookieKind::LbCookie, &sealed[..length]), Err(OpenError::Malformed), "{length}");
    }
}

#[test]
fn a_value_with_any_bit_flipped_does_not_open() {
    let ring = ring(&[1]);
    let sealed = ring.seal(CookieKind::LbCookie, b"content", &NONCE);
    for bit in 0..sealed.len() * 8 {
        let mut flipped = sealed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(ring.open(CookieKind::LbCookie, &flipped).is_err(), "{bit}");
    }
}

#[test]
fn a_value_under_the_name_of_a_key_fails_alike_whichever_bit_is_wrong() {
    let ring = ring(&[2, 1]);
    let sealed = ring.seal(CookieKind::LbCookie, b"content", &NONCE);
    let name_of_key = 8..8 * size_of::<Header>();
    for bit in 0..sealed.len() * 8 {
        let mut flipped = sealed.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let error = if name_of_key.contains(&bit) { OpenError::UnknownKey } else { OpenError::Malformed };
        assert_eq!(ring.open(CookieKind::LbCookie, &flipped), Err(error), "{bit}");
    }
}

#[test]
fn a_value_with_a_byte_more_does_not_open() {
    let ring = ring(&[1]);
    let mut sealed = ring.seal(CookieKind::LbCookie, b"content", &NONCE);
    sealed.push(0);
    assert_eq!(ring.open(CookieKind::LbCookie, &sealed), Err(OpenError::Malformed));
}

#[test]
fn a_value_of_another_kind_does_not_open() {
    let key = Key::new(&[1; SECRET_LENGTH]);
    let header = header(key.tag);
    let aad = [&header[..], b"another kind"].concat();
    let payload = Payload { msg: b"content", aad: &aad };
    let sealed = key.cipher.encrypt(&XNonce::from(NONCE), payload).unwrap();
    let value = [&header[..], &NONCE, &sealed].concat();
    assert_eq!(ring(&[1]).open(CookieKind::LbCookie, &value), Err(OpenError::Malformed));
}

#[test]
fn the_newest_key_seals_and_older_ones_still_open() {
    let sealed_before = ring(&[1]).seal(CookieKind::LbCookie, b"content", &NONCE);
    let rotated = ring(&[2, 1]);
    assert!(rotated.open(CookieKind::LbCookie, &sealed_before).is_ok());
    let sealed_after = rotated.seal(CookieKind::LbCookie, b"content", &NONCE);
    assert!(ring(&[2]).open(CookieKind::LbCookie, &sealed_after).is_ok());
}

#[test]
fn a_value_tells_whether_an_older_key_has_sealed_it() {
    let sealed = |secret| ring(&[secret]).seal(CookieKind::LbCookie, b"content", &NONCE);
    assert_eq!([1, 2].map(|secret| ring(&[2, 1]).is_of_older_key(&sealed(secret))), [true, false]);
    assert!(!ring(&[1]).is_of_older_key(&sealed(1)));
}

#[test]
fn a_key_that_left_the_ring_is_unknown() {
    let sealed = ring(&[1]).seal(CookieKind::LbCookie, b"content", &NONCE);
    assert_eq!(ring(&[2]).open(CookieKind::LbCookie, &sealed), Err(OpenError::UnknownKey));
}

#[test]
fn a_key_does_not_show_its_secret() {
    assert_eq!(format!("{:?}", ring(&[1])), "KeyRing { newest: Key(..), older: [] }");
}

proptest! {
    #[test]
    fn any_content_opens_as_it_was_sealed(content: Vec<u8>, nonce: Nonce, secret: [u8; SECRET_LENGTH]) {
        let ring = KeyRing::new(Key::new(&secret), Vec::new());
        let sealed = ring.seal(CookieKind::LbCookie, &content, &nonce);
        prop_assert_eq!(ring.open(CookieKind::LbCookie, &sealed), Ok(content));
    }

    #[test]
    fn any_value_is_refused_without_a_panic(value: Vec<u8>) {
        prop_assert!(ring(&[1]).open(CookieKind::LbCookie, &value).is_err());
    }
}
