//! Reads the stickiness of a target group. A named policy is written in the same way, with a scope.
//!
//! The keys are AWS's target group attributes `stickiness.*` (AWS, "Target groups for your Application Load Balancers",
//! section "Target group attributes"). The classic ones are our own attributes for the policies of a Classic Load
//! Balancer, and are named after the parameters of its API.

use std::time::Duration;

use super::context::Context;
use super::cookie::{CookieBlock, browser_prefix};
use super::error::ConfigError;
use super::reader::{Block, Read, Reader, block};
use super::values::{self, Type};
use crate::policy::{CookieOptions, Policy, Stickiness};

/// A target group or a policy as it is written: `target_groups.web`, `policies.long`.
#[derive(Default)]
pub(super) struct TargetGroupBlock {
    stickiness: StickinessBlock,
    cookie: CookieBlock,
    /// The scope of a policy, if it gives one. A target group has no such key.
    pub(super) scope: Option<String>,
}

/// A policy while it is read.
#[derive(Default)]
pub(super) struct PolicyBlock(pub(super) TargetGroupBlock);

/// The attributes `stickiness.*`.
///
/// Those of types that are not in use are read too, so that attributes can be pasted as AWS prints them: AWS lists all.
struct StickinessBlock {
    enabled: bool,
    r#type: Option<Type>,
    lb_cookie: LbCookieBlock,
    app_cookie: AppCookieBlock,
    classic_lb_cookie: ClassicLbCookieBlock,
    classic_app_cookie: ClassicAppCookieBlock,
}

impl Default for StickinessBlock {
    /// AWS's defaults but one: at AWS stickiness is off until it is turned on, here it is on for a target group that is
    /// named.
    fn default() -> Self {
        Self {
            enabled: true,
            r#type: None,
            lb_cookie: LbCookieBlock::default(),
            app_cookie: AppCookieBlock::default(),
            classic_lb_cookie: ClassicLbCookieBlock::default(),
            classic_app_cookie: ClassicAppCookieBlock::default(),
        }
    }
}

/// Duration-based stickiness: `stickiness.lb_cookie.*`.
#[derive(Default)]
struct LbCookieBlock {
    duration: Option<Duration>,
}

/// Application-based stickiness: `stickiness.app_cookie.*`.
#[derive(Default)]
struct AppCookieBlock {
    cookie_name: Option<String>,
    duration: Option<Duration>,
}

/// Duration-based stickiness of a Classic Load Balancer (AWS, "Elastic Load Balancing API Reference",
/// `CreateLBCookieStickinessPolicy`): `stickiness.classic_lb_cookie.*`.
#[derive(Default)]
struct ClassicLbCookieBlock {
    expiration_period: Option<Duration>,
}

/// Application-controlled stickiness of a Classic Load Balancer (AWS, "Elastic Load Balancing API Reference",
/// `CreateAppCookieStickinessPolicy`): `stickiness.classic_app_cookie.*`.
#[derive(Default)]
struct ClassicAppCookieBlock {
    cookie_name: Option<String>,
}

block!(TargetGroupBlock { "stickiness" => stickiness, "cookie" => cookie });

impl Block for PolicyBlock {
    fn keys(&self) -> &'static [&'static str] {
        &["stickiness", "cookie", "scope"]
    }

    fn required(&self) -> &'static [&'static str] {
        &[]
    }

    fn take(&mut self, key: &str, value: Reader<'_>) -> Result<(), ConfigError> {
        if key == "scope" {
            self.0.scope = Read::read(value)?;
            return Ok(());
        }
        self.0.take(key, value)
    }
}

block!(StickinessBlock {
    "enabled" => enabled,
    "type" => r#type,
    "lb_cookie" => lb_cookie,
    "app_cookie" => app_cookie,
    "classic_lb_cookie" => classic_lb_cookie,
    "classic_app_cookie" => classic_app_cookie
});

block!(LbCookieBlock { "duration_seconds" => duration by values::duration });

block!(AppCookieBlock {
    "cookie_name" => cookie_name by values::application_cookie_name,
    "duration_seconds" => duration by values::duration
});

block!(ClassicLbCookieBlock { "cookie_expiration_period" => expiration_period by values::expiration_period });

