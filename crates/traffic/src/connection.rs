//! Sends requests on one connection and reads the answers.
//!
//! This is not an HTTP library because a client must know whether a byte of the answer had come before the connection ended.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::answer::{self, Answer};

/// A connection to a listener.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
    /// The number of answers on this connection.
    pub(crate) answered: u32,
}

/// The reason for a missing answer.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The connection ended before any byte of the answer. The client can send an idempotent request again (RFC 9112, section 9.3.1).
    BeforeTheAnswer,
    /// The connection ended inside the answer.
    InsideTheAnswer,
    /// The received bytes are not an answer.
    NotHttp(String),
}

impl Connection {
    pub(crate) async fn open(listener: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(listener).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(1024), answered: 0 })
    }

    /// True if this side knows that the other side has closed the connection.
    pub(crate) fn has_ended(&self) -> bool {
        // Between answers there must be nothing to read. A stray byte counts as an end too.
        !matches!(self.stream.try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Sends a request and reads the answer to its last byte.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Answer, Broken> {
        self.received.clear();
        // A write error is ignored: the server can have answered before it refused the rest of the request.
        let _ = self.stream.write_all(request).await;
        let mut answer = None;
        loop {
            if answer.is_none() {
                answer = answer::parse(&self.received).map_err(Broken::NotHttp)?;
            }
            if let Some(answer) = answer.take_if(|answer| answer.length <= self.received.len()) {
                if answer.length < self.received.len() {
                    return Err(Broken::NotHttp("more bytes than the answer has".to_owned()));
                }
                self.answered += 1;
                return Ok(answer);
            }
            match self.stream.read_buf(&mut self.received).await {
                Ok(1..) => (),
                Ok(0) | Err(_) if self.received.is_empty() => return Err(Broken::BeforeTheAnswer),
                Ok(0) | Err(_) => return Err(Broken::InsideTheAnswer),
            }
        }
    }
}
