//! Tests that only pages of the same host may read responses from another port.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, HOST, ORIGIN, VARY,
};

use super::{app, get, submit};

#[tokio::test]
async fn a_page_of_the_same_host_may_read_the_answer_and_send_its_cookies() {
    let app = app("a");
    for (host, origin) in [
        ("localhost:10001", "http://localhost:10000"),
        ("demo.example", "https://demo.example:10000"),
        ("[::1]:10001", "http://[::1]:10000"),
        ("192.0.2.1:10001", "http://192.0.2.1"),
    ] {
        let answer = get(&app, "/whoami", &[(HOST, host), (ORIGIN, origin)]).await;
        assert_eq!(answer.header(ACCESS_CONTROL_ALLOW_ORIGIN), origin);
        assert_eq!(answer.header(ACCESS_CONTROL_ALLOW_CREDENTIALS), "true");
        assert_eq!(answer.header(ACCESS_CONTROL_EXPOSE_HEADERS), "x-instance");
    }
}

#[tokio::test]
async fn a_page_of_another_host_may_not() {
    let app = app("a");
    for origin in ["http://localhost.example:10000", "http://example:10000", "null", "localhost", "http://"] {
        let answer = get(&app, "/whoami", &[(HOST, "localhost:10001"), (ORIGIN, origin)]).await;
        assert!(!answer.headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN), "{origin}");
        assert!(!answer.headers.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS), "{origin}");
    }
}

#[tokio::test]
async fn a_refused_login_can_be_read_too() {
    let headers = [(HOST, "localhost:10001"), (ORIGIN, "http://localhost:10000")];
    let answer = submit(&app("a"), "/login", "user=", &headers).await;
    assert_eq!(answer.header(ACCESS_CONTROL_ALLOW_ORIGIN), "http://localhost:10000");
}

#[tokio::test]
async fn every_answer_depends_on_the_origin() {
    assert_eq!(get(&app("a"), "/whoami", &[]).await.header(VARY), "origin");
}