block!(ClassicAppCookieBlock { "cookie_name" => cookie_name by values::application_cookie_name });

impl TargetGroupBlock {
    /// The policy; `None` when stickiness is off.
    pub(super) fn resolve(self, context: &mut Context<'_>) -> Result<Option<Policy>, ConfigError> {
        let cookie = self.cookie.resolve(&mut context.below("cookie"))?;
        if let Some(unused) = self.stickiness.meant_type() {
            let why = format!(
                "has no effect, because type is lb_cookie where it is not given; set it to {unused} if that is meant"
            );
            context.below("stickiness").warn(unused, &why);
        }
        let stickiness =
            self.stickiness.resolve(&cookie).map_err(|error| error.under("stickiness").at(context.place))?;
        if let Some(key) = stickiness.as_ref().and_then(|stickiness| self.cookie.without_effect(stickiness)) {
            context.below("cookie").warn(key, "has no effect on the cookies of this type of stickiness");
        }
        Ok(stickiness.map(|stickiness| Policy::new(stickiness, cookie)))
    }
}

impl StickinessBlock {
    /// The type whose settings are given where no type is. AWS, which prints those of all types, prints the type too.
    fn meant_type(&self) -> Option<&'static str> {
        let is_given = [
            ("app_cookie", self.app_cookie.cookie_name.is_some() || self.app_cookie.duration.is_some()),
            ("classic_lb_cookie", self.classic_lb_cookie.expiration_period.is_some()),
            ("classic_app_cookie", self.classic_app_cookie.cookie_name.is_some()),
        ];
        let given = is_given.into_iter().find(|(_, is_given)| *is_given && self.enabled && self.r#type.is_none())?;
        Some(given.0)
    }

    fn resolve(self, cookie: &CookieOptions) -> Result<Option<Stickiness>, ConfigError> {
        if !self.enabled {
            return Ok(None);
        }
        Ok(Some(match self.r#type.unwrap_or(Type::Lb) {
            Type::Lb => {
                Stickiness::LbCookie { duration: self.lb_cookie.duration.unwrap_or(Stickiness::DEFAULT_DURATION) }
            }
            Type::App => Stickiness::AppCookie {
                cookie_name: required_cookie_name("app_cookie", self.app_cookie.cookie_name, cookie)?,
                duration: self.app_cookie.duration.unwrap_or(Stickiness::DEFAULT_DURATION),
            },
            Type::ClassicLb => {
                Stickiness::ClassicLbCookie { expiration_period: self.classic_lb_cookie.expiration_period }
            }
            Type::ClassicApp if let Some(prefix) = browser_prefix(cookie) => {
                let problem = format!(
                    "\"classic_app_cookie\" takes its attributes from the application's cookie, but a name that \
                     starts with {prefix} needs attributes of its own: browsers refuse it without them"
                );
                return Err(ConfigError::new(problem).under("type"));
            }
            Type::ClassicApp => Stickiness::ClassicAppCookie {
                cookie_name: required_cookie_name("classic_app_cookie", self.classic_app_cookie.cookie_name, cookie)?,
            },
            Type::OfAddresses(name) => {
                let problem = format!(
                    "{name:?} is stickiness of connections, which is Envoy's own: give the cluster lb_policy RING_HASH \
                     or MAGLEV and its routes hash_policy: [{{connection_properties: {{source_ip: true}}}}]; or use \
                     lb_cookie"
                );
                return Err(ConfigError::new(problem).under("type"));
            }
        }))
    }
}

/// Checks that a type that follows a cookie of the application has the name of one, and that no cookie of ours has it.
fn required_cookie_name(r#type: &str, name: Option<String>, cookie: &CookieOptions) -> Result<String, ConfigError> {
    let problem = match (name, &cookie.name) {
        (None, _) => {
            // The text of AWS's API error InvalidConfigurationRequest.
            format!("You must set an application cookie name to enable stickiness of type '{type}'")
        }
        (Some(name), Some(ours)) if name.starts_with(ours) => format!(
            "{name:?} is not allowed as the name of an application's cookie: with cookie.name {ours:?}, names that \
             start with it are the load balancer's"
        ),
        (Some(name), _) => return Ok(name),
    };
    Err(ConfigError::new(problem).under("cookie_name").under(r#type))
}
