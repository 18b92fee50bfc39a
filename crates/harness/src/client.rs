//! A client: HTTP/1.1 by hand, so that it can send what no library would, and a cookie jar as a browser's.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::SystemTime;

use crate::PATIENCE;

/// An answer.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Response {
    /// The values of the headers with this name, in their order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(present, _)| present == name).map(|(_, value)| value.as_str())
    }

    /// The `Set-Cookie` lines.
    pub fn set_cookies(&self) -> Vec<&str> {
        self.all("set-cookie").collect()
    }

    /// The names of the cookies that it sets, in their order.
    pub fn cookie_names(&self) -> Vec<&str> {
        self.all("set-cookie").filter_map(|line| Some(line.split_once('=')?.0)).collect()
    }

    /// The `Set-Cookie` line of a cookie.
    pub fn line(&self, name: &str) -> Option<&str> {
        self.all("set-cookie").find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with('=')))
    }

    /// The value of a cookie that this answer sets.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.line(name)?.split(';').next()?.strip_prefix(name)?.strip_prefix('=')
    }

    /// `Expires=` and its date, as the first cookie that has one shows it.
    #[track_caller]
    pub fn expires(&self) -> &str {
        let mut attributes = self.all("set-cookie").flat_map(|line| line.split("; "));
        attributes.find(|attribute| attribute.starts_with("Expires=")).unwrap()
    }

    /// Whole seconds from now until then, which is a little less than what it was made with.
    #[track_caller]
    pub fn expires_in(&self) -> u64 {
        let expires = httpdate::parse_http_date(self.expires().trim_start_matches("Expires=")).unwrap();
        expires.duration_since(SystemTime::now()).unwrap().as_secs()
    }
}

/// Sends a request with these header lines, each as it is, on a connection of its own.
#[track_caller]
pub fn fetch(server: SocketAddr, path: &str, header_lines: &[&[u8]]) -> Response {
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
    let mut piece = [0; 16_384];
    while !is_whole(&response) {
        match connection.read(&mut piece).unwrap() {
            0 => break,
            length => response.extend_from_slice(&piece[..length]),
        }
    }
    parse(&String::from_utf8_lossy(&response))
}

/// Whether nothing more is to come: what Envoy answers itself it may say before it has read the whole request, and it closes
/// such a connection a second later.
pub(crate) fn is_whole(response: &[u8]) -> bool {
    let response = String::from_utf8_lossy(response);
    let Some((head, body)) = response.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_some_and(|length| length.parse() == Ok(body.len()))
}

#[track_caller]
pub(crate) fn parse(response: &str) -> Response {
    let (head, body) = response.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer, but {response:?}"));
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Response { status, headers, body: body.to_owned() }
}

/// A client with a cookie jar: as a browser it keeps what it is given until it is given something else or told to drop it. It
/// keeps no clock, so that a test can send what is old, and sends every cookie everywhere.
#[derive(Clone, Debug, Default)]
pub struct Client {
    pub jar: BTreeMap<String, String>,
    /// Header lines that it sends with every request.
    pub lines: Vec<String>,
}

impl Client {
    /// Sends a request with the jar's cookies and keeps those of the answer.
    #[track_caller]
    pub fn get(&mut self, server: SocketAddr, path: &str) -> Response {
        self.send("GET", server, path)
    }

    /// As [`Client::get`], with another method.
    #[track_caller]
    pub fn send(&mut self, method: &str, server: SocketAddr, path: &str) -> Response {
        let lines = self.header_lines();
        let lines: Vec<&[u8]> = lines.iter().map(String::as_bytes).collect();
        let response = fetch_with(method, server, path, &lines);
        response.set_cookies().into_iter().for_each(|line| self.keep(line));
        response
    }

    /// Opens a WebSocket with the jar's cookies and keeps those of the answer.
    #[track_caller]
    pub fn open_socket(&mut self, server: SocketAddr) -> Socket {
        let socket = Socket::open(server, &self.header_lines());
        socket.answer.set_cookies().into_iter().for_each(|line| self.keep(line));
        socket
    }

    /// Sends a request with the jar's cookies, which is answered in its own time. The answer's cookies are not kept.
    pub fn begin(&self, server: SocketAddr, path: &'static str) -> JoinHandle<Response> {
        let mut client = self.clone();
        std::thread::spawn(move || client.get(server, path))
    }

    fn header_lines(&self) -> Vec<String> {
        let cookies: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = (!cookies.is_empty()).then(|| format!("cookie: {}", cookies.join("; ")));
        self.lines.iter().cloned().chain(cookies).collect()
    }

    fn keep(&mut self, line: &str) {
        let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
        if is_over(line) {
            self.jar.remove(name);
        } else {
            self.jar.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// A connection that was a request first.
#[derive(Debug)]
pub struct Socket {
    /// The answer to the request, which has no body.
    pub answer: Response,
    connection: BufReader<TcpStream>,
}

impl Socket {
    #[track_caller]
    fn open(server: SocketAddr, header_lines: &[String]) -> Self {
        let connection = TcpStream::connect(server).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                       sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";
        let lines =
            [&["GET /socket HTTP/1.1".to_owned(), "host: test".to_owned(), upgrade.to_owned()], header_lines].concat();
        let request = format!("{}\r\n\r\n", lines.join("\r\n"));
        let mut connection = BufReader::new(connection);
        connection.get_mut().write_all(request.as_bytes()).unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(connection.read_line(&mut head).unwrap(), 0, "{head}");
        }
        Self { answer: parse(&head), connection }
    }

    /// The target that says something back over this connection.
    #[track_caller]
    pub fn target(&mut self) -> String {
        self.connection.get_mut().write_all(b"hello\n").unwrap();
        let mut line = String::new();
        self.connection.read_line(&mut line).unwrap();
        line.strip_suffix(" hello\n").unwrap_or_else(|| panic!("{line:?} came back")).to_owned()
    }
}

/// Whether a `Set-Cookie` line tells a browser to drop the cookie; `Max-Age` has the last word.
fn is_over(line: &str) -> bool {
    let attributes: Vec<(String, &str)> = line
        .split(';')
        .skip(1)
        .filter_map(|attribute| attribute.split_once('='))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim()))
        .collect();
    let last = |name: &str| attributes.iter().rev().find(|(present, _)| present == name).map(|(_, value)| *value);
    if let Some(seconds) = last("max-age").and_then(|value| value.parse::<i64>().ok()) {
        return seconds <= 0;
    }
    // Some write the date with dashes.
    let expires = last("expires").and_then(|date| httpdate::parse_http_date(&date.replace('-', " ")).ok());
    expires.is_some_and(|expires| expires < SystemTime::now())
}
