//! How do a request and its answer travel on one connection?

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::answer::{self, Answer};

/// A connection to a listener.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
    /// The requests that were answered on it.
    pub(crate) answered: u32,
}

/// How an answer failed to come.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The connection ended before any byte of the answer: a request that may be sent twice may be sent again (RFC 9112 §9.3.1).
    BeforeTheAnswer,
    /// It ended inside the answer.
    InsideTheAnswer,
    /// What came is no answer.
    NotHttp(String),
}

impl Connection {
    pub(crate) async fn open(listener: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(listener).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(1024), answered: 0 })
    }

    /// Whether the other side has closed it, as far as is known by now.
    pub(crate) fn has_ended(&self) -> bool {
        // Between answers there is nothing to read: not even a wrong byte may come.
        !matches!(self.stream.try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    /// Sends a request and reads the answer to its last byte.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Answer, Broken> {
        self.received.clear();
        // Whether it could be sent is seen by what comes back: an answer may be there although the rest was refused.
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
