//! The parts that several fuzz targets use.

pub mod cases;
pub mod configuration;
pub mod document;
pub mod fixture;
pub mod forms;
mod lines;

use stickiness::trust::key_ring::{CookieKind, Key, KeyRing, SECRET_LENGTH};

/// Every kind of a sealed value.
pub const KINDS: [CookieKind; 5] = [
    CookieKind::LbCookie,
    CookieKind::AppCookie,
    CookieKind::TargetGroup,
    CookieKind::ClassicLbCookie,
    CookieKind::ClassicAppCookie,
];

/// The longest application-based value in bytes: four cookies of 4,000.
pub const MAX_VALUE_OF_ALL_SHARDS: usize = 16_000;

/// A key ring, the newest key first. Each byte is repeated to make the secret of a key.
///
/// # Panics
///
/// When `secrets` is empty.
#[must_use]
pub fn ring(secrets: &[u8]) -> KeyRing {
    let mut keys = secrets.iter().map(|byte| Key::new(&[*byte; SECRET_LENGTH]));
    KeyRing::new(keys.next().expect("a ring has a key"), keys.collect())
}
