//! Receives a request, and pins it.

use std::borrow::Cow;

use hostcalls::{ContextId, HeaderMap};
use stickiness::balancer::Session;
use stickiness::exchange::{Request, RouteChoice};
use stickiness::wire::cookie_header::CookieHeader;

use super::{Handling, StickyRequest, answer};
use crate::balanced_clusters::{Balanced, REQUESTED_TARGET};
use crate::plugin::Plugin;
use crate::warn_once::warn_once;
use crate::{empty_group, host, override_header, route_metadata};

/// The headers of a request that decide about its session.
#[derive(Default)]
struct SessionHeaders<'a> {
    cookies: CookieHeader<'a>,
    user_agent: Option<&'a [u8]>,
    forwarded_proto: Option<&'a [u8]>,
    /// True if there is one that only the filter may set.
    has_reserved: bool,
    /// True if there is one that names the target for Envoy.
    names_a_target: bool,
}

impl<'a> SessionHeaders<'a> {
    fn among(headers: &'a HeaderMap) -> Self {
        let mut found = Self::default();
        for (name, value) in headers {
            match name {
                b"cookie" => found.cookies.push(value),
                b"user-agent" => found.user_agent = found.user_agent.or(Some(value)),
                // An empty line says nothing, as an empty entry.
                b"x-forwarded-proto" => {
                    found.forwarded_proto = found.forwarded_proto.filter(|first| !first.is_empty()).or(Some(value));
                }
                REQUESTED_TARGET => found.names_a_target = true,
                name => found.has_reserved |= override_header::is_reserved(name),
            }
        }
        found
    }
}

/// Finds the session of a request, if it is sticky, and tells Envoy its pin and its outcome. `stream` is the context of the request.
pub(super) fn receive(plugin: Option<&Plugin>, stream: ContextId) -> Handling {
    let headers = host::request_headers();
    let headers = SessionHeaders::among(&headers);
    // Before anything else can end this function: a client that sets them would choose the host.
    if headers.has_reserved {
        // No client can give a request an outcome, and the filter removes a client's headers before it gives one.
        if host::has_outcome() {
            if let Some(plugin) = plugin {
                plugin.chain_watch.was_pinned_by_another(plugin.balancer.config());
            }
            return Handling::LeftToAnother;
        }
        override_header::remove_from_request();
    }
    match plugin {
        Some(plugin) if !headers.names_a_target => pin(plugin, stream, headers),
        _ => Handling::PLAIN,
    }
}

fn pin(plugin: &Plugin, stream: ContextId, headers: SessionHeaders<'_>) -> Handling {
    let config = plugin.balancer.config();
    let now = plugin.now();
    let mut was_without_hosts = false;
    let target_group = if let Some(only) = &config.only_target_group {
        Cow::Borrowed(only.as_str())
    } else {
        let Some(cluster) = host::target_group() else { return not_sticky(plugin, "") };
        if plugin.balancer.may_be_sticky(&cluster) {
            match plugin.balanced_clusters.find(&cluster, config, now) {
                Balanced::Yes => (),
                Balanced::No => return Handling::PLAIN,
                Balanced::Untold => was_without_hosts = true,
            }
        }
        Cow::Owned(cluster)
    };
    let request = Request {
        target_group: &target_group,
        route: if config.routes_choose() { route_metadata::choice() } else { RouteChoice::default() },
        cookies: headers.cookies,
        user_agent: headers.user_agent.unwrap_or_default(),
        forwarded_proto: headers.forwarded_proto.unwrap_or_default(),
        now,
    };
    let session = plugin.balancer.receive(&request, &|target_group, path| {
        empty_group::has_healthy_target(plugin.context, stream, target_group, path)
    });
    let Some(session) = session else { return not_sticky(plugin, &target_group) };
    if let Some(name) = session.unknown_policy() {
        warn_once(&format!("a route chooses the policy {name:?}, which is not under policies"));
    }
    if !is_pinned(plugin, &session) {
        // The request is balanced like any other, so it has no outcome: its cookie was good, and it is not pinned. The client
        // keeps its cookie, and with it its target for the next request.
        answer::give_up(plugin, session);
        return Handling::PLAIN;
    }
    // Now, because a stream may end without an answer, and when it has ended, it has been logged.
    host::set_outcome(session.outcome().word());
    Handling::Sticky(StickyRequest { session, settings: request.route, was_without_hosts })
}

/// The handling of a request that is not sticky as far as Envoy shows its cluster.
fn not_sticky(plugin: &Plugin, shown: &str) -> Handling {
    let is_compared = plugin.balancer.config().only_target_group.is_none() && plugin.route_watch.compares_other();
    Handling::NotSticky { compared_cluster: is_compared.then(|| shown.to_owned()) }
}

/// Tells Envoy the target group and the target that the cookies of the request name. Returns true if Envoy takes them.
fn is_pinned(plugin: &Plugin, session: &Session) -> bool {
    let rerouted = session.reroute().is_none_or(|group| host::replace_request_header(override_header::GROUP, group));
    rerouted
        && session.pin().is_none_or(|target| {
            let value = override_header::value(plugin.balancer.config().mechanism, target);
            host::replace_request_header(override_header::HOST, &value)
        })
}
