//! The instance as its callers see it: requests in, responses out.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, Method, Request, StatusCode};
use tower::ServiceExt;

use crate::app::{X_DEMO_LISTENER, X_INSTANCE, app};

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: HeaderName) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// What the browser sends back: the cookie without its attributes.
    fn cookie(&self) -> &str {
        self.header(SET_COOKIE).split(';').next().unwrap()
    }
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

/// Logs in with a form body, such as `user=alice`.
async fn log_in(app: &Router, form: &str, headers: &[(HeaderName, &str)]) -> Answer {
    let form_type = (CONTENT_TYPE, "application/x-www-form-urlencoded");
    let headers: Vec<_> = headers.iter().cloned().chain([form_type]).collect();
    send(app, Method::POST, "/login", &headers, form).await
}

#[tokio::test]
async fn an_anonymous_visit_sets_no_cookie() {
    let app = app("a");
    for path in ["/", "/whoami", "/healthz"] {
        assert!(!get(&app, path, &[]).await.headers.contains_key(SET_COOKIE), "{path}");
    }
}

#[tokio::test]
async fn a_login_is_remembered_by_the_instance_that_took_it() {
    let app = app("a");
    let login = log_in(&app, "user=+alice+", &[]).await;
    assert_eq!((login.status, login.header(LOCATION)), (StatusCode::SEE_OTHER, "/"));
    let page = get(&app, "/", &[(COOKIE, login.cookie())]).await.body;
    assert!(page.contains("Logged in as <strong>alice</strong>"), "{page}");
}

#[tokio::test]
async fn another_instance_does_not_know_the_login() {
    let login = log_in(&app("a"), "user=alice", &[]).await;
    let page = get(&app("b"), "/", &[(COOKIE, login.cookie())]).await.body;
    assert!(page.contains("Nobody is logged in"), "{page}");
    assert!(page.contains("a session cookie that instance b has never heard of"), "{page}");
}

#[tokio::test]
async fn another_instance_does_not_delete_the_cookie() {
    let login = log_in(&app("a"), "user=alice", &[]).await;
    let page = get(&app("b"), "/", &[(COOKIE, login.cookie())]).await;
    assert!(!page.headers.contains_key(SET_COOKIE));
}

#[tokio::test]
async fn a_login_on_another_instance_gets_a_session_of_its_own() {
    let first = log_in(&app("a"), "user=alice", &[]).await;
    let second = log_in(&app("b"), "user=alice", &[(COOKIE, first.cookie())]).await;
    assert_ne!(first.cookie(), second.cookie());
}

#[tokio::test]
async fn a_logout_ends_the_session_and_deletes_the_cookie() {
    let app = app("a");
    let login = log_in(&app, "user=alice", &[]).await;
    let cookie = (COOKIE, login.cookie());
    let logout = send(&app, Method::POST, "/logout", std::slice::from_ref(&cookie), "").await;
    assert_eq!((logout.status, logout.header(LOCATION)), (StatusCode::SEE_OTHER, "/"));
    assert!(logout.header(SET_COOKIE).contains("Max-Age=0"));
    assert_eq!(get(&app, "/whoami", &[cookie]).await.body, "instance a, nobody is logged in\n");
}

#[tokio::test]
async fn each_listener_has_a_session_cookie_of_its_own_name() {
    let app = app("a");
    let sticky = log_in(&app, "user=alice", &[]).await;
    let plain = log_in(&app, "user=alice", &[(X_DEMO_LISTENER, "plain")]).await;
    assert!(sticky.cookie().starts_with("demo_session="));
    assert!(plain.cookie().starts_with("demo_session_plain="));
}

#[tokio::test]
async fn a_session_of_one_listener_is_none_on_the_other() {
    let app = app("a");
    let sticky = log_in(&app, "user=alice", &[]).await;
    let plain = get(&app, "/whoami", &[(COOKIE, sticky.cookie()), (X_DEMO_LISTENER, "plain")]).await;
    assert_eq!(plain.body, "instance a, nobody is logged in\n");
}

