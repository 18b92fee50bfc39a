//! What Envoy's health checks hear, and who may change it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use crate::instance::{Instance, Report};
use crate::peers::NotBrought;

/// `GET /healthz`, which Envoy asks each second.
pub(crate) async fn check(State(instance): State<Arc<Instance>>) -> (StatusCode, &'static str) {
    if instance.is_healthy() { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "unhealthy") }
}

/// `GET /report`, which the peers ask each second.
pub(crate) async fn report(State(instance): State<Arc<Instance>>) -> Json<Report> {
    Json(instance.report())
}

/// `POST /healthy`.
pub(crate) async fn become_healthy(State(instance): State<Arc<Instance>>) -> String {
    instance.set_healthy(true);
    format!("instance {} calls itself healthy from now on\n", instance.name)
}

/// `POST /unhealthy`. The last healthy instance refuses: Envoy would have nobody left to ask, nor to ask for a way back.
pub(crate) async fn become_unhealthy(State(instance): State<Arc<Instance>>) -> (StatusCode, String) {
    let name = &instance.name;
    instance.peers.ask().await;
    if instance.is_healthy() && instance.peers.none_is_healthy() {
        let problem = format!("instance {name} is the only healthy one: bring another one back first\n");
        return (StatusCode::CONFLICT, problem);
    }
    instance.set_healthy(false);
    (StatusCode::OK, format!("instance {name} calls itself unhealthy from now on\n"))
}

/// `POST /instances/NAME/healthy`: an unhealthy instance gets no requests from Envoy, so another one tells it.
pub(crate) async fn bring_back(
    State(instance): State<Arc<Instance>>,
    Path(name): Path<String>,
) -> (StatusCode, String) {
    if name == instance.name {
        return (StatusCode::OK, become_healthy(State(instance)).await);
    }
    match instance.peers.bring_back(&name).await {
        Ok(()) => (StatusCode::OK, format!("instance {name} calls itself healthy from now on\n")),
        Err(NotBrought::Failed(problem)) => (StatusCode::BAD_GATEWAY, format!("{problem}: is it running?\n")),
        Err(NotBrought::Unknown) => {
            let known: Vec<_> = instance.peers.names().chain([instance.name.as_str()]).collect();
            (StatusCode::NOT_FOUND, format!("no instance is named {name:?}; there is {}\n", known.join(", ")))
        }
    }
}
