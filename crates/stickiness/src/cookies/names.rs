//! The names of the stickiness cookies.
//!
//! AWS builds them on a base: `AWSALB` or, for a Classic Load Balancer, `AWSELB`. An operator may choose another base.

use crate::policy::Stickiness;
use crate::trust::value_encoding::{MIN_COOKIE_VALUE, SHARDS};
use crate::wire::cookie_header::{CookieName, Use};

/// The base of an Application Load Balancer's names.
pub const AWSALB: &str = "AWSALB";

/// The base of a Classic Load Balancer's names.
pub const AWSELB: &str = "AWSELB";

/// The names of the cookies that a policy may give. The type of stickiness decides which of them it gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CookieNames {
    /// The names of the duration-based cookie.
    pub(crate) lb_cookie: Pair,
    /// The names of the application-based cookie.
    pub(crate) app_cookie: [CookieName; SHARDS],
    /// The names of the cookie of a Classic Load Balancer.
    pub(crate) classic: Pair,
    /// The name of the application's cookie, if the policy follows one.
    pub(crate) application: Option<CookieName>,
}

impl CookieNames {
    /// The names on this base, or on AWS's bases, of a policy that may follow the cookie `application`.
    pub(crate) fn new(base: Option<&str>, application: Option<&str>) -> Self {
        Self {
            lb_cookie: Pair::of_lb_cookie(base),
            app_cookie: shards(base),
            classic: Pair::of_classic(base),
            application: application.map(|name| name.to_owned().into()),
        }
    }

    /// The cookies that a policy of this type reads.
    pub(crate) fn wanted(&self, stickiness: &Stickiness) -> impl Iterator<Item = (&CookieName, Use)> {
        let (pair, shards) = match stickiness {
            Stickiness::LbCookie { .. } => (Some(&self.lb_cookie), None),
            Stickiness::AppCookie { .. } => (None, Some(&self.app_cookie)),
            Stickiness::ClassicLbCookie { .. } | Stickiness::ClassicAppCookie { .. } => (Some(&self.classic), None),
        };
        // The last part of a value may have any length, and it is never the first.
        let shards = shards.into_iter().flatten().enumerate().map(|(shard, name)| {
            let shortest = if shard == 0 { MIN_COOKIE_VALUE } else { 0 };
            (name, Use::Values { shortest })
        });
        let application = self.application.iter().map(|name| (name, Use::Presence));
        pair.into_iter().flat_map(Pair::wanted).chain(shards).chain(application)
    }
}

/// The names of a cookie and of its twin for cross-site requests, which has the same value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The cookie.
    pub plain: CookieName,
    /// Its twin.
    pub twin: CookieName,
}

impl Pair {
    /// Both names, the twin's last.
    pub(crate) const fn both(&self) -> [&CookieName; 2] {
        [&self.plain, &self.twin]
    }

    /// Both names, as they are wanted in a request.
    #[must_use]
    pub fn wanted(&self) -> [(&CookieName, Use); 2] {
        self.both().map(|name| (name, Use::Values { shortest: MIN_COOKIE_VALUE }))
    }

    /// `AWSALB` and `AWSALBCORS`: the duration-based cookie.
    #[must_use]
    pub fn of_lb_cookie(base: Option<&str>) -> Self {
        Self::new(base, AWSALB, "AWSALBCORS")
    }

    /// `AWSALBTG` and `AWSALBTGCORS`: the target group of a rule.
    #[must_use]
    pub fn of_target_group(base: Option<&str>) -> Self {
        match base {
            None => Self { plain: "AWSALBTG".into(), twin: "AWSALBTGCORS".into() },
            Some(base) => Self { plain: format!("{base}TG").into(), twin: format!("{base}TGCORS").into() },
        }
    }

    /// `AWSELB` and `AWSELBCORS`: the cookie of a Classic Load Balancer.
    #[must_use]
    pub fn of_classic(base: Option<&str>) -> Self {
        Self::new(base, AWSELB, "AWSELBCORS")
    }

    fn new(base: Option<&str>, plain: &'static str, twin: &'static str) -> Self {
        match base {
            None => Self { plain: plain.into(), twin: twin.into() },
            Some(base) => Self { plain: base.to_owned().into(), twin: format!("{base}CORS").into() },
        }
    }
}

/// `AWSALBAPP-0` to `AWSALBAPP-3`: the application-based cookie.
#[must_use]
pub fn shards(base: Option<&str>) -> [CookieName; SHARDS] {
    match base {
        None => ["AWSALBAPP-0", "AWSALBAPP-1", "AWSALBAPP-2", "AWSALBAPP-3"].map(CookieName::from),
        Some(base) => [0, 1, 2, 3].map(|shard: u8| CookieName::from(format!("{base}APP-{shard}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_aws() {
        let pair = |pair: Pair| [pair.plain.to_string(), pair.twin.to_string()];
        assert_eq!(pair(Pair::of_lb_cookie(None)), ["AWSALB", "AWSALBCORS"]);
        assert_eq!(pair(Pair::of_target_group(None)), ["AWSALBTG", "AWSALBTGCORS"]);
        assert_eq!(pair(Pair::of_classic(None)), ["AWSELB", "AWSELBCORS"]);
        assert_eq!(
            shards(None).map(|name| name.to_string()),
            ["AWSALBAPP-0", "AWSALBAPP-1", "AWSALBAPP-2", "AWSALBAPP-3"]
        );
    }

    #[test]
    fn another_base_stands_in_all_of_them() {
        let pair = |pair: Pair| [pair.plain.to_string(), pair.twin.to_string()];
        assert_eq!(pair(Pair::of_lb_cookie(Some("LB"))), ["LB", "LBCORS"]);
        assert_eq!(pair(Pair::of_target_group(Some("LB"))), ["LBTG", "LBTGCORS"]);
        assert_eq!(pair(Pair::of_classic(Some("LB"))), ["LB", "LBCORS"]);
        assert_eq!(shards(Some("LB")).map(|name| name.to_string()), ["LBAPP-0", "LBAPP-1", "LBAPP-2", "LBAPP-3"]);
    }
}
