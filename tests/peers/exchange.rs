//! Sends a request on a connection of its own and reads the response.
//!
//! The client is hyper's, because scenarios speak HTTP/2 and gRPC, read trailers, and act between the head and the body of a
//! response.

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

/// The limit for a response, with its body.
const PATIENCE: Duration = Duration::from_secs(15);

/// A request.
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

/// A response, whose body was read and dropped.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: HeaderMap,
}

impl Message {
    /// Sends the request and waits for the whole response. `head` gets a message when the head has arrived.
    ///
    /// # Errors
    ///
    /// When there is no response, or only a part of one.
    pub(crate) fn send(&self, head: Option<&mpsc::Sender<()>>) -> Result<Response, String> {
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

    async fn read(&self, response: hyper::Response<Incoming>) -> Result<Response, String> {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(say)?;
        let grpc_status = body.trailers().or(Some(&parts.headers)).and_then(|trailers| trailers.get("grpc-status"));
        if self.protocol == Protocol::Grpc && grpc_status.is_none_or(|status| status != "0") {
            return Err(format!("the call ended with grpc-status {grpc_status:?}"));
        }
        Ok(Response { status: parts.status.as_u16(), headers: parts.headers })
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

impl Response {
    /// The values of a header.
    pub(crate) fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = String> + use<'a> {
        self.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    /// The backend that sent it; `None` when the proxy itself answered.
    pub(crate) fn backend(&self) -> Option<String> {
        self.all(BACKEND).next()
    }

    /// The connection between the proxy and the backend.
    pub(crate) fn connection(&self) -> Option<String> {
        self.all(CONNECTION).next()
    }

    /// The `Cookie` fields that the backend received.
    pub(crate) fn got_cookies(&self) -> Vec<String> {
        self.all(GOT).collect()
    }

    /// The `Set-Cookie` lines that the proxy added to those of the backend.
    pub(crate) fn lines_of_proxy(&self) -> Vec<String> {
        let own: Vec<String> = self.all(OWN).collect();
        self.all("set-cookie").filter(|line| !own.contains(line)).collect()
    }
}
