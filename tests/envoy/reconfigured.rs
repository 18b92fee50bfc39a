//! A configuration that changes between a request and its answer. The stream ends with the configuration that it began with,
//! and its cookie opens with the new one.

use local_envoy::{Config, Plugin};
use serde_json::{Value, json};

use stickiness::outcome::Outcome;

use harness::{
    Client, KEY, LoadBalancer, OTHER_KEY, Replaceable, Resources, Setup, WAIT, fetch, forge_with, name_the_node,
    sticky_config, wait_until,
};

use crate::steps::{has_not_crashed, ring};

fn setup(plugin: &Value) -> Setup<'static> {
    Setup { plugin: Some(Plugin::Struct(plugin.clone())), ..Setup::default() }
}

/// A test of a stream. The function that it gets replaces the configuration of the plugin.
type Change = fn(&LoadBalancer, &dyn Fn(&Value));

const CHANGES: [Change; 2] = [a_stream_outlives_a_rotation, a_stream_outlives_the_end_of_stickiness];

/// Rotates the keys while a request is in flight.
#[track_caller]
fn a_stream_outlives_a_rotation(lb: &LoadBalancer, push: &dyn Fn(&Value)) {
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    let target = lb.targets.iter().find(|target| target.is_named(&home)).unwrap();
    let waiting = client.begin(lb.sticky, WAIT);
    target.wait_for_waiting(1);

    push(&ring(&[OTHER_KEY, KEY]));
    let other = forge_with(OTHER_KEY, "web", &target.name_in_envoy(), 0);
    let line = format!("cookie: AWSALB={other}");
    wait_until("the other key to be in force", || {
        (0..4).all(|_| fetch(lb.sticky, "/", &[line.as_bytes()]).body == home)
    });

    target.release();
    let answer = waiting.join().unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, home.as_str()));
    assert_eq!(answer.cookie_names(), ["AWSALB", "AWSALBCORS"]);
    client.jar.insert("AWSALB".into(), answer.cookie("AWSALB").unwrap().to_owned());
    client.jar.insert("AWSALBCORS".into(), answer.cookie("AWSALBCORS").unwrap().to_owned());
    let pinned = lb.counted(Outcome::Pinned);
    for _ in 0..4 {
        assert_eq!(client.get(lb.sticky, "/").body, home);
    }
    assert_eq!((lb.counted(Outcome::Pinned), lb.counted(Outcome::Moved)), (pinned + 4, 0));
}

/// Turns stickiness off while a request is in flight.
#[track_caller]
fn a_stream_outlives_the_end_of_stickiness(lb: &LoadBalancer, push: &dyn Fn(&Value)) {
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    let target = lb.targets.iter().find(|target| target.is_named(&home)).unwrap();
    let waiting = client.begin(lb.sticky, WAIT);
    target.wait_for_waiting(1);
    push(&json!({ "target_groups": { "web": { "stickiness": { "enabled": false } } } }));
    wait_until("the end of stickiness", || fetch(lb.sticky, "/", &[]).set_cookies().is_empty());
    target.release();
    let answer = waiting.join().unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, home.as_str()));
    assert_eq!(answer.cookie_names(), ["AWSALB", "AWSALBCORS"]);
    has_not_crashed(&lb.envoy);
}

#[test]
fn a_stream_outlives_a_listener_that_is_replaced() {
    for change in CHANGES {
        let running = Replaceable::start(&setup(&ring(&[KEY])));
        change(&running.lb, &|plugin| running.replace(&setup(plugin)));
    }
}

/// The filter with this plugin configuration, as Envoy's discovery of extensions delivers it.
fn extension(plugin: &Value) -> Value {
    let mut config = sticky_config(&[], &setup(plugin));
    json!({
        "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
        "name": "sticky_sessions",
        "typed_config": config.http_filter("sticky", "sticky_sessions").unwrap()["typed_config"],
    })
}

#[test]
fn a_stream_outlives_a_filter_that_is_replaced() {
    for change in CHANGES {
        let filter = Resources::of(&extension(&ring(&[KEY])));
        let discover = |config: &mut Config| {
            name_the_node(config);
            *config.http_filter("sticky", "sticky_sessions").unwrap() = json!({
                "name": "sticky_sessions",
                "config_discovery": {
                    "config_source": filter.source(),
                    "type_urls": ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"]
                }
            });
        };
        let lb = LoadBalancer::start(&Setup { edit: &discover, ..Setup::default() });
        change(&lb, &|plugin| filter.replace(&extension(plugin)));
    }
}
