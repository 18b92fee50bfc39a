//! HTTP/1.1 requests by hand. A test can send bytes that a client library refuses to send.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::{PATIENCE, Response};

/// A connection that stays open. It sends thousands of requests in a second, all of them to one worker.
#[derive(Debug)]
pub struct Connection(TcpStream);

impl Connection {
    #[track_caller]
    pub fn open(server: SocketAddr) -> Self {
        let connection = TcpStream::connect(server).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        connection.set_nodelay(true).unwrap();
        Self(connection)
    }

    /// Sends a request with these unchanged header lines. The answer must have a `content-length`.
    #[track_caller]
    pub fn fetch(&mut self, path: &str, header_lines: &[&[u8]]) -> Response {
        self.send(&request("GET", path, header_lines))
    }

    /// Sends these bytes, which are one request.
    #[track_caller]
    pub fn send(&mut self, request: &[u8]) -> Response {
        self.0.write_all(request).unwrap();
        let mut response = Vec::new();
        let mut piece = [0; 16_384];
        while !Response::is_whole(&response) {
            match self.0.read(&mut piece).unwrap() {
                0 => break,
                length => response.extend_from_slice(&piece[..length]),
            }
        }
        Response::parse(&response)
    }
}

/// Sends a request with these unchanged header lines on a new connection.
#[track_caller]
pub fn fetch(server: SocketAddr, path: &str, header_lines: &[&[u8]]) -> Response {
    fetch_with("GET", server, path, header_lines)
}

/// As [`fetch`], with another method.
#[track_caller]
pub(crate) fn fetch_with(method: &str, server: SocketAddr, path: &str, header_lines: &[&[u8]]) -> Response {
    let header_lines = [&[b"connection: close".as_slice()], header_lines].concat();
    Connection::open(server).send(&request(method, path, &header_lines))
}

fn request(method: &str, path: &str, header_lines: &[&[u8]]) -> Vec<u8> {
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: test\r\n").into_bytes();
    for line in header_lines {
        request.extend_from_slice(line);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request
}
