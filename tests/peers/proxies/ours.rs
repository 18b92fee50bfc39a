//! Our filter with AWS's defaults. It supports the features for which AWS has a parameter; scenarios name the options for the
//! rest.

use harness::{forge, forge_ahead};
use serde_json::{Value, json};

use super::envoy;
use super::{Fixture, Proxy, Refusal, Running};
use crate::pools::{Feature, Pool, merge};
use crate::scenario::Origin;

pub(super) struct StickySessions;

impl Proxy for StickySessions {
    fn name(&self) -> &'static str {
        "sticky-sessions"
    }

    fn version(&self) -> Option<String> {
        Some(format!("sticky-sessions {} on {}", env!("CARGO_PKG_VERSION"), envoy::version()?))
    }

    fn origin(&self) -> Option<Origin> {
        None
    }

    fn start(&self, fixture: &Fixture<'_>) -> Result<Box<dyn Running>, Refusal> {
        let mut plugin = json!({ "target_groups": {} });
        let mut routes = Vec::new();
        let mut clusters = Vec::new();
        for (name, pool) in &fixture.pools.0 {
            let stickiness = json!({ "stickiness": stickiness(pool) });
            if pool.groups.is_empty() {
                plugin["target_groups"][name] = stickiness;
                clusters.push(envoy::cluster(fixture, name, pool, &pool.members()));
                let route = json!({ "match": envoy::matching(name), "route": envoy::action(pool, name) });
                routes.insert(if name == "web" { routes.len() } else { 0 }, route);
                continue;
            }
            for group in pool.groups.keys() {
                plugin["target_groups"][group] = stickiness.clone();
                let members: Vec<_> =
                    pool.members().into_iter().filter(|(_, member)| member.group.as_ref() == Some(group)).collect();
                clusters.push(envoy::cluster(fixture, group, pool, &members));
            }
            let groups: Vec<&String> = pool.groups.keys().collect();
            let rule = json!({ "target_groups": groups, "target_group_stickiness": { "duration_seconds": 86400 } });
            plugin["rules"] = json!([rule]);
            routes.extend(weighted(name, pool));
        }
        if let Some(options) = fixture.options {
            merge_present(&mut plugin, &options.plugin);
            for cluster in &mut clusters {
                merge_present(cluster, &options.cluster);
            }
            routes.splice(..0, options.routes.iter().cloned());
        }
        let filters = |filters: &mut Vec<Value>| {
            let filter = filters.iter_mut().find(|filter| filter["name"] == "sticky_sessions").unwrap();
            filter["typed_config"]["config"]["configuration"]["value"] = plugin;
        };
        envoy::start(filters, &routes, &clusters)
    }

    fn dated(&self, fixture: &Fixture<'_>, backend: &str, seconds_ago: i64) -> Option<String> {
        let target = fixture.backends.address(backend).to_string();
        let value = match u64::try_from(seconds_ago) {
            Ok(age) => forge("web", &target, age),
            Err(_) => forge_ahead("web", &target, seconds_ago.unsigned_abs()),
        };
        Some(format!("AWSALB={value}"))
    }
}

fn merge_present(into: &mut Value, patch: &Value) {
    if !patch.is_null() {
        merge(into, patch);
    }
}

/// AWS's stickiness of this type and duration.
fn stickiness(pool: &Pool) -> Value {
    let mut duration = 86_400;
    let mut followed = None;
    let mut enabled = true;
    for feature in &pool.features {
        match feature {
            Feature::NotSticky => enabled = false,
            Feature::Idle(seconds) | Feature::Life(seconds) | Feature::Lifetime(seconds) => duration = *seconds,
            Feature::Follow(name) | Feature::FollowRequests(name) => followed = Some(name),
            _ => (),
        }
    }
    match followed {
        Some(name) => json!({
            "enabled": enabled,
            "type": "app_cookie",
            "app_cookie": { "cookie_name": name, "duration_seconds": duration }
        }),
        None => json!({ "enabled": enabled, "lb_cookie": { "duration_seconds": duration } }),
    }
}

/// One route for each group, and one that weighs the groups.
fn weighted(name: &str, pool: &Pool) -> Vec<Value> {
    let of = |group: &String| {
        let mut matching = envoy::matching(name);
        matching["headers"] = json!([{ "name": "x-sticky-session-group", "string_match": { "exact": group } }]);
        json!({ "match": matching, "route": envoy::action(pool, group) })
    };
    let shares: Vec<Value> =
        pool.groups.iter().map(|(group, share)| json!({ "name": group, "weight": share })).collect();
    let all = json!({ "match": envoy::matching(name), "route": { "weighted_clusters": { "clusters": shares } } });
    pool.groups.keys().map(of).chain([all]).collect()
}
