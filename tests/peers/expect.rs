//! Compares responses with the expectations of a step, in the same way for every proxy.

use std::collections::{BTreeMap, BTreeSet};

use crate::exchange::Response;
use crate::jar::{self, Jar};
use crate::outcome::Stop;
use crate::scenario::{CookieIs, Equality, Expect};

/// Seconds between the moment a date is written and the moment it is checked.
const SLACK: i64 = 10;

/// The result of a step.
pub(crate) struct Asked<'a> {
    pub(crate) answers: Vec<Result<Response, String>>,
    /// The client's cookies before the step.
    pub(crate) jar: &'a Jar,
    pub(crate) home: Option<&'a str>,
    /// The number of requests that each backend received.
    pub(crate) counts: BTreeMap<String, u32>,
    /// The other clients: their cookies, and the backend of their last answer.
    pub(crate) others: BTreeMap<&'a str, (&'a Jar, Option<&'a str>)>,
}

pub(crate) struct Checked {
    /// The weakest equality that all compared cookies have.
    pub(crate) equality: Option<Equality>,
}

/// Finds the backend that answers a client with just these cookies.
pub(crate) type Probe<'a> = dyn Fn(&Jar) -> Option<String> + 'a;

/// # Errors
///
/// The first expectation that is not met.
pub(crate) fn check(expect: &Expect, asked: &Asked<'_>, probe: &Probe<'_>) -> Result<Checked, Stop> {
    let mut home = asked.home.map(str::to_owned);
    let mut equality = None;
    if let Some(statuses) = &expect.statuses {
        let status = |answer: &Result<Response, String>| {
            answer.as_ref().map_or_else(|_| "none".to_owned(), |response| response.status.to_string())
        };
        is(statuses, &counted(asked.answers.iter().map(status)), 0, "the statuses are")?;
    }
    for answer in &asked.answers {
        let response = match answer {
            Ok(response) => response,
            Err(_) if expect.statuses.is_some() => continue,
            Err(error) => return Err(Stop::failed("there is an answer", error.clone())),
        };
        if expect.statuses.is_none() {
            let allowed = expect.status.as_ref().map_or(&[200][..], |status| status.all());
            let expected = format!("the status is {}", either(allowed));
            holds(allowed.contains(&response.status), expected, || format!("{response:?}"))?;
        }
        comes_from(expect, response, home.as_deref())?;
        headers_are(expect, response, asked.jar)?;
        equality = equality.max(cookie_is(expect, response, asked.jar, probe)?);
        attributes_are(expect, response)?;
        names_differ(expect, response, asked)?;
        if let Some(other) = &expect.apart_from {
            let there = response.backend().as_deref() == asked.others[other.as_str()].1;
            holds(!there, format!("the response does not come from the backend of {other}"), || "it does".to_owned())?;
        }
        home = response.backend();
    }
    together(expect, asked)?;
    Ok(Checked { equality })
}

fn holds(it: bool, expected: impl Into<String>, seen: impl FnOnce() -> String) -> Result<(), Stop> {
    if it { Ok(()) } else { Err(Stop::failed(expected, seen())) }
}

fn either<T: std::fmt::Display>(all: &[T]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}

fn counted(all: impl Iterator<Item = String>) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for one in all {
        *counts.entry(one).or_insert(0) += 1;
    }
    counts
}

/// Compares counts, each of which may differ by `within`.
fn is(expected: &BTreeMap<String, u32>, seen: &BTreeMap<String, u32>, within: u32, what: &str) -> Result<(), Stop> {
    let none = 0;
    let names: BTreeSet<&String> = expected.keys().chain(seen.keys()).collect();
    let of = |counts: &BTreeMap<String, u32>, name: &String| *counts.get(name).unwrap_or(&none);
    let fits = names.iter().all(|name| of(expected, name).abs_diff(of(seen, name)) <= within);
    let listed = |counts: &BTreeMap<String, u32>| {
        let parts: Vec<String> = counts.iter().map(|(name, count)| format!("{name}: {count}")).collect();
        parts.join(", ")
    };
    let give = if within > 0 { format!(", with a deviation of at most {within}") } else { String::new() };
    holds(fits, format!("{what} {}{give}", listed(expected)), || listed(seen))
}

