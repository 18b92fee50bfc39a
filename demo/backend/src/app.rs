//! The routes of an instance.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use tower::ServiceExt;
use tower_sessions::cookie::SameSite;
use tower_sessions::{MemoryStore, SessionManagerLayer};

use crate::instance::Instance;
use crate::listener::Listener;
use crate::{account, cors, document, health, socket};

/// The response header with the name of the instance that answered.
pub(crate) const X_INSTANCE: HeaderName = HeaderName::from_static("x-instance");

/// All routes, with sessions for each listener.
pub(crate) fn app(instance: Arc<Instance>) -> Router {
    let routes = visits(&instance).merge(others()).with_state(instance.clone());
    let sticky = routes.clone().layer(sessions(&instance, Listener::Sticky));
    let plain = routes.layer(sessions(&instance, Listener::Plain));
    Router::new()
        .fallback(async |request: Request| {
            let chosen = match Listener::of(request.headers()) {
                Listener::Sticky => sticky,
                Listener::Plain => plain,
            };
            chosen.oneshot(request).await
        })
        .layer(from_fn(cors::allow_own_host))
        .layer(map_response_with_state(instance, sign))
}

/// The routes of visitors. The chart counts their requests.
fn visits(instance: &Arc<Instance>) -> Router<Arc<Instance>> {
    Router::new()
        .route("/", get(document::show))
        .route("/whoami", get(account::whoami))
        .route("/login", post(account::login))
        .route("/session", post(account::open_session))
        .route("/logout", post(account::logout))
        .route("/unhealthy", post(health::become_unhealthy))
        .route("/instances/{name}/healthy", post(health::bring_back))
        .route_layer(from_fn_with_state(instance.clone(), count))
}

/// The routes of Envoy and the peers, and the socket of the page.
fn others() -> Router<Arc<Instance>> {
    Router::new()
        .route("/healthz", get(health::check))
        .route("/report", get(health::report))
        .route("/healthy", post(health::become_healthy))
        .route("/socket", get(socket::open))
}

async fn count(State(instance): State<Arc<Instance>>, request: Request, next: Next) -> Response {
    instance.count(Listener::of(request.headers()));
    next.run(request).await
}

fn sessions(instance: &Instance, listener: Listener) -> SessionManagerLayer<MemoryStore> {
    SessionManagerLayer::new(instance.store.clone())
        .with_name(listener.session_cookie())
        .with_same_site(SameSite::Lax)
        .with_secure(false) // the demo speaks plain http
}

/// Adds the name of the instance to every response, also for an unknown path.
async fn sign(State(instance): State<Arc<Instance>>, mut response: Response) -> Response {
    if let Ok(name) = HeaderValue::from_str(&instance.name) {
        response.headers_mut().insert(X_INSTANCE, name);
    }
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
