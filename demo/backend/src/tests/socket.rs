//! Tests the messages of the WebSocket.

use axum::http::header::COOKIE;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::{instance, log_in, serve};
use crate::app::X_INSTANCE;

#[tokio::test]
async fn a_socket_says_at_once_which_instance_holds_it_and_what_it_knows_of_all() {
    let a = instance("a", &[("b", ([127, 0, 0, 1], 9).into())]);
    let address = serve(&a).await;
    let (mut socket, handshake) = connect_async(format!("ws://{address}/socket")).await.unwrap();
    assert_eq!(handshake.headers()[X_INSTANCE], "a");
    let Message::Text(text) = socket.next().await.unwrap().unwrap() else { panic!("the first message is no text") };
    let news: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(news["instance"], "a");
    let of_each = |key: &str| news["instances"].as_array().unwrap().iter().map(|entry| entry[key].clone()).collect();
    let (names, states): (Vec<Value>, Vec<Value>) = (of_each("name"), of_each("state"));
    assert_eq!((names, states), (vec![json!("a"), json!("b")], vec![json!("healthy"), json!("away")]));
    assert_eq!(news["instances"][0]["requests"]["plain"].as_array().unwrap().len(), 60);
}

#[tokio::test]
async fn a_socket_says_who_the_browser_is_to_the_instance() {
    let a = instance("a", &[]);
    let login = log_in(&crate::app::app(a.clone()), "user=alice", &[]).await;
    for (instance, user, session) in [(a, json!("alice"), "known"), (instance("b", &[]), Value::Null, "unknown")] {
        let mut request = format!("ws://{}/socket", serve(&instance).await).into_client_request().unwrap();
        request.headers_mut().insert(COOKIE, login.cookie().parse().unwrap());
        let (mut socket, _) = connect_async(request).await.unwrap();
        let text = socket.next().await.unwrap().unwrap().into_text().unwrap();
        let news: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&news["user"], &news["session"]), (&user, &json!(session)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_socket_hears_again_what_has_changed() {
    let a = instance("a", &[]);
    let address = serve(&a).await;
    let (mut socket, _) = connect_async(format!("ws://{address}/socket")).await.unwrap();
    socket.next().await.unwrap().unwrap();
    a.set_healthy(false);
    let text = socket.next().await.unwrap().unwrap().into_text().unwrap();
    let news: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(news["instances"][0]["state"], "unhealthy");
}
