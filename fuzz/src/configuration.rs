//! Checks that hold for every configuration and for every configuration error.

use std::time::Duration;

use serde_json::Value;
use stickiness::config::{Config, ConfigError, Parsed};
use stickiness::policy::{CookieOptions, SameSite, Secure, Stickiness};
use stickiness::trust::key_ring::{CookieKind, NONCE_LENGTH};

use crate::document::{NAMES, SECRET};

/// Checks that an error is one line. With `document`, it must also have a path that begins in the document, and no secret. The
/// document must have secrets only under `keys`, and no empty key.
///
/// # Panics
///
/// When the error is not so.
pub fn check_error(error: &ConfigError, document: Option<&Value>) {
    let message = error.to_string();
    assert!(!message.is_empty() && !message.contains(char::is_control), "not one line: {message:?}");
    let Some(Value::Object(entries)) = document else { return };
    assert!(!message.contains(SECRET), "a secret is shown: {message}");
    let starts_at = |key: &str| {
        let key = key.split('.').next().unwrap_or_default();
        message.strip_prefix(key).is_some_and(|rest| rest.starts_with([':', '.', '[']))
    };
    assert!(
        entries.keys().any(|key| starts_at(key)) || message.starts_with('"'),
        "{message:?} has no path in the document"
    );
}

/// Returns true when two configurations mean the same: for every name that the fuzzer uses, for every rule, and with the same keys.
#[must_use]
pub fn say_the_same(one: &Parsed, other: &Parsed) -> bool {
    let [one, other] = [one, other].map(|parsed| (parsed, &parsed.config));
    let warnings = |parsed: &Parsed| {
        let mut warnings = parsed.warnings.clone();
        warnings.sort();
        warnings
    };
    let first_seal = |parsed: &Parsed| {
        let ring = parsed.key_ring.as_ref()?;
        Some(ring.seal(CookieKind::LbCookie, b"content", &[0; NONCE_LENGTH]))
    };
    let same_policies = |one: &Config, other: &Config| {
        NAMES
            .iter()
            .chain(&["another"])
            .all(|name| one.policy(name) == other.policy(name) && one.named_policy(name) == other.named_policy(name))
    };
    one.1.mechanism == other.1.mechanism
        && one.1.rules() == other.1.rules()
        && one.1.routes_choose() == other.1.routes_choose()
        && same_policies(one.1, other.1)
        && warnings(one.0) == warnings(other.0)
        && first_seal(one.0) == first_seal(other.0)
}

/// Checks that a configuration keeps the limits of AWS and of browsers.
///
/// # Panics
///
/// When it does not.
pub fn check_limits(parsed: &Parsed) {
    const WEEK: Duration = Duration::from_hours(7 * 24);
    let check_cookie = |options: &CookieOptions| {
        let never_secure = options.secure == Secure::Never;
        assert!(!(never_secure && (options.partitioned || options.same_site == Some(SameSite::None))));
        let is_line = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';');
        assert!(options.path.starts_with('/') && is_line(&options.path));
        assert!(options.domain.iter().chain(&options.name).all(|text| is_line(text)));
    };
    for name in NAMES.iter().chain(&["another"]) {
        let Some(policy) = parsed.config.policy(name) else { continue };
        check_cookie(&policy.cookie);
        match &policy.stickiness {
            Stickiness::LbCookie { duration } => assert!((Duration::from_secs(1)..=WEEK).contains(duration)),
            Stickiness::AppCookie { cookie_name, duration } => {
                assert!((Duration::from_secs(1)..=WEEK).contains(duration) && !cookie_name.starts_with("AWSALB"));
            }
            Stickiness::ClassicLbCookie { expiration_period } => assert!(*expiration_period != Some(Duration::ZERO)),
            Stickiness::ClassicAppCookie { cookie_name } => assert!(!cookie_name.is_empty()),
        }
    }
    for rule in parsed.config.rules() {
        check_cookie(&rule.cookie);
        assert!((1..=5).contains(&rule.target_groups.len()));
        assert!(rule.stickiness.is_none_or(|duration| (Duration::from_secs(1)..=WEEK).contains(&duration)));
        let is_sticky = rule.target_groups.iter().any(|group| parsed.config.policy(group).is_some());
        assert!(!(is_sticky && rule.target_groups.len() > 1 && rule.stickiness.is_none()), "AWS refuses such a rule");
    }
}
