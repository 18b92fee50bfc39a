//! The page's socket: which instance holds it, and each second what that one knows of all instances.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::time;
use tower_sessions::Session;

use crate::account::SessionFailed;
use crate::instance::{Entry, Instance};
use crate::visitor::Visitor;

const INTERVAL: Duration = Duration::from_secs(1);

/// One message of the socket.
#[derive(Serialize)]
struct News<'a> {
    /// The instance that holds the socket.
    instance: &'a str,
    /// Who the browser was to it when it opened the socket.
    user: Option<&'a str>,
    /// What became of the session then.
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

/// Sends the first message at once and then one each second, until the browser is gone.
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