#[tokio::test]
async fn the_session_cookie_ends_with_the_browser_and_works_over_plain_http() {
    let login = log_in(&app("a"), "user=alice", &[]).await;
    let mut attributes: Vec<_> = login.header(SET_COOKIE).split("; ").skip(1).collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax"]);
}

#[tokio::test]
async fn a_hostile_user_name_is_shown_as_text() {
    let app = app("a");
    let login = log_in(&app, "user=%22%3E%3Cscript%3E%27%26%7B%7Buser%7D%7D", &[]).await;
    let page = get(&app, "/", &[(COOKIE, login.cookie())]).await.body;
    assert!(page.contains("<strong>&quot;&gt;&lt;script&gt;&#39;&amp;{{user}}</strong>"), "{page}");
    assert!(page.contains(r#"data-user="&quot;&gt;&lt;script&gt;&#39;&amp;{{user}}""#), "{page}");
}

#[tokio::test]
async fn a_user_name_of_40_characters_is_taken() {
    let login = log_in(&app("a"), &format!("user={}", "%C3%A9".repeat(40)), &[]).await;
    assert_eq!(login.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_user_name_that_is_too_long_missing_or_not_one_line_is_refused() {
    let too_long = format!("user={}", "x".repeat(41));
    for (form, sentence) in [
        (too_long.as_str(), "A user name has 1 to 40 characters, this one has 41.\n"),
        ("user=++", "A user name has 1 to 40 characters, this one has 0.\n"),
        ("", "A user name has 1 to 40 characters, this one has 0.\n"),
        ("user=a%0Ab", "A user name is one line without control characters.\n"),
    ] {
        let login = log_in(&app("a"), form, &[]).await;
        assert_eq!((login.status, login.body.as_str()), (StatusCode::UNPROCESSABLE_ENTITY, sentence));
        assert!(!login.headers.contains_key(SET_COOKIE));
    }
}

#[tokio::test]
async fn whoami_is_one_line() {
    let app = app("a");
    let login = log_in(&app, "user=alice", &[]).await;
    assert_eq!(get(&app, "/whoami", &[]).await.body, "instance a, nobody is logged in\n");
    assert_eq!(get(&app, "/whoami", &[(COOKIE, login.cookie())]).await.body, "instance a, user alice\n");
}

#[tokio::test]
async fn a_login_that_accepts_text_is_answered_without_a_redirect() {
    let login = log_in(&app("a"), "user=alice", &[(ACCEPT, "text/plain")]).await;
    assert_eq!((login.status, login.body.as_str()), (StatusCode::OK, "instance a, user alice\n"));
    assert!(login.headers.contains_key(SET_COOKIE));
}

#[tokio::test]
async fn every_answer_names_its_instance_and_is_not_stored() {
    let app = app("a");
    let answers = [
        get(&app, "/", &[]).await,
        get(&app, "/whoami", &[(X_DEMO_LISTENER, "plain")]).await,
        get(&app, "/no-such-path", &[]).await,
        get(&app, "/login", &[]).await,
        log_in(&app, "user=", &[]).await,
        post(&app, "/login").await,
        post(&app, "/logout").await,
    ];
    for answer in answers {
        assert_eq!(answer.header(X_INSTANCE), "a", "{}", answer.status);
        assert_eq!(answer.header(CACHE_CONTROL), "no-store", "{}", answer.status);
    }
}

#[tokio::test]
async fn an_instance_is_unhealthy_from_one_post_to_the_other() {
    let app = app("a");
    assert_eq!(get(&app, "/healthz", &[]).await.body, "ok");
    post(&app, "/unhealthy").await;
    assert_eq!(get(&app, "/healthz", &[]).await.status, StatusCode::SERVICE_UNAVAILABLE);
    post(&app, "/healthy").await;
    assert_eq!(get(&app, "/healthz", &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_page_says_which_listener_it_came_through() {
    let app = app("a");
    assert!(get(&app, "/", &[]).await.body.contains("<p class=\"routing\">With stickiness"));
    let plain = get(&app, "/", &[(X_DEMO_LISTENER, "plain")]).await;
    assert!(plain.body.contains("<p class=\"routing\">Without stickiness"));
}
