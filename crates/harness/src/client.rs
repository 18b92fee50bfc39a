//! A client with a cookie jar that works like a browser's.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;
use std::time::SystemTime;

use crate::connection::fetch_with;
use crate::{PATIENCE, Response};

/// A client with a cookie jar. Like a browser it keeps a cookie until a `Set-Cookie` line replaces or removes it. Unlike a browser it
/// has no clock, so that a test can send an old cookie, and it sends every cookie to every path.
#[derive(Clone, Debug, Default)]
pub struct Client {
    pub jar: BTreeMap<String, String>,
    /// Header lines for every request.
    pub lines: Vec<String>,
}

impl Client {
    /// Sends a request with the cookies of the jar, and keeps the cookies of the answer.
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

    /// Opens a WebSocket with the cookies of the jar, and keeps the cookies of the answer.
    #[track_caller]
    pub fn open_socket(&mut self, server: SocketAddr) -> Socket {
        let socket = Socket::open(server, &self.header_lines());
        socket.answer.set_cookies().into_iter().for_each(|line| self.keep(line));
        socket
    }

    /// Sends a request with the cookies of the jar, in the background. It does not keep the cookies of the answer.
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

/// A WebSocket connection.
#[derive(Debug)]
pub struct Socket {
    /// The answer to the request. It has no body.
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
        Self { answer: Response::parse(head.as_bytes()), connection }
    }

    /// The name of the target that answers over this connection.
    #[track_caller]
    pub fn target(&mut self) -> String {
        self.connection.get_mut().write_all(b"hello\n").unwrap();
        let mut line = String::new();
        self.connection.read_line(&mut line).unwrap();
        line.strip_suffix(" hello\n").unwrap_or_else(|| panic!("{line:?} came back")).to_owned()
    }
}

/// True if a `Set-Cookie` line removes the cookie. `Max-Age` takes precedence over `Expires` (RFC 6265, section 5.3).
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
    // Some applications write the date with dashes.
    let expires = last("expires").and_then(|date| httpdate::parse_http_date(&date.replace('-', " ")).ok());
    expires.is_some_and(|expires| expires < SystemTime::now())
}
