//! Reads the options of cookies, and refuses or warns of combinations that browsers do not take.
//!
//! AWS has no such options. Their values are named after the attributes of `Set-Cookie` (RFC 6265bis §4.1).

use super::context::Context;
use super::error::ConfigError;
use super::reader::block;
use super::values;
use crate::policy::{CookieOptions, Expires, MaxAge, Renew, SameSite, Secure, Stickiness, UnusedShards};

/// The starts of names that browsers take only with certain attributes. `__Secure-` and `__Host-` are from RFC 6265bis
/// §4.1.3, the others from the draft on layered cookies. The longer ones come first.
const PREFIXES: [&str; 4] = ["__Host-Http-", "__Host-", "__Secure-", "__Http-"];

/// The options as they are written: `cookie`, of the document, of a target group, of a policy or of a rule. An option that
/// is `None` is inherited.
#[derive(Default)]
pub(super) struct CookieBlock {
    name: Option<String>,
    expires: Option<Expires>,
    max_age: Option<MaxAge>,
    domain: Option<String>,
    path: Option<String>,
    secure: Option<Secure>,
    trust_x_forwarded_proto: Option<bool>,
    http_only: Option<bool>,
    same_site: Option<SameSite>,
    partitioned: Option<bool>,
    twin: Option<bool>,
    unused_shards: Option<UnusedShards>,
    renew: Option<Renew>,
    renew_after_percent: Option<u8>,
}

block!(CookieBlock {
    "name" => name by values::cookie_name,
    "expires" => expires,
    "max_age" => max_age,
    "domain" => domain by values::domain,
    "path" => path by values::path,
    "secure" => secure,
    "trust_x_forwarded_proto" => trust_x_forwarded_proto,
    "http_only" => http_only,
    "same_site" => same_site,
    "partitioned" => partitioned,
    "twin" => twin,
    "unused_shards" => unused_shards,
    "renew" => renew,
    "renew_after_percent" => renew_after_percent by values::percent
});

impl CookieBlock {
    /// The options that hold where this block stands.
    ///
    /// A warning that holds for the inherited options too is not repeated: it was given where they stand.
    pub(super) fn resolve(&self, context: &mut Context<'_>) -> Result<CookieOptions, ConfigError> {
        let inherited = context.inherited;
        let options = self.over(inherited);
        self.check(&options).map_err(|error| error.at(context.place))?;
        for (warning, earlier) in self.warnings(&options).into_iter().zip(self.warnings(inherited)) {
            if warning.holds && !earlier.holds {
                context.warn(warning.key, warning.why);
            }
        }
        Ok(options)
    }

    /// The options of this block, and the inherited ones where it gives none.
    fn over(&self, inherited: &CookieOptions) -> CookieOptions {
        CookieOptions {
            name: self.name.as_ref().or(inherited.name.as_ref()).cloned(),
            expires: self.expires.unwrap_or(inherited.expires),
            max_age: self.max_age.unwrap_or(inherited.max_age),
            domain: self.domain.as_ref().or(inherited.domain.as_ref()).cloned(),
            path: self.path.as_ref().unwrap_or(&inherited.path).clone(),
            secure: self.secure.unwrap_or(inherited.secure),
            trust_x_forwarded_proto: self.trust_x_forwarded_proto.unwrap_or(inherited.trust_x_forwarded_proto),
            http_only: self.http_only.unwrap_or(inherited.http_only),
            same_site: self.same_site.or(inherited.same_site),
            partitioned: self.partitioned.unwrap_or(inherited.partitioned),
            twin: self.twin.unwrap_or(inherited.twin),
            unused_shards: self.unused_shards.unwrap_or(inherited.unused_shards),
            renew: self.renew_over(inherited.renew),
        }
    }

    fn renew_over(&self, inherited: Renew) -> Renew {
        let renew = match (self.renew, inherited) {
            // The share is an option of its own: a block that repeats `sliding` inherits it.
            (None, inherited) | (Some(Renew::Sliding { .. }), inherited @ Renew::Sliding { .. }) => inherited,
            (Some(given), _) => given,
        };
        match (renew, self.renew_after_percent) {
            (Renew::Sliding { .. }, Some(after_percent)) => Renew::Sliding { after_percent },
            (renew, _) => renew,
        }
    }

