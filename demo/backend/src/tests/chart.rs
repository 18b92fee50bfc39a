//! Tests the count of requests for the chart.

use axum::http::Method;
use serde_json::{Value, json};

use super::{app, get, log_in, post, send};
use crate::listener::X_DEMO_LISTENER;

/// The requests of the instance on both listeners, from its report.
async fn counted(app: &axum::Router) -> [u64; 2] {
    let report: Value = serde_json::from_str(&get(app, "/report", &[]).await.body).unwrap();
    let seconds = report["requests"].as_object().unwrap();
    ["sticky", "plain"].map(|listener| seconds.values().map(|second| second[listener].as_u64().unwrap()).sum())
}

#[tokio::test]
async fn requests_of_visitors_are_counted_by_listener() {
    let app = app("a");
    get(&app, "/", &[]).await;
    get(&app, "/whoami", &[]).await;
    log_in(&app, "user=alice", &[(X_DEMO_LISTENER, "plain")]).await;
    assert_eq!(counted(&app).await, [2, 1]);
}

#[tokio::test]
async fn health_checks_peers_sockets_and_preflights_are_not_counted() {
    let app = app("a");
    for path in ["/healthz", "/report", "/socket", "/no-such-path"] {
        get(&app, path, &[]).await;
    }
    post(&app, "/healthy").await;
    send(&app, Method::OPTIONS, "/no-such-path", &[], "").await;
    assert_eq!(counted(&app).await, [0, 0]);
}

#[tokio::test]
async fn an_instance_reports_its_health_beside_its_counts() {
    let app = app("a");
    for (path, healthy) in [("/unhealthy", false), ("/healthy", true)] {
        post(&app, path).await;
        let report: Value = serde_json::from_str(&get(&app, "/report", &[]).await.body).unwrap();
        assert_eq!(report["healthy"], json!(healthy));
    }
}
