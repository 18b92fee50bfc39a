//! One request and its answer.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, Bytes};
use stickiness::balancer::{Balancer, Session};
use stickiness::exchange::{Answer, Request, RouteChoice, TargetAnswer};

use crate::host::AnsweredBy;
use crate::{counters, host, override_header, root, route_metadata};

/// The key of the filter state that holds the outcome: `%FILTER_STATE(wasm.sticky_session:PLAIN)%`.
const FILTER_STATE: &str = "sticky_session";

/// One request and its answer.
pub(crate) struct Stream {
    context: u32,
    /// The context of its plugin.
    plugin: u32,
    balancer: Option<Rc<Balancer>>,
    /// The session of a request to a sticky target group, until its outcome is counted.
    session: Option<Session>,
}

impl Stream {
    pub(crate) fn new(context: u32, plugin: u32, balancer: Option<Rc<Balancer>>) -> Self {
        Self { context, plugin, balancer, session: None }
    }

    fn receive(&self) -> Option<Session> {
        let headers = host::request_headers();
        for name in override_header::RESERVED.into_iter().filter(|name| values(&headers, name).next().is_some()) {
            host::remove_request_header(name);
        }
        let balancer = self.balancer.as_ref()?;
        let target_group = host::target_group()?;
        let request = Request {
            target_group: &target_group,
            route: if balancer.config().routes_choose() { route_metadata::choice() } else { RouteChoice::default() },
            cookies: values(&headers, "cookie").collect(),
            user_agent: values(&headers, "user-agent").next().unwrap_or_default(),
            forwarded_proto: values(&headers, "x-forwarded-proto").next().unwrap_or_default(),
            now: host::now(),
        };
        let session = balancer.receive(&request, &|target_group, path| {
            host::has_healthy_target(self.plugin, self.context, target_group, path)
        })?;
        if let Some(name) = session.unknown_policy() {
            root::warn_once(&format!("a route chooses the policy {name:?}, which is not under policies"));
        }
        // Now, because a stream may end without an answer, and the log callback cannot write.
        host::set_filter_state(FILTER_STATE, session.outcome().word());
        if let Some(target_group) = session.reroute() {
            host::replace_request_header(override_header::GROUP, target_group);
        }
        if let Some(target) = session.pin() {
            let value = override_header::value(balancer.config().mechanism, target);
            host::replace_request_header(override_header::HOST, &value);
        }
        Some(session)
    }

    fn answer(&mut self) {
        // stateful_session tells the client the address of the target that answered.
        override_header::RESERVED.into_iter().for_each(host::remove_response_header);
        let (Some(balancer), Some(session)) = (self.balancer.clone(), self.session.take()) else {
            return;
        };
        match host::answered_by() {
            AnsweredBy::Target { target_group, target } => give(&balancer, &session, &target_group, &target),
            AnsweredBy::EnvoyForWantOfATarget { target_group } => {
                let answer = Answer::NoHealthyTarget { target_group: &target_group, now: host::now() };
                drop(conclude(&balancer, &session, &answer));
            }
            AnsweredBy::Envoy => drop(conclude(&balancer, &session, &Answer::Envoy)),
        }
    }
}

/// Gives the answer of a target its cookies.
fn give(balancer: &Balancer, session: &Session, target_group: &str, target: &str) {
    let set_cookies = if balancer.follows_application(session, target_group) {
        host::response_headers("set-cookie")
    } else {
        Vec::new()
    };
    let set_cookies: Vec<&[u8]> = set_cookies.iter().map(Vec::as_slice).collect();
    let over_https = host::is_over_tls();
    let answer = TargetAnswer { target_group, target, set_cookies: &set_cookies, over_https, now: host::now() };
    let headers = conclude(balancer, session, &Answer::Target(answer));
    for (name, value) in &headers {
        host::add_response_header(name, value);
    }
    if !headers.is_empty() {
        counters::count_issued(target_group);
    }
}

/// Counts what became of the request, and returns the headers to add.
fn conclude(balancer: &Balancer, session: &Session, answer: &Answer<'_>) -> Vec<(&'static str, String)> {
    let reply = balancer.reply(session, answer, &mut host::draw_nonce);
    counters::count(session.counted_group(), reply.outcome);
    if reply.outcome != session.outcome() {
        host::set_filter_state(FILTER_STATE, reply.outcome.word());
    }
    reply.headers
}

fn values<'a>(headers: &'a [(String, Bytes)], name: &str) -> impl Iterator<Item = &'a [u8]> {
    headers.iter().filter(move |(present, _)| present == name).map(|(_, value)| value.as_slice())
}

impl Context for Stream {}

// A callback that is added here has to be kept in the module too: xtask/src/prune.rs takes out all others.
impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        self.session = self.receive();
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        self.answer();
        Action::Continue
    }

    /// A stream that ends without an answer, because the client left, has an outcome too.
    fn on_log(&mut self) {
        if let (Some(balancer), Some(session)) = (&self.balancer, self.session.take()) {
            drop(conclude(balancer, &session, &Answer::Envoy));
        }
    }
}