    /// Checks the options together. The error names one of the keys that this block gives.
    fn check(&self, options: &CookieOptions) -> Result<(), ConfigError> {
        let refused = |key: &str, why: &str| Err(ConfigError::new(why).under(key));
        let is_never_secure = options.secure == Secure::Never;
        if options.same_site == Some(SameSite::None) && is_never_secure {
            return refused(
                either(self.same_site.is_some(), "same_site", "secure"),
                "same_site none with secure never: browsers refuse SameSite=None without Secure",
            );
        }
        if options.partitioned && is_never_secure {
            return refused(
                either(self.partitioned.is_some(), "partitioned", "secure"),
                "partitioned with secure never: browsers refuse Partitioned without Secure",
            );
        }
        if options.max_age != MaxAge::None && options.expires == Expires::Session {
            return refused(
                either(self.max_age.is_some(), "max_age", "expires"),
                "expires session with max_age: a cookie that lasts as long as the browser runs has no Max-Age",
            );
        }
        if self.renew_after_percent.is_some() && !matches!(options.renew, Renew::Sliding { .. }) {
            return refused("renew_after_percent", "has no meaning without renew sliding");
        }
        self.check_prefix(options)
    }

    /// Checks that the cookies have the attributes that browsers ask of their name.
    fn check_prefix(&self, options: &CookieOptions) -> Result<(), ConfigError> {
        let Some(prefix) = browser_prefix(options) else { return Ok(()) };
        let (key, why) = if prefix.starts_with("__Host-") && options.domain.is_some() {
            ("domain", "with a Domain")
        } else if prefix.starts_with("__Host-") && options.path != "/" {
            ("path", "with another Path than /")
        } else if options.secure != Secure::Always {
            ("secure", "without Secure; set secure to always")
        } else if prefix.ends_with("Http-") && !options.http_only {
            ("http_only", "without HttpOnly; set http_only to true")
        } else {
            return Ok(());
        };
        let problem = format!("browsers refuse a name that starts with {prefix} {why}");
        Err(ConfigError::new(problem).under(either(self.name.is_some(), "name", key)))
    }

    /// The first key of this block that has no effect on the cookies of this type of stickiness.
    pub(super) fn without_effect(&self, stickiness: &Stickiness) -> Option<&'static str> {
        // Classic cookies have no Expires and are never renewed. Under classic_app_cookie the application's cookie has the
        // attributes.
        let is_copied = matches!(stickiness, Stickiness::ClassicAppCookie { .. });
        let is_classic = stickiness.is_classic();
        let has_no_shards = !matches!(stickiness, Stickiness::AppCookie { .. });
        let without_effect = [
            ("expires", is_classic && self.expires.is_some()),
            ("max_age", is_classic && self.max_age.is_some()),
            ("renew", is_classic && self.renew.is_some()),
            ("renew_after_percent", is_classic && self.renew_after_percent.is_some()),
            ("unused_shards", has_no_shards && self.unused_shards.is_some()),
            ("domain", is_copied && self.domain.is_some()),
            ("path", is_copied && self.path.is_some()),
            ("secure", is_copied && self.secure.is_some()),
            ("http_only", is_copied && self.http_only.is_some()),
            ("same_site", is_copied && self.same_site.is_some()),
            ("partitioned", is_copied && self.partitioned.is_some()),
        ];
        without_effect.into_iter().find(|(_, holds)| *holds).map(|(key, _)| key)
    }

    fn warnings(&self, options: &CookieOptions) -> [Warning; 3] {
        [
            Warning {
                holds: options.secure == Secure::Never && options.twin,
                key: either(self.secure.is_some(), "secure", "twin"),
                why: "secure never with a twin: browsers refuse the twin, which is SameSite=None without Secure; set \
                      twin to false (app_cookie has none)",
            },
            Warning {
                holds: options.same_site == Some(SameSite::None) && options.secure == Secure::Auto,
                key: either(self.same_site.is_some(), "same_site", "secure"),
                why: "same_site none with secure auto: over plain HTTP the cookies are SameSite=None without Secure, \
                      and browsers refuse them; set secure to always where all clients use HTTPS",
            },
            Warning {
                holds: options.partitioned && options.secure == Secure::Auto,
                key: either(self.partitioned.is_some(), "partitioned", "secure"),
                why: "partitioned with secure auto: only cookies that are Secure are Partitioned: those with \
                      SameSite=None, as the twin, over HTTPS; set secure to always for all of them",
            },
        ]
    }
}

/// The start of these cookies' name that binds them to certain attributes, if it has one.
pub(super) fn browser_prefix(options: &CookieOptions) -> Option<&'static str> {
    let name = options.name.as_deref()?;
    // "case-insensitively", RFC 6265bis §5.4.
    let has = |prefix: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    PREFIXES.into_iter().find(|prefix| has(prefix))
}

/// A combination that browsers take only in part.
struct Warning {
    holds: bool,
    /// The key that the warning names.
    key: &'static str,
    why: &'static str,
}

/// The key that an error or a warning names, of two that do not go together: the first if the block gives it.
fn either(gives_first: bool, first: &'static str, second: &'static str) -> &'static str {
    if gives_first { first } else { second }
}
