//! Tests logging in and out, and the visitor that an instance knows.

use axum::http::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{Method, StatusCode};

use super::{app, get, log_in, send, submit};
use crate::listener::X_DEMO_LISTENER;

const JSON: &str = "application/json";

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
    assert_eq!((login.status, login.header(LOCATION)), (StatusCode::SEE_OTHER, "./"));
    let page = get(&app, "/", &[(COOKIE, login.cookie())]).await.body;
    assert!(page.contains(r#"data-user="alice" data-session="known""#), "{page}");
    assert!(page.contains("Logged in as alice"), "{page}");
}

#[tokio::test]
async fn another_instance_does_not_know_the_login() {
    let login = log_in(&app("a"), "user=alice", &[]).await;
    let page = get(&app("b"), "/", &[(COOKIE, login.cookie())]).await.body;
    assert!(page.contains(r#"data-user="" data-session="unknown""#), "{page}");
    assert!(page.contains("Instance b does not know you"), "{page}");
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
    assert_eq!((logout.status, logout.header(LOCATION)), (StatusCode::SEE_OTHER, "./"));
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
async fn whoami_is_an_object_for_a_script() {
    let app = app("a");
    let login = log_in(&app, "user=alice", &[]).await;
    let answer = get(&app, "/whoami", &[(ACCEPT, JSON), (COOKIE, login.cookie())]).await;
    assert_eq!(answer.header(CONTENT_TYPE), JSON);
    assert_eq!(answer.body, r#"{"instance":"a","session":"known","user":"alice"}"#);
}

#[tokio::test]
async fn a_script_learns_that_the_instance_does_not_know_the_session() {
    let login = log_in(&app("a"), "user=alice", &[]).await;
    let answer = get(&app("b"), "/whoami", &[(ACCEPT, JSON), (COOKIE, login.cookie())]).await;
    assert_eq!(answer.body, r#"{"instance":"b","session":"unknown","user":null}"#);
}

#[tokio::test]
async fn a_script_is_answered_without_a_redirect() {
    let app = app("a");
    let login = log_in(&app, "user=alice", &[(ACCEPT, JSON)]).await;
    assert_eq!(login.status, StatusCode::OK);
    assert_eq!(login.body, r#"{"instance":"a","session":"known","user":"alice"}"#);
    let logout = send(&app, Method::POST, "/logout", &[(ACCEPT, JSON), (COOKIE, login.cookie())], "").await;
    assert_eq!(logout.status, StatusCode::OK);
    assert_eq!(logout.body, r#"{"instance":"a","session":"none","user":null}"#);
}

#[tokio::test]
async fn a_session_can_begin_without_a_login() {
    let app = app("a");
    let begun = submit(&app, "/session", "", &[(ACCEPT, JSON)]).await;
    assert_eq!(begun.body, r#"{"instance":"a","session":"known","user":null}"#);
    let answer = get(&app, "/whoami", &[(ACCEPT, JSON), (COOKIE, begun.cookie())]).await;
    assert_eq!(answer.body, begun.body);
}

#[tokio::test]
async fn a_session_begins_logged_in_for_the_user_that_it_is_given() {
    let app = app("a");
    let begun = submit(&app, "/session", "user=alice", &[]).await;
    assert_eq!(get(&app, "/whoami", &[(COOKIE, begun.cookie())]).await.body, "instance a, user alice\n");
}

#[tokio::test]
async fn a_session_takes_the_place_of_the_one_before() {
    let app = app("a");
    let login = log_in(&app, "user=alice", &[]).await;
    let begun = submit(&app, "/session", "", &[(COOKIE, login.cookie())]).await;
    for (cookie, session) in [(login.cookie(), "unknown"), (begun.cookie(), "known")] {
        let answer = get(&app, "/whoami", &[(ACCEPT, JSON), (COOKIE, cookie)]).await;
        assert_eq!(answer.body, format!(r#"{{"instance":"a","session":"{session}","user":null}}"#));
    }
}

#[tokio::test]
async fn a_session_is_not_begun_for_a_name_that_is_refused() {
    let begun = submit(&app("a"), "/session", "user=a%0Ab", &[]).await;
    assert_eq!(begun.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!begun.headers.contains_key(SET_COOKIE));
}
