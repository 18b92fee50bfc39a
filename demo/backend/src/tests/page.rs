//! Tests the page as a browser without JavaScript gets it.

use axum::http::header::{ACCEPT_LANGUAGE, CONTENT_SECURITY_POLICY, COOKIE};

use super::{app, get, log_in};
use crate::listener::X_DEMO_LISTENER;

#[tokio::test]
async fn a_hostile_user_name_is_shown_as_text() {
    let app = app("a");
    let login = log_in(&app, "user=%22%3E%3Cscript%3E%27%26%7B%7Buser%7D%7D", &[]).await;
    let page = get(&app, "/", &[(COOKIE, login.cookie())]).await.body;
    assert!(page.contains("Logged in as &quot;&gt;&lt;script&gt;&#39;&amp;{{user}}"), "{page}");
    assert!(page.contains(r#"data-user="&quot;&gt;&lt;script&gt;&#39;&amp;{{user}}""#), "{page}");
}

#[tokio::test]
async fn the_page_says_which_listener_it_came_through() {
    let app = app("a");
    for (listener, lead) in [("sticky", "You are pinned to"), ("plain", "This answer came from")] {
        let page = get(&app, "/", &[(X_DEMO_LISTENER, listener)]).await.body;
        assert!(page.contains(&format!(r#"data-listener="{listener}""#)));
        assert!(page.contains(&format!(r#"class="lead">{lead}<"#)));
    }
}

#[tokio::test]
async fn the_page_offers_the_form_that_is_of_use() {
    let app = app("a");
    let nobody = get(&app, "/", &[]).await.body;
    assert!(nobody.contains(r#"action="login">"#) && nobody.contains(r#"action="logout" hidden>"#));
    let login = log_in(&app, "user=alice", &[]).await;
    let alice = get(&app, "/", &[(COOKIE, login.cookie())]).await.body;
    assert!(alice.contains(r#"action="login" hidden>"#) && alice.contains(r#"action="logout">"#));
}

#[tokio::test]
async fn the_page_is_korean_for_a_browser_that_prefers_it() {
    let app = app("a");
    assert!(get(&app, "/", &[]).await.body.contains(r#"<html lang="en">"#));
    let korean = get(&app, "/", &[(ACCEPT_LANGUAGE, "ko-KR,ko;q=0.9")]).await.body;
    assert!(korean.contains(r#"<html lang="ko">"#));
}

#[tokio::test]
async fn the_ports_of_the_listeners_are_those_that_the_instance_was_told() {
    let page = get(&app("a"), "/", &[]).await;
    assert!(page.body.contains(r#"data-sticky-port="20000" data-plain-port="20001""#));
    assert!(!page.body.contains("10000") && !page.body.contains("10001"));
}

#[tokio::test]
async fn the_page_may_ask_the_two_listeners_and_nobody_else() {
    let page = get(&app("a"), "/", &[]).await;
    let policy = page.header(CONTENT_SECURITY_POLICY);
    let directives: Vec<_> = policy.split("; ").collect();
    assert!(directives.contains(&"default-src 'none'"), "{policy}");
    let asked = "connect-src 'self' http://*:20000 https://*:20000 ws://*:20000 wss://*:20000 \
                 http://*:20001 https://*:20001 ws://*:20001 wss://*:20001";
    assert!(directives.contains(&asked), "{policy}");
    assert!(!policy.contains("unsafe-eval"), "{policy}");
}
