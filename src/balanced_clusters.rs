//! Tells the clusters to which Envoy balances requests from those in which the request itself names its target.
//!
//! In a cluster of the type `ORIGINAL_DST` or `dynamic_forward_proxy` the requested address decides. A pin would override it, and send
//! a request for one host to another one. Envoy shows a filter no cluster's type, and its `stateful_session` overrides the address in
//! every cluster. These are the signs that there are:
//!
//! - the operator says so, in the cluster's metadata: `filter_metadata.sticky_sessions.enabled: false`;
//! - the cluster has one of the names that Istio gives to such clusters, and the configuration does not name it;
//! - the request has the header from which Envoy's `ORIGINAL_DST` clusters take the address.

use std::cell::RefCell;
use std::time::Duration;

use stickiness::config::Config;
use stickiness::time::Timestamp;

use crate::host;
use crate::name_hash::name_hash;
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
const PLACES: u64 = 1024;

/// What the metadata of clusters says. Each cluster costs one call in [`MAX_AGE`].
#[derive(Default)]
pub(crate) struct BalancedClusters(RefCell<Vec<Option<Metadata>>>);

struct Metadata {
    /// The hash of the cluster's name.
    cluster: u64,
    is_off: bool,
    read_at: Timestamp,
}

impl BalancedClusters {
    /// Returns true if this configuration may pin requests to the cluster of the request that is at work.
    pub(crate) fn contains(&self, cluster: &str, config: &Config, now: Timestamp) -> bool {
        (!PASSTHROUGH.contains(&cluster) || config.names(cluster)) && !self.is_off(cluster, now)
    }

    fn is_off(&self, cluster: &str, now: Timestamp) -> bool {
        let mut places = self.0.borrow_mut();
        if places.is_empty() {
            places.resize_with(usize::try_from(PLACES).unwrap_or_default(), || None);
        }
        let cluster = name_hash(cluster);
        let Some(place) = usize::try_from(cluster % PLACES).ok().and_then(|place| places.get_mut(place)) else {
            return is_off();
        };
        match place {
            Some(kept) if kept.cluster == cluster && now.since(kept.read_at) < MAX_AGE => kept.is_off,
            _ => place.insert(Metadata { cluster, is_off: is_off(), read_at: now }).is_off,
        }
    }
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
