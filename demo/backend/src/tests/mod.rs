//! Tests an instance through its requests and responses.

mod account;
mod chart;
mod health;
mod page;
mod pages_of_the_same_host;
mod peers;
mod socket;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, Method, Request, StatusCode};
use tokio::net::TcpListener;
use tower::ServiceExt;

use crate::app::X_INSTANCE;
use crate::instance::Instance;
use crate::listener::{Ports, X_DEMO_LISTENER};
use crate::options::Options;

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: HeaderName) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// The cookie that the browser sends back, without attributes.
    fn cookie(&self) -> &str {
        self.header(SET_COOKIE).split(';').next().unwrap()
    }
}

/// An instance with peers, given by name and address.
fn instance(name: &str, peers: &[(&str, SocketAddr)]) -> Arc<Instance> {
    Arc::new(Instance::new(Options {
        name: name.to_owned(),
        listen: ([127, 0, 0, 1], 0).into(),
        peers: peers.iter().map(|(name, at)| ((*name).to_owned(), at.to_string().parse().unwrap())).collect(),
        ports: Ports { sticky: 20000, plain: 20001 },
    }))
}

/// An instance without peers.
fn app(name: &str) -> Router {
    crate::app::app(instance(name, &[]))
}

/// Serves an instance on its own port until the runtime ends.
async fn serve(instance: &Arc<Instance>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = crate::app::app(instance.clone());
    tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
    address
}

async fn send(app: &Router, method: Method, path: &str, headers: &[(HeaderName, &str)], body: &str) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answer { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

async fn get(app: &Router, path: &str, headers: &[(HeaderName, &str)]) -> Answer {
    send(app, Method::GET, path, headers, "").await
}

async fn post(app: &Router, path: &str) -> Answer {
    send(app, Method::POST, path, &[], "").await
}

/// Posts a form body, such as `user=alice`.
async fn submit(app: &Router, path: &str, form: &str, headers: &[(HeaderName, &str)]) -> Answer {
    let form_type = (CONTENT_TYPE, "application/x-www-form-urlencoded");
    let headers: Vec<_> = headers.iter().cloned().chain([form_type]).collect();
    send(app, Method::POST, path, &headers, form).await
}

async fn log_in(app: &Router, form: &str, headers: &[(HeaderName, &str)]) -> Answer {
    submit(app, "/login", form, headers).await
}

#[tokio::test]
async fn every_answer_names_its_instance_and_is_not_stored() {
    let app = app("a");
    let answers = [
        get(&app, "/", &[]).await,
        get(&app, "/whoami", &[(X_DEMO_LISTENER, "plain")]).await,
        get(&app, "/no-such-path", &[]).await,
        get(&app, "/login", &[]).await,
        get(&app, "/socket", &[]).await,
        log_in(&app, "user=", &[]).await,
        post(&app, "/login").await,
        post(&app, "/logout").await,
    ];
    for answer in answers {
        assert_eq!(answer.header(X_INSTANCE), "a", "{}", answer.status);
        assert_eq!(answer.header(CACHE_CONTROL), "no-store", "{}", answer.status);
    }
}
