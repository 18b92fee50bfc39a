//! One request and its answer.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use hostcalls::ContextId;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;
use stickiness::balancer::Session;
use stickiness::config::Config;
use stickiness::exchange::{Answer, AnsweredBy, Request, RouteChoice};
use stickiness::time::Timestamp;
use stickiness::wire::cookie_header::CookieHeader;

use crate::answering_target::{ChosenHost, answered_by, is_by_target};
use crate::balanced_clusters::{Balanced, REQUESTED_TARGET};
use crate::plugin::Plugin;
use crate::warn_once::warn_once;
use crate::{empty_group, host, override_header, route_metadata};

/// The key of the filter state that holds the outcome: `%FILTER_STATE(wasm.sticky_session:PLAIN)%`.
const FILTER_STATE: &str = "sticky_session";

/// One request and its answer.
pub(crate) struct Stream {
    context: ContextId,
    /// `None` before the first configuration.
    plugin: Option<Rc<Plugin>>,
    /// The session of a request to a sticky target group, until its outcome is counted.
    session: Option<Session>,
    /// True if another instance of the filter, which stands before this one in the chain, has pinned the request.
    is_left_to_another: bool,
    /// The cluster that Envoy showed for a request that is not sticky, if the answer is to be compared with it.
    shown_cluster: Cell<Option<String>>,
    /// True if the cluster of the request had no host.
    was_without_hosts: Cell<bool>,
    /// The settings of the route that Envoy showed for the session.
    shown_settings: RouteChoice,
}

impl Stream {
    pub(crate) fn new(context: ContextId, plugin: Option<Rc<Plugin>>) -> Self {
        Self {
            context,
            plugin,
            session: None,
            is_left_to_another: false,
            shown_cluster: Cell::default(),
            was_without_hosts: Cell::default(),
            shown_settings: RouteChoice::default(),
        }
    }

    /// The session of the request, if it is sticky. Envoy is told its pin and its outcome.
    fn receive(&mut self) -> Option<Session> {
        let headers = host::request_headers();
        let mut cookies = CookieHeader::default();
        let mut has_reserved = false;
        let (mut user_agent, mut forwarded_proto): (Option<&[u8]>, Option<&[u8]>) = (None, None);
        let mut names_its_target = false;
        for (name, value) in &headers {
            match name {
                b"cookie" => cookies.push(value),
                b"user-agent" => user_agent = user_agent.or(Some(value)),
                // An empty line says nothing, as an empty entry.
                b"x-forwarded-proto" => {
                    forwarded_proto = forwarded_proto.filter(|first| !first.is_empty()).or(Some(value));
                }
                REQUESTED_TARGET => names_its_target = true,
                name => has_reserved |= override_header::RESERVED.iter().any(|reserved| reserved.as_bytes() == name),
            }
        }
        // Before anything else can end this function: a client that sets them would choose the host.
        if has_reserved {
            // No client can give a request an outcome, and the filter removes a client's headers before it gives one.
            if host::has_filter_state(FILTER_STATE) {
                self.leave_to_another();
                return None;
            }
            override_header::RESERVED.into_iter().for_each(host::remove_request_header);
        }
        if names_its_target {
            return None;
        }
        let plugin = self.plugin.as_deref()?;
        let config = plugin.balancer.config();
        let now = plugin.now();
        let target_group = match &config.only_target_group {
            Some(only) => Cow::Borrowed(only.as_str()),
            None => Cow::Owned(self.balanced_cluster(plugin, now)?),
        };
        let request = Request {
            target_group: &target_group,
            route: if config.routes_choose() { route_metadata::choice() } else { RouteChoice::default() },
            cookies,
            user_agent: user_agent.unwrap_or_default(),
            forwarded_proto: forwarded_proto.unwrap_or_default(),
            now,
        };
        let session = plugin.balancer.receive(&request, &|target_group, path| {
            empty_group::has_healthy_target(plugin.context, self.context, target_group, path)
        });
        let Some(session) = session else {
            self.compare_later(plugin, &target_group);
            return None;
        };
        if let Some(name) = session.unknown_policy() {
            warn_once(&format!("a route chooses the policy {name:?}, which is not under policies"));
        }
        if !is_pinned(plugin, &session) {
            // The request is balanced like any other, so it has no outcome: its cookie was good, and it is not pinned. The client
            // keeps its cookie, and with it its target for the next request.
            drop(plugin.balancer.reply(session, &no_answer(), &mut host::draw_nonce));
            return None;
        }
        // Now, because a stream may end without an answer, and when it has ended, it has been logged.
        host::set_filter_state(FILTER_STATE, session.outcome().word());
        self.shown_settings = request.route;
        Some(session)
    }

