//! A client that reads the answering target and the cookies from each response.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::fixture::TARGET;

/// A client that keeps one connection.
pub(crate) struct Client {
    agent: ureq::Agent,
    server: SocketAddr,
}

/// A response, as far as the checks need it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The length of the body in bytes.
    pub(crate) length: usize,
    /// The target that answered, if the path asks for it with [`WHO`](crate::fixture::WHO).
    pub(crate) target: Option<String>,
    /// Names and values of the cookies that the proxy sets.
    pub(crate) given: Vec<(String, String)>,
    /// Names and values of the cookies that the application sets.
    pub(crate) of_application: Vec<(String, String)>,
}

impl Client {
    pub(crate) fn of(server: SocketAddr) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(30)))
            .build();
        Self { agent: config.into(), server }
    }

    /// Requests a path, with a `Cookie` header unless `cookies` is empty.
    pub(crate) fn get(&self, path: &str, cookies: &str) -> Result<Answer> {
        let url = format!("http://{}{path}", self.server);
        let mut request = self.agent.get(&url);
        if !cookies.is_empty() {
            request = request.header("cookie", cookies);
        }
        let mut response = request.call().with_context(|| format!("GET {url}"))?;
        let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let lines = response.headers().get_all("set-cookie").iter().map(text);
        let pairs: Vec<(String, String)> = lines.filter_map(|line| pair(&line)).collect();
        let (of_application, given) = pairs.into_iter().partition(|(name, _)| name == "session");
        let target = response.headers().get(TARGET).map(text);
        let status = response.status().as_u16();
        let length = response.body_mut().read_to_vec().with_context(|| format!("GET {url}"))?.len();
        Ok(Answer { status, length, target, given, of_application })
    }
}

impl Answer {
    /// The `Cookie` header of a client that had no cookie before this response.
    pub(crate) fn cookies(&self) -> String {
        let pairs = self.of_application.iter().chain(&self.given);
        let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }
}

fn pair(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split(';').next()?.split_once('=')?;
    Some((name.to_owned(), value.to_owned()))
}
