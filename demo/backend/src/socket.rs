//! Serves the WebSocket of the page: every second it sends the state of all instances.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::time;
use tower_sessions::Session;

use crate::account::SessionFailed;
use crate::instance::Instance;
use crate::report::Entry;
use crate::visitor::Visitor;

const INTERVAL: Duration = Duration::from_secs(1);

/// One message of the socket.
#[derive(Serialize)]
struct News<'a> {
    /// The instance that holds the socket.
    instance: &'a str,
    /// The logged-in user at the time when the socket was opened.
    user: Option<&'a str>,
    /// The state of the session at that time.
    session: &'a str,
    /// All instances.
    instances: Vec<Entry<'a>>,
}

/// `GET /socket`.
pub(crate) async fn open(
    State(instance): State<Arc<Instance>>,
    session: Session,
    upgrade: WebSocketUpgrade,
) -> Result<Response, SessionFailed> {
    let visitor = instance.visitor(&session).await?;
    Ok(upgrade.on_upgrade(|socket| tell(instance, visitor, socket)).into_response())
}

/// Sends the first message at once, and then one every second until the browser disconnects.
async fn tell(instance: Arc<Instance>, visitor: Visitor, mut socket: WebSocket) {
    let mut ticks = time::interval(INTERVAL);
    loop {
        tokio::select! {
            _ = ticks.tick() => {
                let news = News {
                    instance: &instance.name,
                    user: visitor.user(),
                    session: visitor.session(),
                    instances: instance.roster(),
                };
                let Ok(text) = serde_json::to_string(&news) else { return };
                if socket.send(Message::Text(text.into())).await.is_err() {
                    return;
                }
            }
            // Reading answers pings and notices the end.
            message = socket.recv() => {
                if !matches!(message, Some(Ok(_))) {
                    return;
                }
            }
        }
    }
}
