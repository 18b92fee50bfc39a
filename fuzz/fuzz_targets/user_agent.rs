//! Reads the `User-Agent` of a client, which decides whether a cookie has `SameSite=None; Secure`.
//!
//! A second reader follows AWS's sentence byte by byte, and does not use the code under test.

#![no_main]

use libfuzzer_sys::fuzz_target;
use stickiness::wire::user_agent::{MAX_BYTES, is_chromium_80};

fuzz_target!(|user_agent: &[u8]| {
    // Below, it comes twice, with two products.
    let user_agent = user_agent.get(..MAX_BYTES / 2 - 40).unwrap_or(user_agent);
    let told = is_chromium_80(user_agent);
    assert_eq!(told, versions(user_agent).any(|version| version >= 80), "as its product versions say");

    // A product of version 80 or newer makes a Chromium in every place, and one of version 79 does not.
    let between = |product: &str| [user_agent, b" ", product.as_bytes(), b" ", user_agent].concat();
    let version = 80 + user_agent.len();
    assert!(is_chromium_80(&between(&format!("Chrome/{version}.0.1"))));
    assert!(is_chromium_80(&between(&format!("Chromium/{version}"))));
    assert_eq!(is_chromium_80(&between("Chrome/79.0 CriOS/120.0")), told);
});

/// The major versions of Chromium's products, if they fit into 32 bits.
fn versions(user_agent: &[u8]) -> impl Iterator<Item = u64> {
    let products: [&[u8]; 2] = [b"Chrome/", b"Chromium/"];
    (0..user_agent.len()).filter_map(move |start| {
        let version = products.iter().find_map(|product| user_agent[start..].strip_prefix(*product))?;
        let digits = version.iter().take_while(|byte| byte.is_ascii_digit());
        let number = |number: Option<u64>, digit: &u8| {
            let number = number.unwrap_or(0) * 10 + u64::from(digit - b'0');
            Some(number.min(1 << 40))
        };
        digits.fold(None, number).filter(|number| u32::try_from(*number).is_ok())
    })
}
