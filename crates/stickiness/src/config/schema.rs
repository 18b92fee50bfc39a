//! Which keys a configuration has, and what they may be. The names are AWS's.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, Unexpected, Visitor};

use super::{Config, ConfigError, CookieOptions, Expires, Mechanism, Stickiness, TargetGroups};
use crate::keys;
use crate::names::RESERVED_PREFIX;
use crate::seal::KeyRing;

/// `stickiness.lb_cookie.duration_seconds` of AWS: "The range is 1 second to 1 week (604800 seconds). The default
/// value is 1 day (86400 seconds)."
pub(super) const DEFAULT_DURATION_SECONDS: u64 = 86_400;

/// The longest name of an application's cookie, in bytes. AWS names no limit.
const MAX_COOKIE_NAME: usize = 256;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Document {
    target_groups: Option<HashMap<String, TargetGroup>>,
    rules: Vec<IgnoredAny>,
    keys: Option<Vec<Key>>,
    upstream: Upstream,
    cookie: Cookie,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct TargetGroup {
    stickiness: TargetGroupStickiness,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct TargetGroupStickiness {
    enabled: bool,
    r#type: Type,
    lb_cookie: LbCookie,
    // Read, so that attributes can be pasted as AWS prints them: it lists those of the other types too.
    app_cookie: AppCookie,
    classic_lb_cookie: ClassicLbCookie,
    classic_app_cookie: ClassicAppCookie,
}

impl Default for TargetGroupStickiness {
    /// AWS's defaults but one: there stickiness is off until asked for, here whoever names a target group asks for it.
    fn default() -> Self {
        Self {
            enabled: true,
            r#type: Type::Lb,
            lb_cookie: LbCookie::default(),
            app_cookie: AppCookie::default(),
            classic_lb_cookie: ClassicLbCookie::default(),
            classic_app_cookie: ClassicAppCookie::default(),
        }
    }
}

#[derive(Clone, Copy, Deserialize)]
enum Type {
    #[serde(rename = "lb_cookie")]
    Lb,
    #[serde(rename = "app_cookie")]
    App,
    #[serde(rename = "classic_lb_cookie")]
    ClassicLb,
    #[serde(rename = "classic_app_cookie")]
    ClassicApp,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LbCookie {
    duration_seconds: DurationSeconds,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AppCookie {
    cookie_name: CookieName,
    duration_seconds: DurationSeconds,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ClassicLbCookie {
    cookie_expiration_period: Option<DurationSeconds>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ClassicAppCookie {
    cookie_name: CookieName,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    id: String,
    secret: String,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Upstream {
    mechanism: MechanismName,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum MechanismName {
    #[default]
    StatefulSession,
    OverrideHost,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Cookie {
    expires: ExpiresName,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ExpiresName {
    #[default]
    Duration,
    SevenDays,
    Session,
}

/// A duration of stickiness in whole seconds.
struct DurationSeconds(u64);

impl DurationSeconds {
    const RANGE: std::ops::RangeInclusive<u64> = 1..=604_800;
}

impl Default for DurationSeconds {
    fn default() -> Self {
        Self(DEFAULT_DURATION_SECONDS)
    }
}

impl<'de> Deserialize<'de> for DurationSeconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u64(DurationSecondsVisitor)
    }
}

struct DurationSecondsVisitor;

impl Visitor<'_> for DurationSecondsVisitor {
    type Value = DurationSeconds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = DurationSeconds::RANGE;
        write!(f, "a whole number between {} and {}", range.start(), range.end())
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<DurationSeconds, E> {
        let range = DurationSeconds::RANGE;
        if range.contains(&seconds) {
            Ok(DurationSeconds(seconds))
        } else {
            let allowed = format!("between {} and {}", range.start(), range.end());
            Err(E::invalid_value(Unexpected::Unsigned(seconds), &allowed.as_str()))
        }
    }
}

/// The name of an application's cookie; empty when there is none, as AWS prints it.
#[derive(Default)]
struct CookieName(#[expect(dead_code, reason = "checked when read")] String);

impl<'de> Deserialize<'de> for CookieName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let is_not = |what: &str| Err(D::Error::invalid_value(Unexpected::Str(&name), &what));
        if name.starts_with(RESERVED_PREFIX) {
            return is_not("allowed as the name of an application's cookie: names that start with AWSALB are reserved");
        }
        if name.len() > MAX_COOKIE_NAME {
            return is_not("a cookie's name: it is longer than 256 bytes");
        }
        // RFC 6265 §4.1.1: a cookie's name is a token of RFC 9110 §5.6.2.
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)) {
            return is_not("a cookie's name: letters, digits and !#$%&'*+-.^_`|~");
        }
        Ok(Self(name))
    }
}

impl Document {
    /// Checks what no key can check alone.
    pub(super) fn check(self) -> Result<(Config, Option<KeyRing>), ConfigError> {
        if !self.rules.is_empty() {
            let problem =
                ConfigError::new("rules are not supported by this version; target groups are sticky each for itself");
            return Err(problem.at(["rules"]));
        }
        let key_ring = self.keys.map(key_ring).transpose()?;
        let config = Config {
            target_groups: target_groups(self.target_groups.unwrap_or_default())?,
            mechanism: match self.upstream.mechanism {
                MechanismName::StatefulSession => Mechanism::StatefulSession,
                MechanismName::OverrideHost => Mechanism::OverrideHost,
            },
            cookie: CookieOptions {
                expires: match self.cookie.expires {
                    ExpiresName::Duration => Expires::Duration,
                    ExpiresName::SevenDays => Expires::SevenDays,
                    ExpiresName::Session => Expires::Session,
                },
            },
        };
        Ok((config, key_ring))
    }
}

fn target_groups(by_name: HashMap<String, TargetGroup>) -> Result<TargetGroups, ConfigError> {
    if by_name.is_empty() {
        return Ok(TargetGroups::All);
    }
    let by_name = by_name.into_iter().map(|(name, target_group)| {
        let stickiness =
            target_group.stickiness.check().map_err(|error| error.at(["target_groups", &name, "stickiness"]))?;
        Ok((name, stickiness))
    });
    Ok(TargetGroups::Named(by_name.collect::<Result<_, ConfigError>>()?))
}

impl TargetGroupStickiness {
    fn check(self) -> Result<Option<Stickiness>, ConfigError> {
        if !self.enabled {
            return Ok(None);
        }
        let unsupported = |name: &str| {
            let problem = format!("{name:?} is not supported by this version; allowed: lb_cookie");
            Err(ConfigError::new(problem).at(["type"]))
        };
        match self.r#type {
            Type::Lb => {
                Ok(Some(Stickiness::LbCookie { duration: Duration::from_secs(self.lb_cookie.duration_seconds.0) }))
            }
            Type::App => unsupported("app_cookie"),
            Type::ClassicLb => unsupported("classic_lb_cookie"),
            Type::ClassicApp => unsupported("classic_app_cookie"),
        }
    }
}

fn key_ring(keys: Vec<Key>) -> Result<KeyRing, ConfigError> {
    let keys = keys
        .into_iter()
        .enumerate()
        .map(|(index, key)| {
            let parsed = keys::parse_secret(&key.secret)
                .map_err(|error| ConfigError::new(error).at(["keys", &format!("[{index}]"), "secret"]))?;
            Ok((key.id, parsed))
        })
        .collect::<Result<_, ConfigError>>()?;
    keys::ring(keys).map_err(|error| ConfigError::new(error).at(["keys"]))
}