fn comes_from(expect: &Expect, response: &Response, home: Option<&str>) -> Result<(), Stop> {
    let backend = response.backend();
    let seen = || backend.clone().unwrap_or_else(|| format!("the proxy itself, with {}", response.status));
    if let Some(from) = &expect.from {
        let fits = backend.as_ref().is_some_and(|backend| from.all().contains(backend));
        holds(fits, format!("the response comes from {}", either(from.all())), seen)?;
    }
    if expect.stays {
        holds(backend.is_some() && backend.as_deref() == home, "the session stays", || {
            format!("it went from {home:?} to {}", seen())
        })?;
    }
    Ok(())
}

fn headers_are(expect: &Expect, response: &Response, jar: &Jar) -> Result<(), Stop> {
    let all = |name: &str| response.all(name).collect::<Vec<_>>().join(", ");
    for (name, values) in &expect.header {
        let present = all(name).to_ascii_lowercase();
        let fits = values.all().iter().any(|value| present.contains(&value.to_ascii_lowercase()));
        holds(fits, format!("{name} says {}", either(values.all())), || present.clone())?;
    }
    for (name, value) in &expect.header_is {
        holds(all(name) == *value, format!("{name} is {value:?}"), || all(name))?;
    }
    if let Some(cookies) = &expect.backend_gets {
        let own = jar.of_proxy().pairs("/", None).join("; ");
        let got = response.got_cookies().join(" | ");
        let expected = if cookies.is_empty() {
            "the backend gets no cookie".to_owned()
        } else {
            format!("the backend gets one field `{cookies}`")
        };
        holds(got == cookies.replace("{cookie}", &own), expected, || got.clone())?;
    }
    let given = all("set-cookie");
    let lines: Vec<String> = response.all("set-cookie").collect();
    if let Some(line) = &expect.given {
        holds(lines.contains(line), format!("the client receives `{line}`"), || given.clone())?;
    }
    if let Some(part) = &expect.given_more_than {
        let fits = lines.iter().any(|line| line != part && contains_around(line, part));
        holds(fits, format!("the client receives more than `{part}`"), || given.clone())?;
    }
    Ok(())
}

/// Returns `true` if a line has the name of `pair`, and its value somewhere inside the value.
fn contains_around(line: &str, pair: &str) -> bool {
    pair.split_once('=').is_some_and(|(name, value)| {
        line.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')).is_some_and(|rest| rest.contains(value))
    })
}

fn cookie_is(expect: &Expect, response: &Response, sent: &Jar, probe: &Probe<'_>) -> Result<Option<Equality>, Stop> {
    let Some(cookie) = expect.cookie else { return Ok(None) };
    let lines = response.lines_of_proxy();
    let mut given = Jar::default();
    given.keep(response);
    let given = given.of_proxy();
    if cookie == CookieIs::Absent {
        holds(lines.is_empty(), "the proxy sets no cookie", || lines.join(" | "))?;
        return Ok(None);
    }
    holds(!given.cookies.is_empty(), "the proxy sets a cookie", || "none".to_owned())?;
    if cookie == CookieIs::Given {
        return Ok(None);
    }
    let value_sent = |name: &str| sent.cookies.iter().find(|cookie| cookie.name == name).map(|cookie| &cookie.value);
    let same_bytes = given.cookies.iter().all(|cookie| value_sent(&cookie.name) == Some(&cookie.value));
    if cookie == CookieIs::Again && same_bytes {
        return Ok(Some(Equality::SameBytes));
    }
    // Twice, because one right answer may be chance.
    for _ in 0..2 {
        let leads_to = probe(&given);
        holds(leads_to == response.backend(), "the cookie leads to the backend that answered", || {
            format!("it leads to {leads_to:?}, and {:?} answered", response.backend())
        })?;
    }
    Ok((cookie == CookieIs::Again).then_some(Equality::SameBackend))
}

