//! A configuration at work in one worker, and everything else that its streams share.

use std::rc::Rc;

use hostcalls::ContextId;
use stickiness::balancer::Balancer;
use stickiness::outcome::Outcome;
use stickiness::time::Timestamp;

use crate::balanced_clusters::BalancedClusters;
use crate::chain_watch::ChainWatch;
use crate::counters::{Counters, Event};
use crate::pin_watch::PinWatch;
use crate::route_watch::RouteWatch;
use crate::ticker::Ticker;

/// A configuration at work.
pub(crate) struct Plugin {
    /// The context of the plugin.
    pub(crate) context: ContextId,
    pub(crate) balancer: Balancer,
    pub(crate) balanced_clusters: BalancedClusters,
    pub(crate) chain_watch: ChainWatch,
    pub(crate) pin_watch: PinWatch,
    pub(crate) route_watch: RouteWatch,
    ticker: Rc<Ticker>,
    counters: Rc<Counters>,
}

impl Plugin {
    pub(crate) fn new(context: ContextId, balancer: Balancer, ticker: Rc<Ticker>) -> Self {
        let counters = Counters::of_this_worker();
        let (balanced_clusters, chain_watch, pin_watch, route_watch) = Default::default();
        Self { context, balancer, balanced_clusters, chain_watch, pin_watch, route_watch, ticker, counters }
    }

    /// The time; in a busy worker it may lag behind.
    pub(crate) fn now(&self) -> Timestamp {
        self.ticker.now()
    }

    /// Counts the outcome of a request.
    pub(crate) fn count(&self, target_group: &str, outcome: Outcome) {
        self.count_event(target_group, Event::Outcome(outcome));
    }

    /// Counts an answer that was given cookies.
    pub(crate) fn count_issued(&self, target_group: &str) {
        self.count_event(target_group, Event::Issued);
    }

    /// Where the worker is busy, Envoy is told with the next tick.
    fn count_event(&self, target_group: &str, event: Event) {
        self.counters.with(target_group, event, |counter| {
            counter.add();
            if !self.ticker.is_ticking() {
                counter.tell();
            }
        });
    }
}

impl Drop for Plugin {
    /// No tick may come any more.
    fn drop(&mut self) {
        self.counters.tell();
    }
}
