//! Warns of scopes whose cookies replace each other in the browser.
//!
//! A browser keeps one cookie of a name, domain and path (RFC 6265 §5.3, step 11). Where routes of two scopes give it such a cookie,
//! each replaces that of the other, and a client that goes back and forth has no session in either. It is allowed, because the
//! routes may belong to different hosts. The cookie of application-based stickiness holds the bindings of all scopes side by side.

use std::rc::Rc;

use super::error::ConfigError;
use super::resolved::Config;
use crate::by_name::in_order;
use crate::policy::{Policy, Stickiness};

/// The most warnings that are given. Each names a policy.
const MOST: usize = 10;

/// The warnings about a configuration: one for each policy whose cookie an earlier one has, in another scope.
pub(super) fn warnings(config: &Config) -> Vec<String> {
    if config.policies.as_ref().is_none_or(|policies| policies.iter().next().is_none()) {
        return Vec::new();
    }
    let mut given = Vec::new();
    config.visit(&mut |name, policy| given.extend(cookie(policy).map(|cookie| (name, policy, cookie))));
    let cookies: Vec<&str> = given.iter().map(|(_, _, (_, cookie))| cookie.as_str()).collect();
    let mut warnings = Vec::new();
    // The first policy with the cookie: one of a target group, if there is one.
    let mut first: Option<(&str, &Rc<Policy>)> = None;
    for (name, policy, (of_browser, cookie)) in in_order(&cookies).into_iter().filter_map(|place| given.get(place)) {
        let Some((_, first)) = first.filter(|(its_cookie, _)| its_cookie == cookie) else {
            first = Some((cookie, policy));
            continue;
        };
        let Some(name) = name.filter(|_| first.scope != policy.scope && warnings.len() < MOST) else { continue };
        let scope = first.scope.name();
        let other = if scope.is_empty() { "the target groups".to_owned() } else { format!("the scope {scope:?}") };
        let or_path = if follows_path(policy) { " or a cookie.path" } else { "" };
        let problem = format!(
            "in a browser its cookie {of_browser} and that of {other} replace each other, so a client that uses both has no session \
             in either; give the policy a cookie.name{or_path} of its own, or the scope {scope:?}, to share the sessions"
        );
        warnings.push(ConfigError::new(problem).under(name).under("policies").to_string());
    }
    warnings
}

/// The name of the policy's cookie, and with it all that tells this cookie from others in a browser. `None` where the scopes share
/// one cookie without harm.
fn cookie(policy: &Policy) -> Option<(&str, String)> {
    let names = policy.names();
    let name = match &policy.stickiness {
        Stickiness::AppCookie { .. } => return None,
        Stickiness::LbCookie { .. } => &names.lb_cookie.plain,
        Stickiness::ClassicLbCookie { .. } | Stickiness::ClassicAppCookie { .. } => &names.classic.plain,
    };
    let (domain, path) = if follows_path(policy) {
        (policy.cookie.domain.as_deref().unwrap_or_default(), policy.cookie.path.as_str())
    } else {
        // They come with each answer of the application.
        ("", "")
    };
    Some((name, format!("{name};{domain};{path}")))
}

/// Returns true if the options decide the path of the cookie. Otherwise the cookie of the application decides it.
fn follows_path(policy: &Policy) -> bool {
    !matches!(policy.stickiness, Stickiness::ClassicAppCookie { .. })
}
