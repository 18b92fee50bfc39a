//! A DNS server that resolves every name to 127.0.0.1.

use std::net::SocketAddr;

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

use crate::runtime::runtime;

pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    answering: JoinHandle<()>,
}

impl NameServer {
    pub(crate) fn start() -> Self {
        let socket = runtime().block_on(UdpSocket::bind("127.0.0.1:0")).unwrap();
        let address = socket.local_addr().unwrap();
        let answering = runtime().spawn(async move {
            let mut query = [0; 512];
            while let Ok((length, client)) = socket.recv_from(&mut query).await {
                if let Some(answer) = answer(&query[..length]) {
                    let _ = socket.send_to(&answer, client).await;
                }
            }
        });
        Self { address, answering }
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.answering.abort();
    }
}

/// Writes the answer to a query (RFC 1035, section 4.1): the header, the question, and one record if the question is for type
/// A.
fn answer(query: &[u8]) -> Option<Vec<u8>> {
    let (header, rest) = query.split_at_checked(12)?;
    // The labels, the root, and then the type and the class.
    let end = rest.iter().position(|byte| *byte == 0)?.checked_add(5)?;
    let question = rest.get(..end)?;
    let is_a = question.ends_with(&[0, 1, 0, 1]);
    let mut answer = header[..2].to_vec();
    // The flags of an authoritative answer without an error, one question, and one record or none.
    answer.extend([0x85, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
    answer.extend(question);
    if is_a {
        // The name of the question, type A, class IN, a second to live, four bytes.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1]);
    }
    Some(answer)
}
