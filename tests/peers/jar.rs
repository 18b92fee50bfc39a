//! The cookies that a client keeps, and the attributes of a `Set-Cookie` line.

use std::collections::BTreeSet;

use crate::backends::OWN;
use crate::exchange::Response;

/// A cookie that a client keeps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cookie {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) value: String,
    /// `true` if the proxy set it, `false` if a backend did.
    pub(crate) of_proxy: bool,
}

/// The cookies of a client. They never expire here, so that the proxy must reject one that is too old.
#[derive(Clone, Debug, Default)]
pub(crate) struct Jar {
    pub(crate) cookies: Vec<Cookie>,
}

impl Cookie {
    /// Reads the name, the value and the path of a `Set-Cookie` line.
    fn parse(line: &str, of_proxy: bool) -> Option<Self> {
        let (name, value) = line.split(';').next()?.split_once('=')?;
        let path = attribute(line, "path").filter(|path| path.starts_with('/')).unwrap_or_else(|| "/".to_owned());
        Some(Self { name: name.trim().to_owned(), path, value: value.trim().to_owned(), of_proxy })
    }
}

impl Jar {
    /// Keeps the cookies of a response, and drops those that it deletes.
    pub(crate) fn keep(&mut self, response: &Response) {
        self.keep_those(response, |_| true);
    }

    /// As [`Jar::keep`], for the cookies of the proxy only.
    pub(crate) fn keep_of_proxy(&mut self, response: &Response) {
        self.keep_those(response, |cookie| cookie.of_proxy);
    }

    fn keep_those(&mut self, response: &Response, wanted: impl Fn(&Cookie) -> bool) {
        let own: BTreeSet<String> = response.all(OWN).collect();
        for line in response.all("set-cookie") {
            let Some(cookie) = Cookie::parse(&line, !own.contains(&line)).filter(&wanted) else { continue };
            self.cookies.retain(|kept| (&kept.name, &kept.path) != (&cookie.name, &cookie.path));
            if !is_over(&line) {
                self.cookies.push(cookie);
            }
        }
    }

    /// The cookie pairs for this path. `spoilt` replaces the value of each cookie that the proxy set.
    pub(crate) fn pairs(&self, path: &str, spoilt: Option<&str>) -> Vec<String> {
        let fits = |cookie: &&Cookie| {
            let folder = cookie.path.trim_end_matches('/');
            path == cookie.path
                || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        };
        let value = |cookie: &Cookie| spoilt.filter(|_| cookie.of_proxy).unwrap_or(&cookie.value).to_owned();
        self.cookies.iter().filter(fits).map(|cookie| format!("{}={}", cookie.name, value(cookie))).collect()
    }

    /// Adds a cookie as if the proxy had set it.
    pub(crate) fn set(&mut self, pair: &str) {
        self.cookies.extend(Cookie::parse(pair, true));
    }

    /// The cookies that the proxy set.
    pub(crate) fn of_proxy(&self) -> Self {
        Self { cookies: self.cookies.iter().filter(|cookie| cookie.of_proxy).cloned().collect() }
    }
}

/// The attributes of a `Set-Cookie` line, with their names in lower case.
pub(crate) fn attributes(line: &str) -> impl Iterator<Item = (String, String)> {
    line.split(';').skip(1).filter(|part| !part.trim().is_empty()).map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (name.trim().to_ascii_lowercase(), value.trim().to_owned())
    })
}

fn attribute(line: &str, name: &str) -> Option<String> {
    attributes(line).find_map(|(present, value)| (present == name).then_some(value))
}

/// Seconds until the cookie expires, by `Max-Age` or else by `Expires`.
pub(crate) fn seconds_left(line: &str) -> Option<i64> {
    if let Some(seconds) = attribute(line, "max-age") {
        return seconds.parse().ok();
    }
    expires(line)
}

/// Seconds until the date in `Expires`.
pub(crate) fn expires(line: &str) -> Option<i64> {
    // nginx writes the date with dashes.
    let date = httpdate::parse_http_date(&with_long_year(&attribute(line, "expires")?.replace('-', " "))).ok()?;
    let of = |time: std::time::SystemTime| time.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs().try_into().ok();
    let (then, now): (i64, i64) = (of(date)?, of(std::time::SystemTime::now())?);
    then.checked_sub(now)
}

/// Writes a year of two digits, as in `Thu, 31 Dec 37 23:55:55 GMT`, with four.
fn with_long_year(date: &str) -> String {
    let mut words: Vec<String> = date.split(' ').map(str::to_owned).collect();
    if let Some(year) = words.get_mut(3).filter(|year| year.len() == 2) {
        *year = format!("20{year}");
    }
    words.join(" ")
}

fn is_over(line: &str) -> bool {
    seconds_left(line).is_some_and(|seconds| seconds <= 0)
}
