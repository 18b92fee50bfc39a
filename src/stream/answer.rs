//! Gives the answer to a session its cookies, and counts the outcome.

use std::cell::OnceCell;
use std::rc::Rc;

use stickiness::balancer::Session;
use stickiness::config::Config;
use stickiness::exchange::{Answer, AnsweredBy, RouteChoice};
use stickiness::time::Timestamp;

use super::StickyRequest;
use crate::answering_target::{ChosenHost, answered_by, is_by_target};
use crate::plugin::Plugin;
use crate::{host, override_header, route_metadata};

/// Gives the answer its cookies and counts the outcome.
///
/// Each question to Envoy costs a call, so they come in the order in which an answer makes the next ones unnecessary:
///
/// 1. If the cluster had no host when the request came: does it make hosts of requests? Then the request has no session.
/// 2. Did Envoy choose another host than the pin? If not, nothing has to be hidden from the client.
/// 3. If not, does the core want to change anything? With `renew: sliding` or `on_change` mostly not, and that is all.
/// 4. Did a target answer at all?
/// 5. Which target group and which target was it? The first is known where the filter changes no route, the second where there
///    is a pin. If another filter has changed the route, the request has no session.
/// 6. Which cookies did the application set, and did the client come over TLS? Only some cookies depend on it.
pub(super) fn answer(plugin: &Plugin, request: StickyRequest) {
    let StickyRequest { session, settings, was_without_hosts } = request;
    let config = plugin.balancer.config();
    let now = plugin.now();
    if was_without_hosts && is_by_target() && plugin.balanced_clusters.learn(session.target_group(), now) {
        // The request has named its target, so it was no request of a session.
        override_header::remove_from_answer();
        return give_up(plugin, session);
    }
    let chosen = ChosenHost::find(session.pin(), config.mechanism);
    let is_pin = matches!(chosen, ChosenHost::Pin);
    let session = if is_pin {
        plugin.pin_watch.held(session.target_group());
        match plugin.balancer.reply_if_unchanged(session, now) {
            Ok(reply) => return plugin.count(&reply.counted_group, reply.outcome),
            Err(session) => session,
        }
    } else {
        session
    };
    if !config.rules().is_empty() {
        host::remove_response_header(override_header::GROUP);
    }
    let pin = session.shared_pin().cloned();
    let is_compared = !is_pin && plugin.route_watch.compares_session();
    // Without a rule the filter changes no route, and another filter rarely does.
    let is_known = config.rules().is_empty() && (config.only_target_group.is_some() || !is_compared);
    let target_group = is_known.then(|| Rc::clone(session.shared_target_group()));
    let by = answered_by(target_group.as_deref(), chosen.address(pin.as_deref()));
    if let Some(answered) = another_route(config, &session, &by, is_compared.then_some(&settings)) {
        // The session is not the one that the request should have had, so it has no outcome and no cookie.
        plugin.route_watch.saw_change(session.target_group(), answered);
        return give_up(plugin, session);
    }
    if let Some(pin) = &pin {
        watch(plugin, &session, pin, &chosen, &by);
    }
    // Several cookies may ask.
    let over_tls = OnceCell::new();
    let over_https = || *over_tls.get_or_init(host::is_over_tls);
    conclude(plugin, session, &Answer { by, now, set_cookies: &host::set_cookies, over_https: &over_https });
}

/// Counts the outcome of a request that nobody answers.
pub(super) fn end_unanswered(plugin: &Plugin, session: Session) {
    conclude(plugin, session, &no_answer());
}

/// Ends a session that the request should not have had: it is not counted, and its client is given no cookie.
pub(super) fn give_up(plugin: &Plugin, session: Session) {
    drop(plugin.balancer.reply(session, &no_answer(), &mut host::draw_nonce));
}

/// The target group that answered, if another filter has changed the route that Envoy showed for the request. `compared` are the
/// settings of the route that Envoy showed, if they are to be compared.
fn another_route<'a>(
    config: &Config,
    session: &Session,
    by: &'a AnsweredBy<'_>,
    compared: Option<&RouteChoice>,
) -> Option<&'a str> {
    let (AnsweredBy::Target { target_group, .. } | AnsweredBy::NoHealthyTarget { target_group }) = by else {
        return None;
    };
    if session.reroute().is_some() {
        return None;
    }
    let is_another_group = || config.only_target_group.is_none() && **target_group != *session.target_group();
    let has_other_settings =
        || compared.is_some_and(|shown| config.routes_choose() && route_metadata::choice() != *shown);
    (is_another_group() || has_other_settings()).then_some(target_group)
}

/// Looks for signs that Envoy does not obey pins, if another target of the pin's target group has answered.
fn watch(plugin: &Plugin, session: &Session, pin: &Rc<str>, chosen: &ChosenHost, by: &AnsweredBy<'_>) {
    if let ChosenHost::Another { pin_was_unseen, .. } = chosen
        && let AnsweredBy::Target { target_group, target } = by
        && **target_group == *session.target_group()
    {
        if *pin_was_unseen {
            plugin.pin_watch.was_unseen(target_group);
        } else {
            plugin.pin_watch.was_passed_over(session.shared_target_group(), pin, target, host::is_retried);
        }
    }
}

/// Counts the outcome of the request, and adds the cookies to the answer.
fn conclude(plugin: &Plugin, session: Session, answer: &Answer<'_>) {
    let expected = session.outcome();
    let reply = plugin.balancer.reply(session, answer, &mut host::draw_nonce);
    plugin.count(&reply.counted_group, reply.outcome);
    if reply.outcome != expected {
        host::set_outcome(reply.outcome.word());
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
