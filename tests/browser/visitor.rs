//! A browser in front of a load balancer: its URLs, the answering targets, the sent cookies and its jar.

use std::collections::BTreeSet;

use harness::LoadBalancer;
use local_browser::{Browser, Cookie, Error, Result, Settings};

/// A browser with an empty jar.
pub(crate) fn browser() -> Result<Browser> {
    Browser::start(&Settings::default())
}

/// The URL of this path over plain HTTP.
pub(crate) fn http(lb: &LoadBalancer, site: &str, path: &str) -> String {
    format!("http://{site}:{}{path}", lb.sticky.port())
}

/// The URL of this path over HTTPS.
pub(crate) fn https(lb: &LoadBalancer, site: &str, path: &str) -> String {
    format!("https://{site}:{}{path}", lb.sticky.port())
}

/// The name of the target that answered.
pub(crate) fn answering_target(browser: &Browser) -> Result<String> {
    let body = browser.text("body")?;
    // An answer of Envoy itself is a page too.
    if ["a", "b"].contains(&body.as_str()) {
        Ok(body)
    } else {
        Err(Error::new(format!("no target answered, but {body:?}")))
    }
}

/// The names of the targets that answer when a page is opened and then reloaded ten times.
pub(crate) fn answering_targets(browser: &Browser, url: &str) -> Result<BTreeSet<String>> {
    browser.open(url)?;
    let mut names = BTreeSet::from([answering_target(browser)?]);
    for _ in 0..10 {
        browser.refresh()?;
        names.insert(answering_target(browser)?);
    }
    Ok(names)
}

/// The names of the cookies in each request for this path, to any target.
pub(crate) fn cookies_sent(lb: &LoadBalancer, path: &str) -> Vec<Vec<String>> {
    let received = lb.received();
    received.iter().filter(|head| head.split(' ').nth(1) == Some(path)).map(|head| cookie_names(head)).collect()
}

fn cookie_names(head: &str) -> Vec<String> {
    let pairs = head.lines().filter_map(|line| line.strip_prefix("cookie: ")).flat_map(|line| line.split("; "));
    let mut names: Vec<String> = pairs.map(|pair| pair.split('=').next().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// The cookies of the jar, one in a line, in the words of `Set-Cookie`.
pub(crate) fn jar(browser: &Browser) -> Result<Vec<String>> {
    Ok(browser.cookies()?.iter().map(described).collect())
}

fn described(cookie: &Cookie) -> String {
    let expires = match cookie.expires_in() {
        // The time since the answer is far less than ten minutes.
        Some(left) => format!("for {} s", left.as_secs().next_multiple_of(600)),
        None => "for the session".to_owned(),
    };
    let same_site = cookie.same_site.as_ref().map(|value| format!("SameSite={value}"));
    let flags = [(cookie.secure, "Secure"), (cookie.http_only, "HttpOnly"), (cookie.is_partitioned(), "Partitioned")];
    let flags = flags.into_iter().filter(|(set, _)| *set).map(|(_, name)| name.to_owned());
    let Cookie { name, domain, path, .. } = cookie;
    [format!("{name} {expires}, {domain}{path}")]
        .into_iter()
        .chain(same_site)
        .chain(flags)
        .collect::<Vec<_>>()
        .join("; ")
}
