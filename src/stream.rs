//! One request and its answer.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;
use stickiness::balancer::{Answer, Balancer, Session};
use stickiness::cookie_header::CookieHeader;

use crate::{counters, host, override_header};

/// The key of the filter state that holds the outcome: `%FILTER_STATE(wasm.sticky_session:PLAIN)%`.
const FILTER_STATE: &str = "sticky_session";

/// One request and its answer.
pub(crate) struct Stream {
    balancer: Option<Rc<Balancer>>,
    /// The session of a request to a sticky target group, until its outcome is counted.
    session: Option<Session>,
}

impl Stream {
    pub(crate) fn new(balancer: Option<Rc<Balancer>>) -> Self {
        Self { balancer, session: None }
    }

    fn receive(&self) -> Option<Session> {
        let headers = host::request_headers();
        let brings = |name: &str| headers.iter().any(|(sent, _)| sent == name);
        for name in override_header::RESERVED.into_iter().filter(|name| brings(name)) {
            host::remove_request_header(name);
        }
        let balancer = self.balancer.as_ref()?;
        let target_group = host::target_group()?;
        let cookies: CookieHeader<'_> =
            headers.iter().filter(|(name, _)| name == "cookie").map(|(_, line)| line.as_slice()).collect();
        let session = balancer.receive(&target_group, &cookies, host::now())?;
        // Now, because a stream may end without an answer, and the log callback cannot write.
        host::set_filter_state(FILTER_STATE, session.outcome().word());
        if let Some(target) = session.pin() {
            let value = override_header::value(balancer.config().mechanism, target);
            host::replace_request_header(override_header::HOST, &value);
        }
        Some(session)
    }

    fn answer(&mut self) {
        // stateful_session tells the client the address of the target that answered.
        host::remove_response_header(override_header::HOST);
        let (Some(balancer), Some(session)) = (self.balancer.clone(), self.session.take()) else {
            return;
        };
        let answered = host::answering_target().zip(host::target_group());
        let answer = answered.as_ref().map(|(target, target_group)| Answer {
            target_group,
            target,
            over_https: host::is_over_tls(),
            now: host::now(),
        });
        let reply = balancer.reply(&session, answer.as_ref(), host::draw_nonce);
        counters::count(session.target_group(), reply.outcome);
        if reply.outcome != session.outcome() {
            host::set_filter_state(FILTER_STATE, reply.outcome.word());
        }
        for line in &reply.set_cookies {
            host::add_response_header("set-cookie", line);
        }
        if let Some(answer) = answer.filter(|_| !reply.set_cookies.is_empty()) {
            counters::count_issued(answer.target_group);
        }
    }
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
        if let Some(session) = self.session.take() {
            counters::count(session.target_group(), session.outcome());
        }
    }
}
