//! The simulated clients, and the requests that a step makes them send.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use hyper::Method;

use crate::backends::ANSWER;
use crate::exchange::{Message, Protocol, Response};
use crate::jar::Jar;
use crate::scenario::{Answer, Keeps, Send};

/// A simulated client.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client {
    pub(crate) jar: Jar,
    /// The backend of the last answer, for each path.
    homes: BTreeMap<String, String>,
    header: Option<(String, String)>,
}

impl Client {
    /// A new client with these cookies.
    pub(crate) fn with(jar: Jar) -> Self {
        Self { jar, ..Self::default() }
    }

    /// Keeps the cookies and the session header of a response, as the step says.
    pub(crate) fn take(&mut self, response: &Response, send: &Send) {
        match send.keeps {
            Keeps::All => self.jar.keep(response),
            Keeps::Proxys => self.jar.keep_of_proxy(response),
            Keeps::Nothing => (),
        }
        match response.backend() {
            Some(backend) => self.homes.insert(path(send), backend),
            None => self.homes.remove(&path(send)),
        };
        if let Some(name) = &send.session_header
            && let Some(value) = response.all(name).next()
        {
            self.header = Some((name.to_owned(), value));
        }
    }

    /// The backend of the last answer at the same path.
    pub(crate) fn home(&self, send: &Send) -> Option<String> {
        self.homes.get(&path(send)).cloned()
    }
}

fn path(send: &Send) -> String {
    send.path.clone().unwrap_or_else(|| "/".to_owned())
}

/// The request of a step, with the cookies of this client.
pub(crate) fn request(to: SocketAddr, send: &Send, client: &Client, protocol: Protocol) -> Message {
    let path = path(send);
    let pairs = client.jar.pairs(&path, send.spoilt.as_deref());
    let apart = protocol != Protocol::Http1 || !(send.cookies_before.is_empty() && send.cookies_after.is_empty());
    let cookies: Vec<String> =
        [send.cookies_before.as_slice(), &pairs, &send.cookies_after].concat().into_iter().collect();
    let fields = if apart && !send.one_field { cookies } else { vec![cookies.join("; ")] };
    let mut headers: Vec<(String, String)> =
        fields.into_iter().filter(|field| !field.is_empty()).map(|field| ("cookie".to_owned(), field)).collect();
    headers.extend(
        send.headers.iter().filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.into(), value.into())),
    );
    headers.extend(client.header.clone());
    if send.answer != Answer::default() {
        let name = client.jar.of_proxy().cookies.first().map(|cookie| cookie.name.clone()).unwrap_or_default();
        headers.push((ANSWER.into(), serde_json::to_string(&send.answer).unwrap().replace("{cookie}", &name)));
    }
    let post = send.post || protocol == Protocol::Grpc;
    Message { to, method: if post { Method::POST } else { Method::GET }, path, headers, protocol }
}
