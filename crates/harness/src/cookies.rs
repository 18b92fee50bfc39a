//! Seals cookies with keys that the tests know.

use stickiness::time::Timestamp;
use stickiness::trust::binding::{Binding, padded, write_text};
use stickiness::trust::key_ring::CookieKind;
use stickiness::trust::key_text::parse_ring;
use stickiness::trust::scope::Scope;
use stickiness::trust::value_encoding::seal;

/// The key of the Envoys in the tests, as `id:base64`.
pub const KEY: &str = "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A key that these Envoys do not have.
pub const OTHER_KEY: &str = "other://////////////////////////////////////////8=";

/// The value of a cookie for this target that was issued `age_seconds` ago.
pub fn forge(target_group: &str, target: &str, age_seconds: u64) -> String {
    forge_with(KEY, target_group, target, age_seconds)
}

/// As [`forge`], issued by a clock that is this many seconds ahead.
pub fn forge_ahead(target_group: &str, target: &str, seconds: u64) -> String {
    let issued_at = Timestamp::from_millis(now().as_millis() + seconds * 1000);
    forge_at(CookieKind::LbCookie, KEY, &[(target_group, target, issued_at)])
}

/// As [`forge`], with another key.
pub fn forge_with(key: &str, target_group: &str, target: &str, age_seconds: u64) -> String {
    forge_as(CookieKind::LbCookie, key, &[(target_group, target, age_seconds)])
}

/// The value of a cookie of this kind. A binding consists of the target group, the target and the age in seconds. The
/// application-based cookie contains all bindings. The other kinds contain only the first one, and `CookieKind::TargetGroup` leaves its
/// target out.
pub fn forge_as(kind: CookieKind, key: &str, bindings: &[(&str, &str, u64)]) -> String {
    let issued = |age_seconds: u64| Timestamp::from_millis(now().as_millis() - age_seconds * 1000);
    let bindings: Vec<_> = bindings.iter().map(|&(group, target, age)| (group, target, issued(age))).collect();
    forge_at(kind, key, &bindings)
}

fn forge_at(kind: CookieKind, key: &str, bindings: &[(&str, &str, Timestamp)]) -> String {
    let mut content = Vec::new();
    if kind == CookieKind::AppCookie {
        content.extend(u16::try_from(bindings.len()).unwrap().to_be_bytes());
    }
    for &(target_group, target, issued_at) in bindings {
        let target = if kind == CookieKind::TargetGroup { "" } else { target };
        let (target_group, target) = (target_group.into(), target.into());
        let binding = Binding { target_group, target, scope: Scope::default(), issued_at };
        binding.write(&mut content).unwrap();
    }
    if kind == CookieKind::ClassicAppCookie {
        write_text(&mut content, ";PATH=/").unwrap();
    }
    seal(&parse_ring(key).unwrap(), kind, &padded(content), &[7; 24]).unwrap()
}

fn now() -> Timestamp {
    Timestamp::from(std::time::SystemTime::now())
}
