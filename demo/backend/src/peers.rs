//! Asks the other instances for their reports, and lets them become healthy again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::uri::Authority;
use axum::http::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;
use tokio::time::{self, MissedTickBehavior};

use crate::report::{Entry, Report, State};
use crate::requests::{Requests, now};

/// The time between two requests to a peer.
const INTERVAL: Duration = Duration::from_secs(1);

/// The time limit for the response of a peer.
pub(crate) const LIMIT: Duration = Duration::from_secs(2);

/// The size limit for the response of a peer, in bytes. A minute of counts is far smaller.
const MAX_ANSWER: usize = 64 * 1024;

/// The other instances.
pub(crate) struct Peers(Vec<Arc<Peer>>);

struct Peer {
    name: String,
    address: Authority,
    client: Client<HttpConnector, Body>,
    seen: Mutex<Seen>,
}

/// The last known state of a peer.
struct Seen {
    state: State,
    requests: Requests,
}

/// The reason why a peer did not become healthy.
pub(crate) enum NotBrought {
    /// No peer has this name.
    Unknown,
    /// The request to the peer failed. The reason is a sentence without its full stop.
    Failed(String),
}

impl Peers {
    /// Peers that count as away until they answer.
    pub(crate) fn new(peers: Vec<(String, Authority)>) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let peer = |(name, address)| {
            let seen = Mutex::new(Seen { state: State::Away, requests: Requests::default() });
            Arc::new(Peer { name, address, client: client.clone(), seen })
        };
        Self(peers.into_iter().map(peer).collect())
    }

    /// Asks all peers once per [`INTERVAL`], and never returns.
    pub(crate) async fn watch(&self) {
        let mut ticks = time::interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.ask().await;
        }
    }

    /// Asks all peers once, in parallel.
    pub(crate) async fn ask(&self) {
        let mut asked = JoinSet::new();
        for peer in &self.0 {
            let peer = peer.clone();
            asked.spawn(async move { peer.ask().await });
        }
        asked.join_all().await;
    }

    /// The last known state of each peer.
    pub(crate) fn roster(&self, now: u64) -> impl Iterator<Item = Entry<'_>> {
        self.0.iter().map(move |peer| {
            let seen = peer.seen.lock().unwrap_or_else(PoisonError::into_inner);
            Entry { name: &peer.name, state: seen.state, requests: seen.requests.columns(now) }
        })
    }

    /// True if there are peers, but none is healthy.
    pub(crate) fn none_is_healthy(&self) -> bool {
        let mut states = self.0.iter().map(|peer| peer.seen.lock().unwrap_or_else(PoisonError::into_inner).state);
        !self.0.is_empty() && !states.any(|state| state == State::Healthy)
    }

    /// Tells the peer of this name to call itself healthy.
    pub(crate) async fn bring_back(&self, name: &str) -> Result<(), NotBrought> {
        let peer = self.0.iter().find(|peer| peer.name == name).ok_or(NotBrought::Unknown)?;
        peer.send(Method::POST, "/healthy").await.map(drop).map_err(NotBrought::Failed)
    }

    /// The names of the peers.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|peer| peer.name.as_str())
    }
}

impl Peer {
    async fn ask(&self) {
        let answer = self.send(Method::GET, "/report").await.ok();
        let report = answer.and_then(|body| serde_json::from_slice::<Report>(&body).ok());
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.state = match &report {
            Some(Report { healthy: true, .. }) => State::Healthy,
            Some(_) => State::Unhealthy,
            None => State::Away,
        };
        if let Some(report) = report {
            seen.requests.update(report.requests, now());
        }
    }

    /// The body of a response with status 200, or the problem.
    async fn send(&self, method: Method, path: &str) -> Result<Bytes, String> {
        let place = format!("instance {} at {}", self.name, self.address);
        let exchange = async {
            let uri = format!("http://{}{path}", self.address);
            let request = Request::builder().method(method).uri(uri).body(Body::empty()).map_err(|e| e.to_string())?;
            let response = self.client.request(request).await.map_err(|_| format!("{place} does not answer"))?;
            if response.status() != StatusCode::OK {
                return Err(format!("{place} answers with {}", response.status()));
            }
            let body = Body::new(response.into_body());
            to_bytes(body, MAX_ANSWER).await.map_err(|error| format!("{place} breaks off its answer: {error}"))
        };
        let late = |_| format!("{place} does not answer within {} s", LIMIT.as_secs());
        time::timeout(LIMIT, exchange).await.map_err(late)?
    }
}
