//! Keys that are changed while requests are in flight.

use harness::{KEY, OTHER_KEY, Setup, counted, fetch, forge_with, start_envoy, wait_until};
use local_envoy::Envoy;
use serde_json::{Value, json};

use crate::filter_discovery::DiscoveredFilter;
use crate::fixture::{Backends, SETUP, crowd, go_on, wait_for_healthy};
use crate::verdict::Verdict;

/// A filter configuration with these keys, which are given as `id:secret`.
fn ring(keys: &[&str]) -> Value {
    let keys = keys.iter().map(|key| key.split_once(':').unwrap());
    json!({ "keys": keys.map(|(id, secret)| json!({ "id": id, "secret": secret })).collect::<Vec<_>>() })
}

/// An Envoy whose keys can be changed.
struct Instance {
    filter: DiscoveredFilter,
    envoy: Envoy,
}

impl Instance {
    fn start(backends: &Backends, keys: &[&str]) -> Self {
        let filter = DiscoveredFilter::with(&ring(keys));
        let setup = Setup { keys: None, edit: &|config| filter.discover(config), ..SETUP };
        let envoy = start_envoy(&backends.addresses(), &setup);
        wait_for_healthy(&envoy, SETUP.targets.len());
        Self { filter, envoy }
    }

    #[track_caller]
    fn change(&self, keys: &[&str]) {
        let [accepted, _] = DiscoveredFilter::COUNTERS;
        let counter = || self.envoy.admin().counter(accepted).unwrap();
        let before = counter();
        self.filter.push(&ring(keys));
        wait_until("Envoy to take the keys over", || counter() > before);
    }
}

/// The rotation in the README: first all instances can open cookies of the new key, then they seal with it one after the other. The
/// old key is removed when the cookies of all sessions have been renewed.
#[test]
fn sessions_stay_when_the_keys_of_two_instances_are_rotated() {
    let backends = Backends::start(SETUP.targets);
    let instances = [(); 2].map(|()| Instance::start(&backends, &[KEY]));
    let listeners = instances.each_ref().map(|instance| instance.envoy.address("sticky").unwrap());
    let crowd = crowd(&listeners, |_| ());
    for keys in [&[KEY, OTHER_KEY][..], &[OTHER_KEY, KEY]] {
        for instance in &instances {
            instance.change(keys);
            go_on(&crowd, 1);
        }
    }
    // Sessions take turns, so each of them now gets a cookie of the new key.
    go_on(&crowd, 2);
    for instance in &instances {
        instance.change(&[OTHER_KEY]);
        go_on(&crowd, 1);
    }
    let tally = crowd.stop();
    Verdict::on("keys of two Envoys rotated").report(&tally);
    for Instance { envoy, .. } in &instances {
        assert_eq!(counted(envoy, "web", "unknown_key"), 0);
        let old = format!("cookie: AWSALB={}", forge_with(KEY, "web", &backends.addresses()[0].to_string(), 0));
        fetch(envoy.address("sticky").unwrap(), "/", &[old.as_bytes()]);
        assert_eq!(counted(envoy, "web", "unknown_key"), 1, "the old key is gone");
    }
}
