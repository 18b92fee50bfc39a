//! The clients: a request on a connection of its own, and a jar for what comes back.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{HeaderMap, Method, Request};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::backends::{BACKEND, CONNECTION, GOT, OWN};
use crate::runtime::runtime;

/// For an answer, its body included.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is sent.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) to: SocketAddr,
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) protocol: Protocol,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
    Grpc,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    headers: HeaderMap,
}

/// A cookie of a jar.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cookie {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) value: String,
    /// Whether the proxy gave it, and not a backend.
    pub(crate) of_proxy: bool,
}

/// What a client keeps. It has no clock: whether a cookie is too old is for the proxy to say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Jar {
    pub(crate) cookies: Vec<Cookie>,
}

impl Message {
    /// Sends it and waits for the whole answer; `head` is told when its head is there.
    ///
    /// # Errors
    ///
    /// When there is no answer, or only a part of one.
    pub(crate) fn send(&self, head: Option<&mpsc::Sender<()>>) -> Result<Answered, String> {
        let exchange = async {
            let connection = TokioIo::new(TcpStream::connect(self.to).await.map_err(|error| error.to_string())?);
            let response = match self.protocol {
                Protocol::Http1 => {
                    let (mut sender, driver) = hyper::client::conn::http1::handshake(connection).await.map_err(say)?;
                    tokio::spawn(driver);
                    sender.send_request(self.request(&self.path)?).await
                }
                Protocol::Http2 | Protocol::Grpc => {
                    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), connection);
                    let (mut sender, driver) = handshake.await.map_err(say)?;
                    tokio::spawn(driver);
                    sender.send_request(self.request(&format!("http://test{}", self.path))?).await
                }
            };
            let response = response.map_err(say)?;
            if let Some(head) = head {
                let _ = head.send(());
            }
            self.read(response).await
        };
        let answer = runtime().block_on(async { timeout(PATIENCE, exchange).await });
        answer.unwrap_or_else(|_| Err(format!("there was no whole answer within {PATIENCE:?}")))
    }

    async fn read(&self, response: hyper::Response<Incoming>) -> Result<Answered, String> {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(say)?;
        let grpc_status = body.trailers().or(Some(&parts.headers)).and_then(|trailers| trailers.get("grpc-status"));
        if self.protocol == Protocol::Grpc && grpc_status.is_none_or(|status| status != "0") {
            return Err(format!("the call ended with grpc-status {grpc_status:?}"));
        }
        Ok(Answered { status: parts.status.as_u16(), headers: parts.headers })
    }

    fn request(&self, uri: &str) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::builder().method(self.method.clone()).uri(uri);
        if self.protocol == Protocol::Http1 {
            request = request.header("host", "test");
        }
        let mut body = Bytes::new();
        if self.protocol == Protocol::Grpc {
            request = request.header("content-type", "application/grpc").header("te", "trailers");
            body = Bytes::from_static(&[0; 5]);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(Full::new(body)).map_err(|error| error.to_string())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn say(error: hyper::Error) -> String {
    format!("{error:?}")
}

impl Answered {
    /// The values of a header.
    pub(crate) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = String> + use<'a> {
        self.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    /// The backend that it comes from, if not from the proxy itself.
    pub(crate) fn backend(&self) -> Option<String> {
        self.all(BACKEND).next()
    }

    /// The connection over which the backend was asked.
    pub(crate) fn connection(&self) -> Option<String> {
        self.all(CONNECTION).next()
    }

    /// The `Cookie` fields that the backend got.
    pub(crate) fn got_cookies(&self) -> Vec<String> {
        self.all(GOT).collect()
    }

    /// The lines of cookies that are the proxy's and not the backend's own.
    pub(crate) fn lines_of_proxy(&self) -> Vec<String> {
        let own: Vec<String> = self.all(OWN).collect();
        self.all("set-cookie").filter(|line| !own.contains(line)).collect()
    }
}

impl Cookie {
    /// As a `Set-Cookie` line gives it to who asked for this path.
    fn parse(line: &str, of_proxy: bool) -> Option<Self> {
        let (name, value) = line.split(';').next()?.split_once('=')?;
        let path = attribute(line, "path").filter(|path| path.starts_with('/')).unwrap_or_else(|| "/".to_owned());
        Some(Self { name: name.trim().to_owned(), path, value: value.trim().to_owned(), of_proxy })
    }
}

impl Jar {
    /// Keeps the cookies of an answer, and drops those that it takes back.
    pub(crate) fn keep(&mut self, answered: &Answered) {
        self.keep_those(answered, |_| true);
    }

    /// As [`Jar::keep`], but for those that are a backend's own.
    pub(crate) fn keep_of_proxy(&mut self, answered: &Answered) {
        self.keep_those(answered, |cookie| cookie.of_proxy);
    }

    fn keep_those(&mut self, answered: &Answered, wanted: impl Fn(&Cookie) -> bool) {
        let own: BTreeSet<String> = answered.all(OWN).collect();
        for line in answered.all("set-cookie") {
            let Some(cookie) = Cookie::parse(&line, !own.contains(&line)).filter(&wanted) else { continue };
            self.cookies.retain(|kept| (&kept.name, &kept.path) != (&cookie.name, &cookie.path));
            if !is_over(&line) {
                self.cookies.push(cookie);
            }
        }
    }

    /// The pairs of what is sent to this path, with this value instead of those that the proxy gave.
    pub(crate) fn pairs(&self, path: &str, spoilt: Option<&str>) -> Vec<String> {
        let fits = |cookie: &&Cookie| {
            let folder = cookie.path.trim_end_matches('/');
            path == cookie.path
                || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
        };
        let value = |cookie: &Cookie| spoilt.filter(|_| cookie.of_proxy).unwrap_or(&cookie.value).to_owned();
        self.cookies.iter().filter(fits).map(|cookie| format!("{}={}", cookie.name, value(cookie))).collect()
    }

    /// Has this cookie from now on, as if the proxy had given it.
    pub(crate) fn set(&mut self, pair: &str) {
        self.cookies.extend(Cookie::parse(pair, true));
    }

    /// The cookies that the proxy gave.
    pub(crate) fn of_proxy(&self) -> Self {
        Self { cookies: self.cookies.iter().filter(|cookie| cookie.of_proxy).cloned().collect() }
    }
}

/// The attributes of a line, their names in lower case.
pub(crate) fn attributes(line: &str) -> impl Iterator<Item = (String, String)> {
    line.split(';').skip(1).filter(|part| !part.trim().is_empty()).map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (name.trim().to_ascii_lowercase(), value.trim().to_owned())
    })
}

