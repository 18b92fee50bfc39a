//! Reads single values: a word of a list, a number of a range, a text of a form.

use std::time::Duration;

use super::error::ConfigError;
use super::reader::{Read, Reader};
use super::resolved::Mechanism;
use crate::cookies::names::{AWSALB, AWSELB};
use crate::policy::{Expires, MAX_DURATION_SECONDS, MaxAge, Renew, SameSite, Secure, UnusedShards};

/// The longest name of an application's cookie, in bytes. AWS names no limit.
const MAX_APPLICATION_COOKIE_NAME: usize = 256;

/// The longest [`cookie_name`], in bytes. It leaves room for suffixes like `CORS`, and for the
/// value, in the 4096 bytes that browsers take (RFC 6265 §6.1).
const MAX_COOKIE_NAME: usize = 64;

/// The longest `Domain`, in bytes: that of a host's name (RFC 1035 §2.3.4).
const MAX_DOMAIN: usize = 253;

/// The longest `Path`, in bytes: browsers ignore attributes that are longer (RFC 6265bis §5.6).
const MAX_PATH: usize = 1024;

/// The share of the duration after which a sliding session is renewed, in percent, where none is given.
const DEFAULT_RENEW_AFTER_PERCENT: u8 = 50;

/// A type of stickiness: `stickiness.type`.
#[derive(Clone, Copy)]
pub(super) enum Type {
    Lb,
    App,
    ClassicLb,
    ClassicApp,
    /// By the addresses of a connection. Envoy has this itself, so it is refused with what to use in Envoy.
    OfAddresses(&'static str),
}

/// The word of `on_empty_group`. With a probe path, it makes an [`OnEmptyGroup`](crate::policy::OnEmptyGroup).
#[derive(Clone, Copy, Default)]
pub(super) enum EmptyGroupWord {
    #[default]
    Fail,
    Repick,
}

/// Implements `Read` for types whose values are words. Words that are `unlisted` are read too, but errors do not offer
/// them: they stand for something that is refused later, with a reason.
macro_rules! words {
    ($($type:ty { $($word:literal => $value:expr),+ $(; unlisted: $($other:literal => $refused:expr),+)? })+) => {$(
        impl Read for $type {
            fn read(value: Reader<'_>) -> Result<Self, ConfigError> {
                const WORDS: &[&str] = &[$($word),+];
                match value.as_text() {
                    $(Some($word) => Ok($value),)+
                    $($(Some($other) => Ok($refused),)+)?
                    _ => Err(value.is_none_of(WORDS)),
                }
            }
        }
    )+};
}

words! {
    Mechanism { "stateful_session" => Self::StatefulSession, "override_host" => Self::OverrideHost }
    Expires { "duration" => Self::Duration, "seven_days" => Self::SevenDays, "session" => Self::Session }
    MaxAge { "none" => Self::None, "beside" => Self::Beside, "instead" => Self::Instead }
    Secure { "auto" => Self::Auto, "always" => Self::Always, "never" => Self::Never }
    SameSite { "strict" => Self::Strict, "lax" => Self::Lax, "none" => Self::None }
    UnusedShards { "when_sent" => Self::WhenSent, "always" => Self::Always }
    Renew {
        "always" => Self::Always,
        "sliding" => Self::Sliding { after_percent: DEFAULT_RENEW_AFTER_PERCENT },
        "on_change" => Self::OnChange
    }
    EmptyGroupWord { "fail" => Self::Fail, "repick" => Self::Repick }
    Type {
        "lb_cookie" => Self::Lb,
        "app_cookie" => Self::App,
        "classic_lb_cookie" => Self::ClassicLb,
        "classic_app_cookie" => Self::ClassicApp;
        // The types of a Network Load Balancer (the first) and of a Gateway Load Balancer.
        unlisted:
        "source_ip" => Self::OfAddresses("source_ip"),
        "source_ip_dest_ip" => Self::OfAddresses("source_ip_dest_ip"),
        "source_ip_dest_ip_proto" => Self::OfAddresses("source_ip_dest_ip_proto")
    }
}

/// A duration of stickiness, as a number of seconds.
pub(super) fn duration_seconds(value: Reader<'_>) -> Result<u32, ConfigError> {
    value.whole_number(1..=MAX_DURATION_SECONDS)
}

/// A duration of stickiness, which is written in seconds.
pub(super) fn duration(value: Reader<'_>) -> Result<Duration, ConfigError> {
    duration_seconds(value).map(|seconds| Duration::from_secs(seconds.into()))
}

/// "You must specify this value when enabling target group stickiness." (AWS, "Elastic Load Balancing API Reference",
/// `TargetGroupStickinessConfig`)
pub(super) fn duration_is_required() -> ConfigError {
    ConfigError::new(format!(
        "is required where target group stickiness is enabled: a whole number between 1 and {MAX_DURATION_SECONDS}"
    ))
}

/// The period of a classic cookie in seconds. AWS states no upper limit.
pub(super) fn expiration_period(value: Reader<'_>) -> Result<Duration, ConfigError> {
    value.whole_number(1..=u32::MAX).map(|seconds| Duration::from_secs(seconds.into()))
}

/// A share in percent: more than nothing, less than all.
pub(super) fn percent(value: Reader<'_>) -> Result<u8, ConfigError> {
    value.whole_number(1..=99)
}

/// The name of an application's cookie; `None` when it is empty, as AWS prints it for a target group without one.
///
/// Names "can't have the following prefixes: AWSALB, AWSALBAPP, or AWSALBTG" (AWS, "Target groups for your Application
/// Load Balancers", section "Target group attributes"). AWSELB, the cookie of a Classic Load Balancer, is refused too.
pub(super) fn application_cookie_name(value: Reader<'_>) -> Result<Option<String>, ConfigError> {
    let name = text(value, |name| {
        if name.starts_with(AWSALB) {
            Some("allowed as the name of an application's cookie: names that start with AWSALB are reserved")
        } else if name.starts_with(AWSELB) {
            Some("allowed as the name of an application's cookie: names that start with AWSELB are reserved")
        } else if name.len() > MAX_APPLICATION_COOKIE_NAME {
            Some("a cookie's name: it is longer than 256 bytes")
        } else {
            not_a_token(name)
        }
    })?;
    Ok(Some(name).filter(|name| !name.is_empty()))
}

/// The name that the names of our cookies are built from.
pub(super) fn cookie_name(value: Reader<'_>) -> Result<String, ConfigError> {
    text(value, |name| {
        if name.is_empty() {
            Some("a cookie's name: it is empty")
        } else if name.len() > MAX_COOKIE_NAME {
            Some("a name to build the names of cookies from: it is longer than 64 bytes")
        } else {
            not_a_token(name)
        }
    })
}

/// Returns what is wrong with the name of a cookie, which is a token of RFC 9110 §5.6.2 (RFC 6265 §4.1.1).
fn not_a_token(name: &str) -> Option<&'static str> {
    let is_token = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    (!is_token).then_some("a cookie's name: letters, digits and !#$%&'*+-.^_`|~")
}