    /// The cluster of the request, unless a pin must not choose the target there.
    fn balanced_cluster(&self, plugin: &Plugin, now: Timestamp) -> Option<String> {
        let Some(cluster) = host::target_group() else {
            self.compare_later(plugin, "");
            return None;
        };
        let config = plugin.balancer.config();
        if config.may_be_sticky(&cluster) {
            match plugin.balanced_clusters.find(&cluster, config, now) {
                Balanced::Yes => (),
                Balanced::No => return None,
                Balanced::Untold => self.was_without_hosts.set(true),
            }
        }
        Some(cluster)
    }

    /// Remembers the cluster of a request that is not sticky, if the answer is to be compared with it.
    fn compare_later(&self, plugin: &Plugin, shown: &str) {
        if plugin.balancer.config().only_target_group.is_none() && plugin.route_watch.compares_other() {
            self.shown_cluster.set(Some(shown.to_owned()));
        }
    }

    /// Returns true if the route that answers has other settings than the one that Envoy showed.
    fn has_other_settings(&self, config: &Config) -> bool {
        config.routes_choose() && route_metadata::choice() != self.shown_settings
    }

    /// Leaves the request and its answer to another instance of the filter, which stands before this one in the chain and has
    /// written its headers already.
    fn leave_to_another(&mut self) {
        self.is_left_to_another = true;
        let Some(plugin) = self.plugin.as_deref() else { return };
        let config = plugin.balancer.config();
        let target_group = || config.only_target_group.clone().or_else(host::target_group);
        plugin.pin_watch.was_pinned_by_another(target_group, |target_group| config.policy(target_group).is_some());
    }

    /// Gives the answer its cookies and counts the outcome.
    ///
    /// Each question to Envoy costs a call, so they come in the order in which an answer makes the next ones unnecessary:
    ///
    /// 1. Did another target than the pin answer? If not, nothing has to be hidden from the client.
    /// 2. If not, does the core want to change anything? With `renew: sliding` or `on_change` mostly not, and that is all.
    /// 3. Did a target answer at all?
    /// 4. Which target group and which target was it? The first is known where the filter changes no route, the second where there
    ///    is a pin.
    /// 5. Which cookies did the application set, and did the client come over TLS? Only some cookies depend on it.
    fn answer(&mut self) {
        let (Some(plugin), Some(session)) = (self.plugin.as_deref(), self.session.take()) else {
            if !self.is_left_to_another {
                override_header::RESERVED.into_iter().for_each(host::remove_response_header);
            }
            if let (Some(plugin), Some(shown)) = (self.plugin.as_deref(), self.shown_cluster.take()) {
                plugin.route_watch.compare_other(&shown, |cluster| plugin.balancer.config().policy(cluster).is_some());
            }
            return;
        };
        let config = plugin.balancer.config();
        let now = plugin.now();
        if self.was_without_hosts.get() && is_by_target() && plugin.balanced_clusters.learn(session.target_group(), now)
        {
            // The request has named its target, so it was no request of a session.
            override_header::RESERVED.into_iter().for_each(host::remove_response_header);
            drop(plugin.balancer.reply(session, &no_answer(), &mut host::draw_nonce));
            return;
        }
        let chosen = ChosenHost::find(session.pin(), config.mechanism);
        let session = if matches!(chosen, ChosenHost::Pin) {
            plugin.pin_watch.held(session.target_group());
            match plugin.balancer.reply_if_unchanged(session, now) {
                Ok(reply) => return plugin.count(&reply.counted_group, reply.outcome),
                Err(session) => session,
            }
        } else {
            session
        };
        let pin = session.shared_pin().cloned();
        if !config.rules().is_empty() {
            host::remove_response_header(override_header::GROUP);
        }
        // Without a rule the filter changes no route, and another filter rarely does.
        let is_compared = !matches!(chosen, ChosenHost::Pin) && plugin.route_watch.compares_session();
        let is_told = config.only_target_group.is_some();
        let is_known = config.rules().is_empty() && (is_told || !is_compared);
        let target_group = is_known.then(|| Rc::clone(session.shared_target_group()));
        let by = answered_by(target_group.as_deref(), chosen.address(pin.as_deref()));
        if let AnsweredBy::Target { target_group: answered, .. }
        | AnsweredBy::NoHealthyTarget { target_group: answered } = &by
            && session.reroute().is_none()
            && ((!is_told && **answered != *session.target_group()) || (is_compared && self.has_other_settings(config)))
        {
            // Another filter has changed the route. The session is not the one that the request should have had, so it has no outcome
            // and no cookie.
            plugin.route_watch.saw_change(session.target_group(), answered);
            drop(plugin.balancer.reply(session, &no_answer(), &mut host::draw_nonce));
            return;
        }
        if let Some(pin) = &pin {
            watch(plugin, &session, pin, &chosen, &by);
        }
        // Several cookies may ask.
        let over_tls = OnceCell::new();
        let over_https = || *over_tls.get_or_init(host::is_over_tls);
        conclude(plugin, session, &Answer { by, now, set_cookies: &host::set_cookies, over_https: &over_https });
    }
}

