//! What the fuzz targets have in common.

pub mod configuration;
pub mod document;
pub mod forms;
mod lines;
pub mod setup;
pub mod site;

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

/// A ring of keys whose secrets are these bytes, the newest first.
///
/// # Panics
///
/// Without a key.
#[must_use]
pub fn ring(secrets: &[u8]) -> KeyRing {
    let mut keys = secrets.iter().map(|byte| Key::new(&[*byte; SECRET_LENGTH]));
    KeyRing::new(keys.next().expect("a ring has a key"), keys.collect())
}