/// A `Domain`. A leading dot is allowed, and browsers ignore it (RFC 6265 §5.2.3).
pub(super) fn domain(value: Reader<'_>) -> Result<String, ConfigError> {
    text(value, |domain| {
        let host = domain.strip_prefix('.').unwrap_or(domain);
        let is_label =
            |label: &str| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let is_host = host.len() <= MAX_DOMAIN && host.split('.').all(is_label);
        (!is_host).then_some("a domain: letters, digits and hyphens between dots, at most 253 bytes")
    })
}

/// A `Path`.
pub(super) fn path(value: Reader<'_>) -> Result<String, ConfigError> {
    text(value, |path| {
        // RFC 6265 §4.1.1 forbids semicolons and control characters. Some clients end a path at a comma or a space.
        let is_path = path.len() <= MAX_PATH
            && path.starts_with('/')
            && path.bytes().all(|byte| byte.is_ascii_graphic() && !b";,".contains(&byte));
        (!is_path).then_some(
            "a path: / at the start, then printable ASCII without spaces, commas and semicolons, at most 1024 bytes",
        )
    })
}

/// A string. `check` returns what the string is not, if anything is wrong with it.
fn text(value: Reader<'_>, check: fn(&str) -> Option<&'static str>) -> Result<String, ConfigError> {
    let text = value.text()?;
    match check(text) {
        None => Ok(text.to_owned()),
        Some(what) => Err(value.is_not(what)),
    }
}
