//! Cookies made by hand, with keys that the tests know.

use data_encoding::BASE64_NOPAD;
use stickiness::binding::Binding;
use stickiness::keys::parse_ring;
use stickiness::seal::Kind;
use stickiness::time::Timestamp;

/// The key that the Envoys of the tests are given, as `id:base64`.
pub(crate) const KEY: &str = "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A key that they are not given.
pub(crate) const OTHER_KEY: &str = "other://////////////////////////////////////////8=";

/// The value of a cookie that names this target, issued `age_seconds` ago.
pub(crate) fn forge(target_group: &str, target: &str, age_seconds: u64) -> String {
    forge_with(KEY, target_group, target, age_seconds)
}

/// As [`forge`], with another key.
pub(crate) fn forge_with(key: &str, target_group: &str, target: &str, age_seconds: u64) -> String {
    let now = Timestamp::from(std::time::SystemTime::now());
    let binding = Binding {
        target_group: target_group.to_owned(),
        target: target.to_owned(),
        issued_at: Timestamp::from_millis(now.as_millis() - age_seconds * 1000),
    };
    let content = binding.to_bytes().unwrap();
    BASE64_NOPAD.encode(&parse_ring(key).unwrap().seal(Kind::LbCookie, &content, &[7; 24]))
}
