//! What has become of the sessions and their requests?

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

/// What has happened to a crowd, all of it or since a [`Mark`].
///
/// Every request that was sent is answered, lost or in flight: of a whole tally `sent` is the sum of `answered`, of `refused`,
/// of `lost` and of `in_flight`.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Requests that were sent; one that was sent again counts once.
    pub sent: u64,
    /// Requests that a target answered with 2xx.
    pub answered: u64,
    /// Requests that a target answered with something else, by status: the application's own word, and no loss.
    pub refused: BTreeMap<u16, u64>,
    /// Requests sent again on a fresh connection, because the one that was kept alive had closed before any byte of the answer.
    pub repeated: u64,
    /// Sessions that another target answered than the one before.
    pub moved: Vec<Moved>,
    /// Requests that no target answered.
    pub lost: Vec<Lost>,
    /// Requests that are under way at this moment.
    pub in_flight: u64,
    /// Connections that were opened.
    pub connections: u64,
}

/// A session that another target answered than the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Its number, from 0.
    pub session: usize,
    /// The target that answered it before.
    pub from: Arc<str>,
    /// The one that answers it now.
    pub to: Arc<str>,
    /// When the request was sent that showed it.
    pub sent: Instant,
    /// When its answer came.
    pub ended: Instant,
}

/// A request that no target answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The number of its session, from 0.
    pub session: usize,
    /// The target that had answered the session before.
    pub pin: Option<Arc<str>>,
    /// What came instead.
    pub loss: Loss,
    /// When it was sent.
    pub sent: Instant,
    /// When it was given up.
    pub ended: Instant,
}

/// What a client got instead of a target's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// No connection.
    Refused,
    /// The connection ended before any byte of the answer, and it had been opened for this request.
    Reset,
    /// Nothing, or not all, in time.
    Timeout,
    /// The connection ended inside the answer.
    Truncated,
    /// An answer of the load balancer's own, with this status.
    Status(u16),
    /// Something that is no HTTP.
    NotHttp(String),
}

/// A moment in the life of a crowd.
#[derive(Clone, Debug)]
pub struct Mark {
    pub(crate) at: Instant,
    pub(crate) tally: Tally,
}

impl Mark {
    /// When it was made.
    pub fn at(&self) -> Instant {
        self.at
    }
}

impl Tally {
    /// The requests lost, by what came instead.
    pub fn losses(&self) -> BTreeMap<String, u64> {
        self.lost.iter().fold(BTreeMap::new(), |mut losses, lost| {
            *losses.entry(lost.loss.to_string()).or_default() += 1;
            losses
        })
    }

    /// What has happened after `earlier`, which is a tally of the same crowd.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let refused = self.refused.iter().map(|(status, count)| {
            let before = earlier.refused.get(status).copied().unwrap_or_default();
            (*status, count - before)
        });
        Self {
            sent: self.sent - earlier.sent,
            answered: self.answered - earlier.answered,
            refused: refused.filter(|(_, count)| *count > 0).collect(),
            repeated: self.repeated - earlier.repeated,
            moved: self.moved[earlier.moved.len()..].to_vec(),
            lost: self.lost[earlier.lost.len()..].to_vec(),
            in_flight: self.in_flight,
            connections: self.connections - earlier.connections,
        }
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