fn attributes_are(expect: &Expect, response: &Response) -> Result<(), Stop> {
    let lines = response.lines_of_proxy();
    if expect.attributes.is_some() || expect.expires_in.is_some() || !expect.attribute_is.is_empty() {
        holds(!lines.is_empty(), "the proxy sets a cookie", || "none".to_owned())?;
    }
    for line in &lines {
        let attributes: BTreeMap<String, String> = jar::attributes(line).collect();
        if let Some(expected) = &expect.attributes {
            let names: Vec<&str> = expected.keys().map(String::as_str).collect();
            let just = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let same_names = expected.keys().eq(attributes.keys());
            holds(same_names, format!("the attributes are exactly {just}"), || line.clone())?;
            for (name, value) in expected {
                let fits = value == "*" || attributes[name].eq_ignore_ascii_case(value);
                holds(fits, format!("{name} is {value:?}"), || line.clone())?;
            }
        }
        for (name, value) in &expect.attribute_is {
            let fits = attributes.get(name).is_some_and(|present| present.eq_ignore_ascii_case(value));
            holds(fits, format!("{name} is {value:?}"), || line.clone())?;
        }
        for name in &expect.no_attributes {
            holds(!attributes.contains_key(name), format!("there is no {name}"), || line.clone())?;
        }
        if let Some(seconds) = expect.expires_in.and_then(|seconds| i64::try_from(seconds).ok()) {
            let near = |left: i64| left.abs_diff(seconds) <= SLACK.unsigned_abs();
            let shown = [jar::seconds_left(line), jar::expires(line)];
            let fits = shown[0].is_some() && shown.into_iter().flatten().all(near);
            let expected = format!("the lifetime is {seconds} s");
            holds(
                fits && (attributes.contains_key("max-age") || attributes.contains_key("expires")),
                expected,
                || line.clone(),
            )?;
        }
    }
    Ok(())
}

fn names_differ(expect: &Expect, response: &Response, asked: &Asked<'_>) -> Result<(), Stop> {
    let Some((other, _)) = expect.other_name_than.as_deref().map(|other| asked.others[other]) else { return Ok(()) };
    let lines = response.lines_of_proxy();
    let taken = |line: &String| {
        line.split_once('=').is_some_and(|(name, _)| other.cookies.iter().any(|cookie| cookie.name == name))
    };
    holds(!lines.iter().any(taken), "the cookies have other names", || lines.join(" | "))
}

/// Checks the expectations about all responses of a step together.
fn together(expect: &Expect, asked: &Asked<'_>) -> Result<(), Stop> {
    let responses = || asked.answers.iter().flatten();
    let backends: Vec<String> = responses().filter_map(Response::backend).collect();
    if let Some(backend) = &expect.not_always {
        holds(
            backends.iter().any(|other| other != backend),
            format!("not every response comes from {backend}"),
            || format!("all {} do", backends.len()),
        )?;
    }
    if expect.from_one {
        let different: BTreeSet<&String> = backends.iter().collect();
        holds(
            different.len() == 1 && backends.len() == asked.answers.len(),
            "all responses come from one backend",
            || format!("{backends:?}"),
        )?;
    }
    if let Some(shares) = &expect.shares {
        is(shares, &counted(backends.iter().cloned()), expect.within, "the responses come from")?;
    }
    if let Some(counts) = &expect.asked {
        is(
            counts,
            &asked.counts.clone().into_iter().filter(|(_, count)| *count > 0).collect(),
            0,
            "the backends receive",
        )?;
    }
    if let Some(backend) = &expect.asks {
        let count = asked.counts.get(backend).copied().unwrap_or(0);
        holds(count > 0, format!("{backend} receives a request"), || "it is not".to_owned())?;
    }
    if expect.one_connection {
        let connections: BTreeSet<String> = responses().filter_map(Response::connection).collect();
        holds(connections.len() == 1, "all go over one connection", || format!("{connections:?}"))?;
    }
    Ok(())
}
