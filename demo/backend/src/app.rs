//! The routes of an instance, and the sessions it keeps in its memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Form, Request, State};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::map_response_with_state;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use tower::ServiceExt;
use tower_sessions::cookie::SameSite;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer, session};

use crate::login::{Login, check_user};
use crate::page::{Listener, Page};

/// Names the instance that answered, in every response.
pub(crate) const X_INSTANCE: HeaderName = HeaderName::from_static("x-instance");

/// Envoy's listener without stickiness says `plain` here.
pub(crate) const X_DEMO_LISTENER: HeaderName = HeaderName::from_static("x-demo-listener");

/// Where a session keeps its [`Login`].
const LOGIN: &str = "login";

/// Everything is inline in the page, so nothing else has to be allowed.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; \
     form-action 'self'; img-src data:; base-uri 'none'",
);

/// What an instance knows besides its sessions.
#[derive(Clone)]
struct Instance {
    name: Arc<str>,
    healthy: Arc<AtomicBool>,
    store: Arc<MemoryStore>,
}

/// An instance with an empty memory. Its name is one that a header can carry.
pub(crate) fn app(name: &str) -> Router {
    let instance = Instance { name: name.into(), healthy: Arc::new(AtomicBool::new(true)), store: Arc::default() };
    let routes = Router::new()
        .route("/", get(show_page))
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/whoami", get(whoami))
        .route("/healthz", get(health))
        .route("/healthy", post(become_healthy))
        .route("/unhealthy", post(become_unhealthy))
        .with_state(instance.clone());

    // Browsers keep one cookie jar for all ports of a host: under one name the listeners would share a session.
    let sticky = routes.clone().layer(sessions(&instance, "demo_session"));
    let plain = routes.layer(sessions(&instance, "demo_session_plain"));
    Router::new()
        .fallback(async |request: Request| {
            let chosen = match listener(request.headers()) {
                Listener::Sticky => sticky,
                Listener::Plain => plain,
            };
            chosen.oneshot(request).await
        })
        .layer(map_response_with_state(instance, sign))
}

fn sessions(instance: &Instance, cookie: &'static str) -> SessionManagerLayer<MemoryStore> {
    SessionManagerLayer::new(instance.store.as_ref().clone())
        .with_name(cookie)
        .with_same_site(SameSite::Lax)
        .with_secure(false) // the demo speaks plain http
}

fn listener(headers: &HeaderMap) -> Listener {
    match headers.get(X_DEMO_LISTENER) {
        Some(value) if value == "plain" => Listener::Plain,
        _ => Listener::Sticky,
    }
}

/// Marks every response, that of an unknown path too, with the instance it came from.
async fn sign(State(instance): State<Instance>, mut response: Response) -> Response {
    if let Ok(name) = HeaderValue::from_str(&instance.name) {
        response.headers_mut().insert(X_INSTANCE, name);
    }
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn show_page(
    State(instance): State<Instance>,
    session: Session,
    headers: HeaderMap,
) -> Result<Response, SessionFailed> {
    let login = instance.login_of(&session).await?;
    let page = Page {
        instance: &instance.name,
        listener: listener(&headers),
        unknown_session: login.is_none() && session.id().is_some(),
        login,
        now: now(),
    };
    Ok(([(CONTENT_SECURITY_POLICY, PAGE_POLICY)], Html(page.render())).into_response())
}

/// One line for curl and for the page's script.
async fn whoami(State(instance): State<Instance>, session: Session) -> Result<String, SessionFailed> {
    let login = instance.login_of(&session).await?;
    Ok(instance.line(login.as_ref()))
}

#[derive(Deserialize)]
struct LoginForm {
    // A missing field gets the same answer as an empty one.
    #[serde(default)]
    user: String,
}

async fn login(
    State(instance): State<Instance>,
    session: Session,
    headers: HeaderMap,
    Form(form): Form<LoginForm>,
) -> Result<Response, SessionFailed> {
    let user = match check_user(&form.user) {
        Ok(user) => user.to_owned(),
        Err(problem) => return Ok((StatusCode::UNPROCESSABLE_ENTITY, problem).into_response()),
    };
    let login = Login { user, since: now() };
    // Whoever knew the cookie before the login does not know it afterwards.
    session.cycle_id().await?;
    session.insert(LOGIN, &login).await?;
    // The page's script asks for text: behind a redirect it could not see which instance took the login.
    if headers.get(ACCEPT).is_some_and(|accept| accept == "text/plain") {
        return Ok(instance.line(Some(&login)).into_response());
    }
    Ok(to_page())
}

async fn logout(session: Session) -> Result<Response, SessionFailed> {
    session.flush().await?;
    Ok(to_page())
}

/// A redirect that the browser follows with GET.
fn to_page() -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, "/")]).into_response()
}

async fn health(State(instance): State<Instance>) -> (StatusCode, &'static str) {
    if instance.healthy.load(Ordering::Relaxed) {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unhealthy")
    }
}

async fn become_healthy(State(instance): State<Instance>) -> String {
    instance.healthy.store(true, Ordering::Relaxed);
    format!("instance {} calls itself healthy from now on\n", instance.name)
}

async fn become_unhealthy(State(instance): State<Instance>) -> String {
    instance.healthy.store(false, Ordering::Relaxed);
    format!("instance {} calls itself unhealthy from now on\n", instance.name)
}

impl Instance {
    /// Looks the session up without touching it.
    ///
    /// A `Session` that finds nothing in its store deletes the browser's cookie. Here the other instance may know it,
    /// and the login is to be seen again when that one answers.
    async fn login_of(&self, session: &Session) -> Result<Option<Login>, session::Error> {
        Session::new(session.id(), self.store.clone(), None).get(LOGIN).await
    }

    fn line(&self, login: Option<&Login>) -> String {
        match login {
            Some(login) => format!("instance {}, user {}\n", self.name, login.user),
            None => format!("instance {}, nobody is logged in\n", self.name),
        }
    }
}

/// Seconds since 1970; 0 on a machine whose clock is before that.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

/// The store failed. A memory store does not, but its interface says it may.
struct SessionFailed(session::Error);

impl From<session::Error> for SessionFailed {
    fn from(error: session::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for SessionFailed {
    fn into_response(self) -> Response {
        let problem = format!("The session could not be read or written: {}.\n", self.0);
        (StatusCode::INTERNAL_SERVER_ERROR, problem).into_response()
    }
}
