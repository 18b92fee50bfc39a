//! Tests the knowledge of an instance about its peers.

use std::net::SocketAddr;

use axum::http::StatusCode;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use super::{instance, post, serve};
use crate::instance::Instance;
use crate::listener::Listener;
use crate::report::State;

/// The instances of the roster, each with its state and its requests of the last minute on the sticky listener.
fn roster(instance: &Instance) -> Vec<(String, State, u64)> {
    let total = |columns: &Value| columns.as_array().unwrap().iter().map(|count| count.as_u64().unwrap()).sum();
    let roster = instance.roster().into_iter();
    roster
        .map(|entry| {
            let requests = serde_json::to_value(&entry.requests).unwrap();
            (entry.name.to_owned(), entry.state, total(&requests["sticky"]))
        })
        .collect()
}

fn expected(entries: [(&str, State, u64); 2]) -> Vec<(String, State, u64)> {
    entries.map(|(name, state, count)| (name.to_owned(), state, count)).into()
}

#[tokio::test]
async fn an_instance_learns_the_health_and_the_counts_of_its_peer() {
    let b = instance("b", &[]);
    let address = serve(&b).await;
    let a = instance("a", &[("b", address)]);
    a.count(Listener::Sticky);
    b.count(Listener::Sticky);
    b.count(Listener::Sticky);
    a.peers.ask().await;
    assert_eq!(roster(&a), expected([("a", State::Healthy, 1), ("b", State::Healthy, 2)]));
    b.set_healthy(false);
    a.peers.ask().await;
    assert_eq!(roster(&a), expected([("a", State::Healthy, 1), ("b", State::Unhealthy, 2)]));
}

#[tokio::test]
async fn a_roster_goes_by_the_names() {
    let b = instance("b", &[("a", ([127, 0, 0, 1], 9).into())]);
    assert_eq!(roster(&b), expected([("a", State::Away, 0), ("b", State::Healthy, 0)]));
}

#[tokio::test]
async fn the_counts_of_a_peer_that_is_gone_stay_for_the_chart() {
    // A separate runtime, because only its end closes the connection that the client keeps.
    let elsewhere = Runtime::new().unwrap();
    let b = instance("b", &[]);
    let address = elsewhere.spawn(async move {
        b.count(Listener::Sticky);
        serve(&b).await
    });
    let address = address.await.unwrap();
    let a = instance("a", &[("b", address)]);
    a.peers.ask().await;
    assert_eq!(roster(&a)[1], ("b".to_owned(), State::Healthy, 1));
    elsewhere.shutdown_background();
    wait_until_refused(address).await;
    a.peers.ask().await;
    assert_eq!(roster(&a)[1], ("b".to_owned(), State::Away, 1));
}

async fn wait_until_refused(address: SocketAddr) {
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_peer_that_refuses_cannot_be_brought_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let answer = post(&crate::app::app(instance("a", &[("b", address)])), "/instances/b/healthy").await;
    let told = format!("instance b at {address} does not answer: is it running?\n");
    assert_eq!((answer.status, answer.body), (StatusCode::BAD_GATEWAY, told));
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_silent_is_given_up_after_2_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = post(&crate::app::app(instance("a", &[("b", address)])), "/instances/b/healthy").await;
    let told = format!("instance b at {address} does not answer within 2 s: is it running?\n");
    assert_eq!((answer.status, answer.body), (StatusCode::BAD_GATEWAY, told));
}
