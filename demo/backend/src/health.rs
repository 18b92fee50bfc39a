//! Answers Envoy's health checks, and changes the health of an instance.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use crate::instance::Instance;
use crate::peers::NotBrought;
use crate::report::Report;

/// `GET /healthz`, which Envoy requests every second.
pub(crate) async fn check(State(instance): State<Arc<Instance>>) -> (StatusCode, &'static str) {
    if instance.is_healthy() { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "unhealthy") }
}

/// `GET /report`, which the peers request every second.
pub(crate) async fn report(State(instance): State<Arc<Instance>>) -> Json<Report> {
    Json(instance.report())
}

/// `POST /healthy`.
pub(crate) async fn become_healthy(State(instance): State<Arc<Instance>>) -> String {
    instance.set_healthy(true);
    format!("instance {} calls itself healthy from now on\n", instance.name)
}

/// `POST /unhealthy`. The last healthy instance refuses, because Envoy could then reach no instance to undo it.
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

/// `POST /instances/NAME/healthy`. Envoy sends no requests to an unhealthy instance, so another instance forwards this one.
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
