//! What does an HTTP server on this machine answer to one request?

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::{Error, Result};

const LIMIT: Duration = Duration::from_secs(5);

/// An answer without its headers.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status, 100 to 599.
    pub status: u16,
    /// The body; bytes that are not UTF-8 are replaced.
    pub body: String,
}

/// Sends `GET path` on a connection of its own. `path` stands in the request as it is, so it must be encoded already.
///
/// # Errors
///
/// When the server does not accept, answers something else than HTTP/1.1, or is silent for 5 s. Not for a status other than 200.
pub fn get(server: SocketAddr, path: &str) -> Result<Answer> {
    exchange(server, "GET", path)
}

/// Sends `POST path` with an empty body; otherwise as [`get`].
///
/// # Errors
///
/// As [`get`].
pub fn post(server: SocketAddr, path: &str) -> Result<Answer> {
    exchange(server, "POST", path)
}

fn exchange(server: SocketAddr, method: &str, path: &str) -> Result<Answer> {
    let say = |what: &str| Error::new(format!("{method} http://{server}{path}: {what}"));
    transfer(server, method, path)
        .map_err(|error| say(&error.to_string()))?
        .ok_or_else(|| say("the answer is not whole or not HTTP/1.1"))
}

fn transfer(server: SocketAddr, method: &str, path: &str) -> std::io::Result<Option<Answer>> {
    let mut stream = TcpStream::connect_timeout(&server, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    let head = format!("{method} {path} HTTP/1.1\r\nhost: {server}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let read = stream.read(&mut buffer)?;
        bytes.extend_from_slice(&buffer[..read]);
        // Not only at the end: after an answer of its own Envoy keeps the connection open for another second.
        let answer = parse(&bytes, read == 0);
        if answer.is_some() || read == 0 {
            return Ok(answer);
        }
    }
}

/// The answer in `bytes`, if it is whole; `closed` says that no more will come.
fn parse(bytes: &[u8], closed: bool) -> Option<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let status = head.strip_prefix("http/1.1 ")?.get(..3)?.parse().ok()?;
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    let rest = &bytes[end + 4..];
    let body = match (header("transfer-encoding"), header("content-length")) {
        (Some(coding), _) if coding.ends_with("chunked") => unchunk(rest)?,
        (_, Some(length)) => rest.get(..length.parse().ok()?)?.to_vec(),
        _ => closed.then(|| rest.to_vec())?,
    };
    Some(Answer { status, body: String::from_utf8_lossy(&body).into_owned() })
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        let chunk = rest.get(end + 2..)?;
        body.extend_from_slice(chunk.get(..size)?);
        rest = chunk.get(size + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunked_body_is_put_together() {
        let bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n";
        assert_eq!(parse(bytes, false), Some(Answer { status: 200, body: "abc0123456789".into() }));
        assert_eq!(parse(&bytes[..bytes.len() - 8], true), None);
    }

    #[test]
    fn a_body_of_known_length_needs_no_end_of_the_connection() {
        let bytes = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 3\r\n\r\nnot";
        assert_eq!(parse(bytes, false), Some(Answer { status: 503, body: "not".into() }));
        assert_eq!(parse(&bytes[..bytes.len() - 1], true), None);
    }

    #[test]
    fn a_body_of_unknown_length_goes_to_the_end_of_the_connection() {
        let bytes = b"HTTP/1.1 200 OK\r\nserver: envoy\r\n\r\nLIVE";
        assert_eq!(parse(bytes, false), None);
        assert_eq!(parse(bytes, true), Some(Answer { status: 200, body: "LIVE".into() }));
    }

    #[test]
    fn what_is_no_http_is_no_answer() {
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\nserver", true), None);
        assert_eq!(parse(b"SSH-2.0-OpenSSH\r\n\r\n", true), None);
    }
}
