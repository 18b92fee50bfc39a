//! A client that sends request after request on one connection: thousands in a second, all of them to one worker.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::PATIENCE;
use crate::client::{Response, is_whole, parse};

/// A connection that is kept open.
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

    /// Sends a request with these header lines, each as it is; the answer must tell its length.
    #[track_caller]
    pub fn fetch(&mut self, path: &str, header_lines: &[&[u8]]) -> Response {
        let mut request = format!("GET {path} HTTP/1.1\r\nhost: test\r\n").into_bytes();
        for line in header_lines {
            request.extend_from_slice(line);
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        self.send(&request)
    }

    /// Sends these bytes, which are one request.
    #[track_caller]
    pub fn send(&mut self, request: &[u8]) -> Response {
        self.0.write_all(request).unwrap();
        let mut response = Vec::new();
        let mut piece = [0; 16_384];
        while !is_whole(&response) {
            match self.0.read(&mut piece).unwrap() {
                0 => break,
                length => response.extend_from_slice(&piece[..length]),
            }
        }
        parse(&String::from_utf8_lossy(&response))
    }
}
