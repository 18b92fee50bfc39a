//! Tells the clusters to which Envoy balances requests from those in which the request itself names its target.
//!
//! In a cluster of the type `ORIGINAL_DST` or `dynamic_forward_proxy` the requested address decides. A pin would override it, and send
//! a request for one host to another one. Envoy shows a filter no cluster's type, and its `stateful_session` overrides the address in
//! every cluster. These are the signs that there are:
//!
//! - the operator says so, in the cluster's metadata: `filter_metadata.sticky_sessions.enabled: false`;
//! - the cluster has one of the names that Istio gives to such clusters, and the configuration does not name it;
//! - the request has the header from which Envoy's `ORIGINAL_DST` clusters take the address;
//! - the cluster had no host when a request came, a host without a locality answered, and then the cluster had one: it makes hosts of
//!   requests. A cluster that the configuration names is not judged by this.

use std::cell::RefCell;
use std::time::Duration;

use stickiness::config::Config;
use stickiness::slots::{Slots, hash};
use stickiness::time::Timestamp;

use crate::host;
use crate::route_metadata::flag;
use crate::warn_once::warn_once;

/// With `original_dst_lb_config.use_http_header`, Envoy takes the target from this header of the request.
///
/// <https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/upstream/load_balancing/original_dst>
pub(crate) const REQUESTED_TARGET: &[u8] = b"x-envoy-original-dst-host";

/// Istio's clusters for requests to addresses outside of the mesh and to ports without a service, and for requests to nowhere
/// (`pilot/pkg/networking/util/util.go`).
const PASSTHROUGH: [&str; 5] = [
    "PassthroughCluster",
    "InboundPassthroughCluster",
    "InboundPassthroughClusterIpv4",
    "InboundPassthroughClusterIpv6",
    "BlackHoleCluster",
];

/// The metadata of a cluster is asked for again after this time, because the cluster can be replaced.
const MAX_AGE: Duration = Duration::from_mins(1);

/// The clusters whose metadata is kept. Two clusters with one place take turns in it.
const PLACES: usize = 1024;

/// The answer to the question: does Envoy balance the requests to a cluster?
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Balanced {
    /// It does, as far as the filter can tell.
    Yes,
    /// The request names its target, or the operator says so.
    No,
    /// The cluster has no host yet. The answer tells.
    Untold,
}

/// The answers for the clusters of a plugin in one worker. Each costs at most three calls in [`MAX_AGE`].
#[derive(Default)]
pub(crate) struct BalancedClusters(RefCell<Slots<Option<Kept>, PLACES>>);

struct Kept {
    /// The hash of the cluster's name.
    cluster: u64,
    is_balanced: Balanced,
    read_at: Timestamp,
}

impl BalancedClusters {
    /// Finds out whether requests to the cluster of the request that is at work may be pinned.
    pub(crate) fn find(&self, cluster: &str, config: &Config, now: Timestamp) -> Balanced {
        if PASSTHROUGH.contains(&cluster) && !config.names(cluster) {
            return Balanced::No;
        }
        self.place(cluster, |hash, place| match place {
            Some(kept) if kept.cluster == hash && now.since(kept.read_at) < MAX_AGE => kept.is_balanced,
            _ => {
                let is_balanced = read(cluster, config.names(cluster));
                // A cluster without hosts is asked for again with the next request.
                *place = (is_balanced != Balanced::Untold).then_some(Kept { cluster: hash, is_balanced, read_at: now });
                is_balanced
            }
        })
    }

    /// Learns from an answer by a host of a cluster that had none. Returns true if the cluster makes hosts of requests.
    pub(crate) fn learn(&self, cluster: &str, now: Timestamp) -> bool {
        if !has_made_host() {
            self.keep(cluster, Balanced::Yes, now);
            return false;
        }
        host::store_shared_data_first(&mark(cluster), b"1");
        warn_once(&format!(
            "the cluster {cluster:?} makes hosts of requests, so the requests name their targets, and it is not sticky; name it in \
             target_groups, with stickiness.enabled: false, or to have it sticky all the same"
        ));
        self.keep(cluster, Balanced::No, now);
        true
    }

    fn keep(&self, cluster: &str, is_balanced: Balanced, now: Timestamp) {
        self.place(cluster, |hash, place| *place = Some(Kept { cluster: hash, is_balanced, read_at: now }));
    }

    fn place<T>(&self, cluster: &str, visit: impl FnOnce(u64, &mut Option<Kept>) -> T) -> T {
        let hash = hash(cluster.bytes());
        visit(hash, self.0.borrow_mut().get_mut(hash).unwrap_or(&mut None))
    }
}

fn read(cluster: &str, is_named: bool) -> Balanced {
    let is_marked = || matches!(host::shared_data(&mark(cluster)), Ok(Some(_)));
    if is_off() || (!is_named && is_marked()) {
        Balanced::No
    } else if !is_named && host::hosts_in_cluster() == Some(0) {
        Balanced::Untold
    } else {
        Balanced::Yes
    }
}

/// Returns true if the cluster, which had no host, has made the one that answers.
///
/// Envoy counts the hosts of a cluster in its statistics. So there is none in an aggregate cluster, and in any cluster if
/// `stats_config` leaves out `membership_total`. Then hosts answer all the same, and each request would cost the same questions.
///
/// An endpoint that discovery has added while the request waited in a later filter looks like a host that was made, unless it has a
/// locality. Envoy gives none to the hosts that it makes.
fn has_made_host() -> bool {
    host::hosts_in_cluster().is_some_and(|hosts| hosts > 0) && !host::upstream_has_locality()
}

/// Where the workers share that a cluster makes hosts of requests.
fn mark(cluster: &str) -> String {
    format!("sticky_sessions.makes_hosts.{cluster}")
}

/// Returns true if the metadata of the cluster turns stickiness off.
fn is_off() -> bool {
    let Some(enabled) = host::cluster_metadata_enabled() else { return false };
    let enabled = flag(&enabled);
    if enabled.is_none() {
        warn_once("the metadata of a cluster: sticky_sessions.enabled is not true or false");
    }
    enabled == Some(false)
}
