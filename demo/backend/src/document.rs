//! Answers `GET /` with the page and its content security policy.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_SECURITY_POLICY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{Html, IntoResponse, Response};
use tower_sessions::Session;

use crate::account::SessionFailed;
use crate::instance::Instance;
use crate::listener::{Listener, Ports};
use crate::page::Page;
use crate::words::Language;

/// Answers with the whole page.
pub(crate) async fn show(
    State(instance): State<Arc<Instance>>,
    session: Session,
    headers: HeaderMap,
) -> Result<Response, SessionFailed> {
    let visitor = instance.visitor(&session).await?;
    let language = headers.get(ACCEPT_LANGUAGE).and_then(|header| header.to_str().ok());
    let page = Page {
        instance: &instance.name,
        listener: Listener::of(&headers),
        ports: instance.ports,
        visitor: &visitor,
        language: language.map_or(Language::English, Language::preferred),
    };
    let mut response = Html(page.render()).into_response();
    if let Ok(policy) = HeaderValue::from_str(&policy(instance.ports)) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    Ok(response)
}

/// The content security policy: everything is inline in the page, and its script connects only to Envoy's two listeners.
///
/// The policy names each scheme, because `http://*:20000` does not match `https://localhost:20000` in Chromium. In the rules of the
/// policy `http` also matches `https`, but only together with a change of the port from 80 to 443.
fn policy(ports: Ports) -> String {
    let listeners = [ports.sticky, ports.plain].map(|port| {
        let sources = ["http", "https", "ws", "wss"].map(|scheme| format!("{scheme}://*:{port}"));
        sources.join(" ")
    });
    format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self' {}; \
         form-action 'self'; img-src data:; base-uri 'none'",
        listeners.join(" ")
    )
}
