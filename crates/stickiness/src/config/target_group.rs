//! A target group's stickiness, with AWS's names. A named policy is written in the same way.

use std::rc::Rc;
use std::time::Duration;

use super::cookie::{CookieBlock, browser_prefix};
use super::reader::block;
use super::{ConfigError, values};
use crate::policy::{CookieOptions, Policy, Stickiness};

#[derive(Default)]
pub(super) struct TargetGroup {
    stickiness: StickinessBlock,
    cookie: CookieBlock,
}

struct StickinessBlock {
    enabled: bool,
    r#type: Type,
    // All are read, so that attributes can be pasted as AWS prints them: it lists those of the other types too.
    lb_cookie: LbCookie,
    app_cookie: AppCookie,
    classic_lb_cookie: ClassicLbCookie,
    classic_app_cookie: ClassicAppCookie,
}

impl Default for StickinessBlock {
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

/// A type of stickiness.
#[derive(Clone, Copy)]
pub(super) enum Type {
    Lb,
    App,
    ClassicLb,
    ClassicApp,
    /// By the addresses of a connection, which is Envoy's to do.
    OfAddresses(&'static str),
}

#[derive(Default)]
struct LbCookie {
    duration_seconds: Option<u32>,
}

#[derive(Default)]
struct AppCookie {
    cookie_name: Option<String>,
    duration_seconds: Option<u32>,
}

#[derive(Default)]
struct ClassicLbCookie {
    cookie_expiration_period: Option<Duration>,
}

#[derive(Default)]
struct ClassicAppCookie {
    cookie_name: Option<String>,
}

block!(TargetGroup { "stickiness" => stickiness, "cookie" => cookie });

block!(StickinessBlock {
    "enabled" => enabled,
    "type" => r#type,
    "lb_cookie" => lb_cookie,
    "app_cookie" => app_cookie,
    "classic_lb_cookie" => classic_lb_cookie,
    "classic_app_cookie" => classic_app_cookie
});

block!(LbCookie { "duration_seconds" => duration_seconds by values::duration_seconds });

block!(AppCookie {
    "cookie_name" => cookie_name by values::application_cookie_name,
    "duration_seconds" => duration_seconds by values::duration_seconds
});

block!(ClassicLbCookie { "cookie_expiration_period" => cookie_expiration_period by values::expiration_period });

block!(ClassicAppCookie { "cookie_name" => cookie_name by values::application_cookie_name });

impl TargetGroup {
    /// The policy of the target group `name` of `list`, whose cookies are as `inherited` but for what it says itself.
    pub(super) fn check(
        self,
        [list, name]: [&str; 2],
        inherited: &CookieOptions,
        warnings: &mut Vec<String>,
    ) -> Result<Option<Rc<Policy>>, ConfigError> {
        let cookie = self.cookie.resolve(&[list, name, "cookie"], inherited, warnings)?;
        let stickiness = self.stickiness.check(&cookie).map_err(|error| error.at(&[list, name, "stickiness"]))?;
        Ok(stickiness.map(|stickiness| Rc::new(Policy::new(stickiness, cookie))))
    }
}

impl StickinessBlock {
    fn check(self, cookie: &CookieOptions) -> Result<Option<Stickiness>, ConfigError> {
        if !self.enabled {
            return Ok(None);
        }
        let duration = |seconds: Option<u32>| {
            seconds.map_or(Stickiness::DEFAULT_DURATION, |seconds| Duration::from_secs(seconds.into()))
        };
        Ok(Some(match self.r#type {
            Type::Lb => Stickiness::LbCookie { duration: duration(self.lb_cookie.duration_seconds) },
            Type::App => Stickiness::AppCookie {
                cookie_name: application_cookie_name("app_cookie", self.app_cookie.cookie_name, cookie)?,
                duration: duration(self.app_cookie.duration_seconds),
            },
            Type::ClassicLb => {
                Stickiness::ClassicLbCookie { expiration_period: self.classic_lb_cookie.cookie_expiration_period }
            }
            Type::ClassicApp if let Some(prefix) = browser_prefix(cookie) => {
                let problem = format!(
                    "\"classic_app_cookie\" takes its attributes from the application's cookie, and browsers refuse a name \
                     that starts with {prefix} without the ones that they ask for"
                );
                return Err(ConfigError::new(problem).under("type"));
            }
            Type::ClassicApp => Stickiness::ClassicAppCookie {
                cookie_name: application_cookie_name(
                    "classic_app_cookie",
                    self.classic_app_cookie.cookie_name,
                    cookie,
                )?,
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

/// The name that a type cannot do without, and that none of our cookies can have.
fn application_cookie_name(r#type: &str, name: Option<String>, cookie: &CookieOptions) -> Result<String, ConfigError> {
    let problem = match (name, &cookie.name) {
        (None, _) => {
            // AWS's words.
            format!("You must set an application cookie name to enable stickiness of type '{type}'")
        }
        (Some(name), Some(ours)) if name.starts_with(ours) => format!(
            "{name:?} is not allowed as the name of an application's cookie: with cookie.name {ours:?}, names that \
             start with it are the load balancer's"
        ),
        (Some(name), _) => return Ok(name),
    };
    Err(ConfigError::new(problem).at(&[r#type, "cookie_name"]))
}
