//! Lets the page of one listener read responses of the other listener, which is another origin: another port of the same host.

use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, HOST, ORIGIN, VARY,
};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::middleware::Next;
use axum::response::Response;

/// Lets pages from any port of the same host read the response and send their cookies.
pub(crate) async fn allow_own_host(request: Request, next: Next) -> Response {
    let origin = own_host_origin(request.headers()).cloned();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("x-instance"));
    }
    response
}

/// The `Origin` of a request, if its host equals the host of the request.
fn own_host_origin(headers: &HeaderMap) -> Option<&HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    let page: Uri = origin.to_str().ok()?.parse().ok()?;
    let host: Authority = headers.get(HOST)?.to_str().ok()?.parse().ok()?;
    (page.scheme().is_some() && page.host() == Some(host.host())).then_some(origin)
}
