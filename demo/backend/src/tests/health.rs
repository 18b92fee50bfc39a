//! Tests the health of instances and its changes.

use axum::http::StatusCode;

use super::{app, get, instance, post, serve};

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
async fn an_instance_brings_itself_back_by_its_name() {
    let app = app("a");
    post(&app, "/unhealthy").await;
    let answer = post(&app, "/instances/a/healthy").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (StatusCode::OK, "instance a calls itself healthy from now on\n")
    );
    assert_eq!(get(&app, "/healthz", &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn another_instance_is_brought_back_through_its_peer() {
    let b = instance("b", &[]);
    let address = serve(&b).await;
    b.set_healthy(false);
    let answer = post(&crate::app::app(instance("a", &[("b", address)])), "/instances/b/healthy").await;
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (StatusCode::OK, "instance b calls itself healthy from now on\n")
    );
    assert!(b.is_healthy());
}

#[tokio::test]
async fn an_instance_that_nobody_knows_is_refused_with_those_that_there_are() {
    let peer = ([127, 0, 0, 1], 9).into();
    let answer = post(&crate::app::app(instance("a", &[("b", peer)])), "/instances/c/healthy").await;
    let told = "no instance is named \"c\"; there is b, a\n";
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::NOT_FOUND, told));
}

#[tokio::test]
async fn the_last_healthy_instance_stays_healthy() {
    let b = instance("b", &[]);
    let address = serve(&b).await;
    let a = instance("a", &[("b", address)]);
    let app = crate::app::app(a.clone());
    b.set_healthy(false);
    let answer = post(&app, "/unhealthy").await;
    let told = "instance a is the only healthy one: bring another one back first\n";
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::CONFLICT, told));
    assert!(a.is_healthy());

    b.set_healthy(true);
    assert_eq!(post(&app, "/unhealthy").await.status, StatusCode::OK);
    assert!(!a.is_healthy());
}
