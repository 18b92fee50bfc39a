//! The outcome of the sessions and their requests.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// The events of a crowd since its start.
///
/// Every sent request is answered, refused, lost or in flight: `sent` is the sum of the four.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// The number of sent requests. A request that was sent again counts once.
    pub sent: u64,
    /// The number of requests that a target answered with 2xx.
    pub answered: u64,
    /// The number of requests that a target answered with another status, by status. They are answers of the application, not losses.
    pub refused: BTreeMap<u16, u64>,
    /// The number of requests that were sent again on a new connection, because the kept connection closed before any byte of the
    /// answer.
    pub repeated: u64,
    /// The sessions that another target answered than before.
    pub moved: Vec<Moved>,
    /// The requests that no target answered.
    pub lost: Vec<Lost>,
    /// The number of requests in flight.
    pub in_flight: u64,
    /// The number of opened connections.
    pub connections: u64,
}

/// A session that another target answered than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Its number, from 0.
    pub session: usize,
    /// The target that answered it before.
    pub from: Arc<str>,
    /// The target that answers it now.
    pub to: Arc<str>,
    /// The time at which its request was sent.
    pub sent: Instant,
    /// The time at which the answer came.
    pub ended: Instant,
}

/// A request that no target answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The number of its session, from 0.
    pub session: usize,
    /// The target that had answered the session before.
    pub pin: Option<Arc<str>>,
    /// The reason.
    pub loss: Loss,
    /// The time at which it was sent.
    pub sent: Instant,
    /// The time at which the client gave up.
    pub ended: Instant,
}

/// The reason for which a client got no answer of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The connection was refused.
    Refused,
    /// A connection that was opened for this request ended before any byte of the answer.
    Reset,
    /// The answer did not come, or not completely, within the time limit.
    Timeout,
    /// The connection ended inside the answer.
    Truncated,
    /// The load balancer itself answered, with this status.
    Status(u16),
    /// The received bytes are not HTTP.
    NotHttp(String),
}

impl Tally {
    /// The number of lost requests, by reason.
    pub fn losses(&self) -> BTreeMap<String, u64> {
        self.lost.iter().fold(BTreeMap::new(), |mut losses, lost| {
            *losses.entry(lost.loss.to_string()).or_default() += 1;
            losses
        })
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sent, answered, refused, repeated, in_flight, connections, .. } = self;
        write!(
            f,
            "sent {sent}, answered {answered}, refused {refused:?}, repeated {repeated}, in flight {in_flight}, "
        )?;
        write!(f, "moved {}, lost {} {:?}, connections {connections}", self.moved.len(), self.lost.len(), self.losses())
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("connection refused"),
            Self::Reset => f.write_str("reset"),
            Self::Timeout => f.write_str("timeout"),
            Self::Truncated => f.write_str("truncated"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::NotHttp(why) => f.write_str(why),
        }
    }
}