fn attribute(line: &str, name: &str) -> Option<String> {
    attributes(line).find_map(|(present, value)| (present == name).then_some(value))
}

/// Seconds from now until a line says that the cookie is over.
pub(crate) fn seconds_left(line: &str) -> Option<i64> {
    if let Some(seconds) = attribute(line, "max-age") {
        return seconds.parse().ok();
    }
    expires(line)
}

/// Seconds from now until the date of a line.
pub(crate) fn expires(line: &str) -> Option<i64> {
    // nginx writes the date with dashes.
    let date = httpdate::parse_http_date(&with_long_year(&attribute(line, "expires")?.replace('-', " "))).ok()?;
    let of = |time: std::time::SystemTime| time.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs().try_into().ok();
    let (then, now): (i64, i64) = (of(date)?, of(std::time::SystemTime::now())?);
    then.checked_sub(now)
}

/// `Thu, 31 Dec 37 23:55:55 GMT` with the year in four digits.
fn with_long_year(date: &str) -> String {
    let mut words: Vec<String> = date.split(' ').map(str::to_owned).collect();
    if let Some(year) = words.get_mut(3).filter(|year| year.len() == 2) {
        *year = format!("20{year}");
    }
    words.join(" ")
}

fn is_over(line: &str) -> bool {
    seconds_left(line).is_some_and(|seconds| seconds <= 0)
}
