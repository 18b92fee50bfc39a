//! The names of the stickiness cookies.
//!
//! AWS builds them on a base: `AWSALB` or, for a Classic Load Balancer, `AWSELB`. An operator may choose another base.

use std::borrow::Cow;

use crate::trust::value_encoding::SHARDS;
use crate::wire::cookie_header::CookieHeader;

/// The base of an Application Load Balancer's names.
pub const AWSALB: &str = "AWSALB";

/// The base of a Classic Load Balancer's names.
pub const AWSELB: &str = "AWSELB";

/// The name of a cookie. It is borrowed unless the operator chose the base.
pub type Name = Cow<'static, str>;

/// The names of the cookies that a policy may give. The type of stickiness decides which of them it gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CookieNames {
    /// The names of the duration-based cookie.
    pub(crate) lb_cookie: Pair,
    /// The names of the application-based cookie.
    pub(crate) app_cookie: [Name; SHARDS],
    /// The names of the cookie of a Classic Load Balancer.
    pub(crate) classic: Pair,
}

impl CookieNames {
    /// The names on this base, or on AWS's bases.
    pub(crate) fn new(base: Option<&str>) -> Self {
        Self { lb_cookie: Pair::of_lb_cookie(base), app_cookie: shards(base), classic: Pair::of_classic(base) }
    }
}

/// The names of a cookie and of its twin for cross-site requests, which has the same value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The cookie.
    pub plain: Name,
    /// Its twin.
    pub twin: Name,
}

impl Pair {
    /// Both names, the twin's last.
    pub(crate) const fn both(&self) -> [&Name; 2] {
        [&self.plain, &self.twin]
    }

    /// Every value of the cookie and its twin in a request, the twin's first.
    pub fn values<'n, 'a>(
        &'n self,
        cookies: &'n CookieHeader<'a>,
    ) -> impl Iterator<Item = Cow<'a, [u8]>> + use<'n, 'a> {
        cookies.values(&self.twin).chain(cookies.values(&self.plain))
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
pub fn shards(base: Option<&str>) -> [Name; SHARDS] {
    match base {
        None => ["AWSALBAPP-0", "AWSALBAPP-1", "AWSALBAPP-2", "AWSALBAPP-3"].map(Name::from),
        Some(base) => [0, 1, 2, 3].map(|shard: u8| format!("{base}APP-{shard}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_aws() {
        let pair = |pair: Pair| [pair.plain.into_owned(), pair.twin.into_owned()];
        assert_eq!(pair(Pair::of_lb_cookie(None)), ["AWSALB", "AWSALBCORS"]);
        assert_eq!(pair(Pair::of_target_group(None)), ["AWSALBTG", "AWSALBTGCORS"]);
        assert_eq!(pair(Pair::of_classic(None)), ["AWSELB", "AWSELBCORS"]);
        assert_eq!(shards(None).map(Name::into_owned), ["AWSALBAPP-0", "AWSALBAPP-1", "AWSALBAPP-2", "AWSALBAPP-3"]);
    }

    #[test]
    fn another_base_stands_in_all_of_them() {
        let pair = |pair: Pair| [pair.plain.into_owned(), pair.twin.into_owned()];
        assert_eq!(pair(Pair::of_lb_cookie(Some("LB"))), ["LB", "LBCORS"]);
        assert_eq!(pair(Pair::of_target_group(Some("LB"))), ["LBTG", "LBTGCORS"]);
        assert_eq!(pair(Pair::of_classic(Some("LB"))), ["LB", "LBCORS"]);
        assert_eq!(shards(Some("LB")).map(Name::into_owned), ["LBAPP-0", "LBAPP-1", "LBAPP-2", "LBAPP-3"]);
    }
}
