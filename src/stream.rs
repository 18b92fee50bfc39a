//! One request and its answer.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;
use stickiness::balancer::{Balancer, Reply, Session};
use stickiness::config::Mechanism;
use stickiness::exchange::{Answer, AnsweredBy, Request, RouteChoice};
use stickiness::outcome::Outcome;
use stickiness::time::Timestamp;
use stickiness::wire::cookie_header::CookieHeader;

use crate::ticker::Ticker;
use crate::{counters, host, override_header, root, route_metadata};

/// The key of the filter state that holds the outcome: `%FILTER_STATE(wasm.sticky_session:PLAIN)%`.
const FILTER_STATE: &str = "sticky_session";

/// One request and its answer.
pub(crate) struct Stream {
    context: u32,
    /// The context of its plugin.
    plugin: u32,
    balancer: Option<Rc<Balancer>>,
    ticker: Rc<Ticker>,
    /// Whether `stateful_session` has been seen to name the target of an answer. It may be missing or stand before this filter,
    /// and then it says nothing where it names none.
    names_targets: Rc<Cell<bool>>,
    /// The session of a request to a sticky target group, until its outcome is counted.
    session: Option<Session>,
}

impl Stream {
    pub(crate) fn new(
        context: u32,
        plugin: u32,
        balancer: Option<Rc<Balancer>>,
        ticker: Rc<Ticker>,
        names_targets: Rc<Cell<bool>>,
    ) -> Self {
        Self { context, plugin, balancer, ticker, names_targets, session: None }
    }

    fn receive(&self) -> Option<Session> {
        let headers = host::request_headers();
        let mut cookies = CookieHeader::default();
        let (mut user_agent, mut forwarded_proto) = (None, None);
        for (name, value) in &headers {
            match name.as_str() {
                "cookie" => cookies.push(value),
                "user-agent" => user_agent = user_agent.or(Some(value)),
                "x-forwarded-proto" => forwarded_proto = forwarded_proto.or(Some(value)),
                override_header::HOST | override_header::GROUP => host::remove_request_header(name),
                _ => (),
            }
        }
        let balancer = self.balancer.as_ref()?;
        let target_group = match &balancer.config().only_target_group {
            Some(only) => Cow::Borrowed(only.as_str()),
            None => Cow::Owned(host::target_group()?),
        };
        let request = Request {
            target_group: &target_group,
            route: if balancer.config().routes_choose() { route_metadata::choice() } else { RouteChoice::default() },
            cookies,
            user_agent: user_agent.map_or(&[], Vec::as_slice),
            forwarded_proto: forwarded_proto.map_or(&[], Vec::as_slice),
            now: self.ticker.now(),
        };
        let session = balancer.receive(&request, &|target_group, path| {
            host::has_healthy_target(self.plugin, self.context, target_group, path)
        })?;
        if let Some(name) = session.unknown_policy() {
            root::warn_once(&format!("a route chooses the policy {name:?}, which is not under policies"));
        }
        // Now, because a stream may end without an answer, and when it has ended, it has been logged.
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
        let (Some(balancer), Some(session)) = (self.balancer.clone(), self.session.take()) else {
            override_header::RESERVED.into_iter().for_each(host::remove_response_header);
            return;
        };
        let config = balancer.config();
        let pin = self.kept_pin(config.mechanism, session.pin());
        if pin.is_none() {
            host::remove_response_header(override_header::HOST);
        }
        let is_kept = pin.is_some();
        let outcome = session.outcome();
        let now = self.ticker.now();
        let session = if is_kept {
            match balancer.reply_if_unchanged(session, now) {
                Ok(reply) => return self.count(&reply),
                Err(session) => session,
            }
        } else {
            session
        };
        let pin = session.shared_pin().filter(|_| is_kept).cloned();
        // Without a rule the filter changes no route.
        let target_group = config.rules().is_empty().then(|| Rc::clone(session.shared_target_group()));
        if target_group.is_none() {
            host::remove_response_header(override_header::GROUP);
        }
        // Each of several cookies wants to know.
        let over_tls = OnceCell::new();
        let answer = Answer {
            by: host::answered_by(target_group.as_deref(), pin.as_deref()),
            now,
            set_cookies: &|| host::response_headers("set-cookie"),
            over_https: &|| *over_tls.get_or_init(host::is_over_tls),
        };
        self.conclude(&balancer, session, outcome, &answer);
    }

    /// The pin, if no other target has answered for sure: `stateful_session` names in the answer the target that is not the pin.
    fn kept_pin<'a>(&self, mechanism: Mechanism, pin: Option<&'a str>) -> Option<&'a str> {
        let names_targets = self.names_targets.get();
        if mechanism != Mechanism::StatefulSession || (names_targets && pin.is_none()) {
            return None;
        }
        let is_named = host::has_response_header(override_header::HOST);
        self.names_targets.set(names_targets || is_named);
        pin.filter(|_| names_targets && !is_named)
    }

    /// Counts the outcome of the request, and adds the cookies to the answer.
    fn conclude(&self, balancer: &Balancer, session: Session, expected: Outcome, answer: &Answer<'_>) {
        let reply = balancer.reply(session, answer, &mut host::draw_nonce);
        self.count(&reply);
        if reply.outcome != expected {
            host::set_filter_state(FILTER_STATE, reply.outcome.word());
        }
        for (name, value) in reply.headers() {
            host::add_response_header(name, value);
        }
        if let (AnsweredBy::Target { target_group, .. }, Some(_)) = (&answer.by, reply.headers().next()) {
            counters::count_issued(target_group, !self.ticker.is_ticking());
        }
    }

    fn count(&self, reply: &Reply) {
        counters::count(&reply.counted_group, reply.outcome, !self.ticker.is_ticking());
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
}

impl Drop for Stream {
    /// A stream that ends without an answer, because the client left, has an outcome too. Envoy's own callbacks at the end of a
    /// stream would cost every stream a call.
    fn drop(&mut self) {
        if let (Some(balancer), Some(session)) = (&self.balancer, self.session.take()) {
            // The balancer does not read the time of such an answer.
            let (outcome, by, now) = (session.outcome(), AnsweredBy::LoadBalancer, Timestamp::from_millis(0));
            let answer = Answer { by, now, set_cookies: &Vec::new, over_https: &|| false };
            self.conclude(balancer, session, outcome, &answer);
        }
    }
}
