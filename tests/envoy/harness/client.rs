//! A client: HTTP/1.1 by hand, so that it can send what no library would, and a cookie jar.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::SystemTime;

use super::PATIENCE;

/// An answer.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Response {
    /// The values of the headers with this name, in their order.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(present, _)| present == name).map(|(_, value)| value.as_str())
    }

    /// The `Set-Cookie` lines.
    pub(crate) fn set_cookies(&self) -> Vec<&str> {
        self.all("set-cookie").collect()
    }

    /// Whole seconds from now until the `Expires` of the first cookie, which is a little less than what it was made with.
    #[track_caller]
    pub(crate) fn expires_in(&self) -> u64 {
        let line = self.all("set-cookie").next().unwrap();
        let expires = line.split("; ").find_map(|attribute| attribute.strip_prefix("Expires=")).unwrap();
        let expires = httpdate::parse_http_date(expires).unwrap();
        expires.duration_since(SystemTime::now()).unwrap().as_secs()
    }

    /// The value of a cookie that this answer sets.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.all("set-cookie").find_map(|line| {
            let pair = line.split(';').next()?;
            pair.strip_prefix(name)?.strip_prefix('=')
        })
    }
}

/// Sends a request with these header lines, each as it is, on a connection of its own.
#[track_caller]
pub(crate) fn fetch(server: SocketAddr, path: &str, header_lines: &[&[u8]]) -> Response {
    fetch_with("GET", server, path, header_lines)
}

#[track_caller]
fn fetch_with(method: &str, server: SocketAddr, path: &str, header_lines: &[&[u8]]) -> Response {
    let mut connection = TcpStream::connect(server).unwrap();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n").into_bytes();
    for line in header_lines {
        request.extend_from_slice(line);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    connection.write_all(&request).unwrap();
    let mut response = Vec::new();
    connection.read_to_end(&mut response).unwrap();
    parse(&String::from_utf8_lossy(&response))
}

#[track_caller]
fn parse(response: &str) -> Response {
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer, but {response:?}"));
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Response { status, headers, body: body.to_owned() }
}

/// A client with a cookie jar, which keeps what it is given until it is given something else.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client {
    pub(crate) jar: BTreeMap<String, String>,
}

impl Client {
    /// Sends a request with the jar's cookies and keeps those of the answer.
    #[track_caller]
    pub(crate) fn get(&mut self, server: SocketAddr, path: &str) -> Response {
        self.send("GET", server, path)
    }

    /// As [`Client::get`], with another method.
    #[track_caller]
    pub(crate) fn send(&mut self, method: &str, server: SocketAddr, path: &str) -> Response {
        let cookies: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let line = format!("cookie: {}", cookies.join("; ")).into_bytes();
        let lines: &[&[u8]] = if cookies.is_empty() { &[] } else { &[&line] };
        let response = fetch_with(method, server, path, lines);
        for line in response.set_cookies() {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            self.jar.insert(name.to_owned(), value.to_owned());
        }
        response
    }
}