/// Looks for signs that Envoy does not obey pins, if another target of the pin's target group has answered.
fn watch(plugin: &Plugin, session: &Session, pin: &Rc<str>, chosen: &ChosenHost, by: &AnsweredBy<'_>) {
    if let ChosenHost::Another { pin_was_unseen, .. } = chosen
        && let AnsweredBy::Target { target_group, target } = by
        && **target_group == *session.target_group()
    {
        if *pin_was_unseen {
            plugin.pin_watch.was_unseen(target_group);
        } else if !host::is_retried() {
            // Of a request that is sent again, the first target may have answered, with an error that the route has sent again.
            plugin.pin_watch.was_passed_over(session.shared_target_group(), pin, target);
        }
    }
}

/// Tells Envoy the target group and the target that the cookies of the request name. `false` when Envoy does not take them.
fn is_pinned(plugin: &Plugin, session: &Session) -> bool {
    let rerouted = session.reroute().is_none_or(|group| host::replace_request_header(override_header::GROUP, group));
    rerouted
        && session.pin().is_none_or(|target| {
            let value = override_header::value(plugin.balancer.config().mechanism, target);
            host::replace_request_header(override_header::HOST, &value)
        })
}

/// Counts the outcome of the request, and adds the cookies to the answer.
fn conclude(plugin: &Plugin, session: Session, answer: &Answer<'_>) {
    let expected = session.outcome();
    let reply = plugin.balancer.reply(session, answer, &mut host::draw_nonce);
    plugin.count(&reply.counted_group, reply.outcome);
    if reply.outcome != expected {
        host::set_filter_state(FILTER_STATE, reply.outcome.word());
    }
    for (name, value) in reply.headers() {
        host::add_response_header(name, value);
    }
    if let (AnsweredBy::Target { target_group, .. }, Some(_)) = (&answer.by, reply.headers().next()) {
        plugin.count_issued(target_group);
    }
}

/// The answer to a request that nobody answers. The core does not read its time.
fn no_answer() -> Answer<'static> {
    Answer {
        by: AnsweredBy::LoadBalancer,
        now: Timestamp::from_millis(0),
        set_cookies: &Vec::new,
        over_https: &|| false,
    }
}

impl Context for Stream {}

// xtask keeps the callbacks that are implemented here in the module that ships (`KEPT` of the pass `prune`).
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
        if let (Some(plugin), Some(session)) = (&self.plugin, self.session.take()) {
            conclude(plugin, session, &no_answer());
        }
    }
}
