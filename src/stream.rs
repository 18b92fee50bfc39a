//! One request and its answer.

mod answer;
mod request;

use std::mem;
use std::rc::Rc;

use hostcalls::ContextId;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;
use stickiness::balancer::Session;
use stickiness::exchange::RouteChoice;

use crate::override_header;
use crate::plugin::Plugin;

/// One request and its answer.
pub(crate) struct Stream {
    context: ContextId,
    /// `None` before the first configuration.
    plugin: Option<Rc<Plugin>>,
    handling: Handling,
}

/// How the filter handles a request.
#[allow(clippy::large_enum_variant, reason = "a session in a box would cost every request an allocation")]
enum Handling {
    /// It is sticky, and its outcome is not counted yet.
    Sticky(StickyRequest),
    /// It is not sticky, or it has been answered.
    NotSticky {
        /// The cluster that Envoy showed for it, if the answer is to be compared with it.
        compared_cluster: Option<String>,
    },
    /// Another instance of the filter, which stands before this one in the chain, has pinned it.
    LeftToAnother,
}

/// A request to a sticky target group, and the facts that were known when it came.
struct StickyRequest {
    session: Session,
    /// The settings of the route that Envoy showed.
    settings: RouteChoice,
    /// True if the cluster had no host.
    was_without_hosts: bool,
}

impl Handling {
    /// The handling of a request that has nothing to do with the filter.
    const PLAIN: Self = Self::NotSticky { compared_cluster: None };
}

impl Stream {
    pub(crate) fn new(context: ContextId, plugin: Option<Rc<Plugin>>) -> Self {
        Self { context, plugin, handling: Handling::PLAIN }
    }
}

impl Context for Stream {}

// xtask keeps the callbacks that are implemented here in the module that ships (`KEPT` of the pass `prune`).
impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        self.handling = request::receive(self.plugin.as_deref(), self.context);
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        match (mem::replace(&mut self.handling, Handling::PLAIN), &self.plugin) {
            (Handling::Sticky(request), Some(plugin)) => answer::answer(plugin, request),
            (Handling::LeftToAnother, _) => self.handling = Handling::LeftToAnother,
            (Handling::NotSticky { compared_cluster: Some(shown) }, Some(plugin)) => {
                override_header::remove_from_answer();
                plugin.route_watch.compare_other(&shown, |cluster| plugin.balancer.config().policy(cluster).is_some());
            }
            _ => override_header::remove_from_answer(),
        }
        Action::Continue
    }
}

impl Drop for Stream {
    /// A stream that ends without an answer, because the client left, has an outcome too. Envoy's own callbacks at the end of a
    /// stream would cost every stream a call.
    fn drop(&mut self) {
        if let (Handling::Sticky(request), Some(plugin)) =
            (mem::replace(&mut self.handling, Handling::PLAIN), &self.plugin)
        {
            answer::end_unanswered(plugin, request.session);
        }
    }
}
