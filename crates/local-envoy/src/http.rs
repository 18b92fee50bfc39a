//! Sends one request to an HTTP server on this machine.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use ureq::{Agent, Body};

use crate::{Error, Result};

/// The time for the whole exchange.
const LIMIT: Duration = Duration::from_secs(5);

/// An answer without its headers.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status, 100 to 599.
    pub status: u16,
    /// The body; bytes that are not UTF-8 are replaced.
    pub body: String,
}

/// Sends `GET path` on a connection of its own. `path` must be encoded already.
///
/// # Errors
///
/// When the server does not accept the connection, answers something other than HTTP, or needs more than 5 s. A status other than
/// 200 is not an error.
pub fn get(server: SocketAddr, path: &str) -> Result<Answer> {
    exchange("GET", server, path, |url| agent().get(url).call())
}

/// Sends `POST path` with an empty body; otherwise as [`get`].
///
/// # Errors
///
/// Those of [`get`].
pub fn post(server: SocketAddr, path: &str) -> Result<Answer> {
    exchange("POST", server, path, |url| agent().post(url).send_empty())
}

fn exchange(
    method: &str,
    server: SocketAddr,
    path: &str,
    send: impl FnOnce(&str) -> std::result::Result<ureq::http::Response<Body>, ureq::Error>,
) -> Result<Answer> {
    let url = format!("http://{server}{path}");
    let answer = || {
        let mut response = send(&url)?;
        // Unlike `Body::read_to_vec` this has no limit of 10 MB.
        let body = response.body_mut().with_config().read_to_vec()?;
        Ok(Answer { status: response.status().as_u16(), body: String::from_utf8_lossy(&body).into_owned() })
    };
    answer().map_err(|error: ureq::Error| Error::new(format!("{method} {url}: {error}")))
}

fn agent() -> &'static Agent {
    static AGENT: OnceLock<Agent> = OnceLock::new();
    AGENT.get_or_init(|| {
        Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(0)
            // A proxy of the environment does not reach this machine's loopback.
            .proxy(None)
            .timeout_global(Some(LIMIT))
            .build()
            .into()
    })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// The answer of a server that sends these bytes. It closes the connection after them, or keeps it open for a minute.
    fn get_from(bytes: &'static [u8], closes: bool) -> Result<Answer> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let request = BufReader::new(stream.try_clone().unwrap()).lines();
            request.map(std::result::Result::unwrap).take_while(|line| !line.is_empty()).for_each(drop);
            stream.write_all(bytes).unwrap();
            if !closes {
                thread::sleep(Duration::from_mins(1));
            }
        });
        get(server, "/x")
    }

    #[test]
    fn a_chunked_body_is_put_together() {
        let whole = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n";
        assert_eq!(get_from(whole, false), Ok(Answer { status: 200, body: "abc0123456789".into() }));
        assert!(get_from(&whole[..whole.len() - 8], true).is_err());
    }

    #[test]
    fn a_body_of_known_length_needs_no_end_of_the_connection() {
        let whole = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 3\r\n\r\nnot";
        assert_eq!(get_from(whole, false), Ok(Answer { status: 503, body: "not".into() }));
        assert!(get_from(&whole[..whole.len() - 1], true).is_err());
    }

    #[test]
    fn a_body_of_unknown_length_goes_to_the_end_of_the_connection() {
        let whole = b"HTTP/1.1 200 OK\r\nserver: envoy\r\n\r\nLIV\xff";
        assert_eq!(get_from(whole, true), Ok(Answer { status: 200, body: "LIV\u{fffd}".into() }));
    }

    #[test]
    fn bytes_that_are_no_http_are_an_error() {
        assert!(get_from(b"HTTP/1.1 200 OK\r\nserver", true).is_err());
        assert!(get_from(b"SSH-2.0-OpenSSH\r\n\r\n", true).is_err());
    }

    #[test]
    fn an_error_names_the_request() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = post(closed, "/ready").unwrap_err().to_string();
        assert!(error.starts_with(&format!("POST http://{closed}/ready: ")), "{error}");
    }
}
