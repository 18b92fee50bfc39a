//! Logs visitors in and out, and answers curl, forms without a script, and the script of the page.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Form, State};
use axum::http::header::{ACCEPT, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_sessions::{Session, session};

use crate::instance::Instance;
use crate::login::{LOGIN, Login, check_user};
use crate::visitor::Visitor;

/// The form of a login.
#[derive(Deserialize)]
pub(crate) struct LoginForm {
    // A missing field gets the same answer as an empty one.
    #[serde(default)]
    user: String,
}

/// `GET /whoami`.
pub(crate) async fn whoami(
    State(instance): State<Arc<Instance>>,
    session: Session,
    headers: HeaderMap,
) -> Result<Response, SessionFailed> {
    let visitor = instance.visitor(&session).await?;
    if wants_json(&headers) {
        return Ok(Json(whoami_json(&instance, &visitor)).into_response());
    }
    Ok(match visitor.user() {
        Some(user) => format!("instance {}, user {user}\n", instance.name),
        None => format!("instance {}, nobody is logged in\n", instance.name),
    }
    .into_response())
}

/// `POST /login` starts a session with a user.
pub(crate) async fn login(
    State(instance): State<Arc<Instance>>,
    session: Session,
    headers: HeaderMap,
    Form(form): Form<LoginForm>,
) -> Result<Response, SessionFailed> {
    match check_user(&form.user) {
        Ok(user) => begin(&instance, &session, &headers, Some(user)).await,
        Err(problem) => Ok((StatusCode::UNPROCESSABLE_ENTITY, problem).into_response()),
    }
}

/// `POST /session` starts a session even without a user, so that the application sets its cookie.
pub(crate) async fn open_session(
    State(instance): State<Arc<Instance>>,
    session: Session,
    headers: HeaderMap,
    Form(form): Form<LoginForm>,
) -> Result<Response, SessionFailed> {
    let user = match check_user(&form.user) {
        Ok(user) => Some(user),
        Err(_) if form.user.is_empty() => None,
        Err(problem) => return Ok((StatusCode::UNPROCESSABLE_ENTITY, problem).into_response()),
    };
    begin(&instance, &session, &headers, user).await
}

/// `POST /logout`.
pub(crate) async fn logout(
    State(instance): State<Arc<Instance>>,
    session: Session,
    headers: HeaderMap,
) -> Result<Response, SessionFailed> {
    session.flush().await?;
    Ok(answer(&instance, &headers, &Visitor::New))
}

/// Starts a session in the memory of this instance. It replaces the session that the browser had.
async fn begin(
    instance: &Instance,
    session: &Session,
    headers: &HeaderMap,
    user: Option<&str>,
) -> Result<Response, SessionFailed> {
    // A new id: somebody who knew the cookie before the login does not know the new one.
    session.cycle_id().await?;
    let login = user.map(|user| Login { user: user.to_owned() });
    session.insert(LOGIN, &login).await?;
    Ok(answer(instance, headers, &Visitor::Known(login)))
}

fn answer(instance: &Instance, headers: &HeaderMap, visitor: &Visitor) -> Response {
    // After a redirect the script could not see which instance handled the form.
    if wants_json(headers) {
        return Json(whoami_json(instance, visitor)).into_response();
    }
    // Relative, because Envoy may have removed a prefix from the path.
    (StatusCode::SEE_OTHER, [(LOCATION, "./")]).into_response()
}

fn wants_json(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).is_some_and(|accept| accept == "application/json")
}

fn whoami_json(instance: &Instance, visitor: &Visitor) -> Value {
    json!({ "instance": instance.name, "user": visitor.user(), "session": visitor.session() })
}

/// The session store failed. The memory store never does, but its interface allows it.
pub(crate) struct SessionFailed(session::Error);

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
