//! The sources of keys, keys that workers and Envoys share, and the rotation of keys.

use local_envoy::Plugin;
use serde_json::{Value, json};

use stickiness::outcome::Outcome;
use stickiness::trust::key_ring::CookieKind;

use harness::{
    Client, KEY, LoadBalancer, OTHER_KEY, Replaceable, Setup, answering, envoy_binary, fetch, forge, forge_as,
    forge_with, start_envoy, sticky_config, wait_until,
};

use crate::pool;
use crate::steps::{login, ring};

/// Returns `true` if a cookie sealed with `key` pins.
fn opens(lb: &LoadBalancer, key: &str) -> bool {
    let line = format!("cookie: AWSALB={}", forge_with(key, "web", &lb.targets[1].name_in_envoy(), 0)).into_bytes();
    (0..4).all(|_| fetch(lb.sticky, "/", &[&line]).body == "b")
}

#[test]
fn the_keys_of_the_environment_are_used_when_the_configuration_has_none() {
    let both = format!("{KEY},{OTHER_KEY}");
    let lb = LoadBalancer::start(&Setup { keys: Some(&both), ..Setup::default() });
    assert!(opens(&lb, KEY) && opens(&lb, OTHER_KEY));
    assert!(!lb.envoy.log().contains("random key"));
}

#[test]
fn the_keys_of_the_configuration_come_before_those_of_the_environment() {
    let config = ring(&[OTHER_KEY]).to_string();
    let lb = LoadBalancer::with_plugin(&config);
    assert!(opens(&lb, OTHER_KEY) && !opens(&lb, KEY));
}

#[test]
fn four_workers_share_one_random_key_and_one_warning_says_so() {
    let lb = LoadBalancer::start(&Setup {
        keys: None,
        workers: 4,
        edit: &|config| config.listener("sticky").unwrap()["stat_prefix"] = json!("sticky"),
        ..Setup::default()
    });
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    let connections = |worker: u32| {
        let name = format!("listener.sticky.worker_{worker}.downstream_cx_total");
        lb.envoy.admin().counter(&name).unwrap()
    };
    // The kernel chooses the worker of each connection.
    wait_until("every worker to have answered", || {
        assert_eq!(client.get(lb.sticky, "/").body, home);
        (0..4).all(|worker| connections(worker) > 1)
    });
    assert_eq!(lb.counted(Outcome::UnknownKey) + lb.counted(Outcome::Malformed), 0);
    assert_eq!(lb.envoy.log().matches("cookies are sealed with a random key").count(), 1, "{}", lb.envoy.log());
}

#[test]
fn another_process_with_a_random_key_of_its_own_does_not_open_the_cookie() {
    let setup = Setup { keys: None, ..Setup::default() };
    let here = LoadBalancer::start(&setup);
    let there = LoadBalancer::start(&setup);
    let mut client = Client::default();
    client.get(here.sticky, "/");
    client.get(there.sticky, "/");
    assert_eq!(there.counted(Outcome::UnknownKey), 1);
}

#[test]
fn two_envoys_with_one_key_and_their_targets_in_another_order_agree() {
    let here = LoadBalancer::start(&Setup { targets: &["a", "b", "c", "d"], ..Setup::default() });
    let mut addresses: Vec<_> = here.targets.iter().map(|target| target.address).collect();
    addresses.reverse();
    let envoy = start_envoy(&addresses[..3], &Setup::default());
    wait_until("the other Envoy to send to its three targets", || answering(&envoy, "web", 6) == 3);
    let there = envoy.address("sticky").unwrap();
    for _ in 0..8 {
        let mut client = Client::default();
        let home = client.get(here.sticky, "/").body;
        // The other Envoy does not have the first target.
        if home != "a" {
            assert_eq!(client.get(there, "/").body, home);
            assert_eq!(client.get(here.sticky, "/").body, home);
        }
    }
}

#[test]
fn keys_are_rotated_by_a_configuration_change_without_a_restart() {
    let start = ring(&[KEY]).to_string();
    let running = Replaceable::start(&Setup { plugin: Some(Plugin::Json(&start)), ..Setup::default() });
    let lb = &running.lb;
    let give = |keys: &[&str]| {
        let plugin = ring(keys).to_string();
        running.replace(&Setup { plugin: Some(Plugin::Json(&plugin)), ..Setup::default() });
    };
    assert!(opens(lb, KEY) && !opens(lb, OTHER_KEY));

    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    give(&[OTHER_KEY, KEY]);
    wait_until("the new key to be in force", || opens(lb, OTHER_KEY));
    assert!(opens(lb, KEY));
    assert_eq!(client.get(lb.sticky, "/").body, home);

    // The renewed cookie is sealed with the new key, so that the old key can be removed.
    give(&[OTHER_KEY]);
    wait_until("the old key to be gone", || !opens(lb, KEY));
    for _ in 0..4 {
        assert_eq!(client.get(lb.sticky, "/").body, home);
    }
    assert_eq!(lb.counted(Outcome::Moved), 0);
}

/// A key rotates with clients of this classic type, each of which comes once before the old key is dropped.
#[track_caller]
fn classic_sessions_survive_a_rotation(kind: CookieKind, stickiness: &Value, path: &str) {
    let config = |keys: &[&str]| {
        let mut config = ring(keys);
        config["target_groups"] = json!({ "web": { "stickiness": stickiness } });
        config
    };
    let setup = |keys: &[&str]| Setup { plugin: Some(Plugin::Struct(config(keys))), ..Setup::default() };
    let running = Replaceable::start(&setup(&[KEY]));
    let lb = &running.lb;
    let opens = |key| {
        let value = forge_as(kind, key, &[("web", &lb.targets[1].name_in_envoy(), 0)]);
        let line = format!("cookie: JSESSIONID=1; AWSELB={value}").into_bytes();
        (0..4).all(|_| fetch(lb.sticky, "/", &[&line]).body == "b")
    };
    let mut client = Client::default();
    let home = client.get(lb.sticky, path).body;
    let before = client.jar["AWSELB"].clone();

    running.replace(&setup(&[OTHER_KEY, KEY]));
    wait_until("the new key to be in force", || opens(OTHER_KEY));
    let response = client.get(lb.sticky, "/");
    assert_eq!((&response.body, response.cookie_names()), (&home, vec!["AWSELB", "AWSELBCORS"]), "{kind:?}");
    assert_ne!(client.jar["AWSELB"], before, "{kind:?}");
    let response = client.get(lb.sticky, "/");
    assert_eq!((&response.body, response.cookie_names()), (&home, vec![]), "{kind:?}");

    running.replace(&setup(&[OTHER_KEY]));
    wait_until("the old key to be gone", || !opens(KEY));
    for _ in 0..4 {
        assert_eq!(client.get(lb.sticky, "/").body, home, "{kind:?}");
    }
    assert_eq!(lb.counted(Outcome::Moved), 0, "{kind:?}");
}

#[test]
fn a_classic_session_that_is_used_survives_the_end_of_the_old_key() {
    let stickiness = json!({ "type": "classic_lb_cookie", "classic_lb_cookie": { "cookie_expiration_period": 900 } });
    classic_sessions_survive_a_rotation(CookieKind::ClassicLbCookie, &stickiness, "/");
}

#[test]
fn a_classic_session_that_follows_an_application_survives_the_end_of_the_old_key() {
    let stickiness = json!({ "type": "classic_app_cookie", "classic_app_cookie": { "cookie_name": "JSESSIONID" } });
    classic_sessions_survive_a_rotation(CookieKind::ClassicAppCookie, &stickiness, &login());
}

#[test]
fn a_wrong_ring_in_the_environment_is_refused_with_the_key_that_is_wrong() {
    let mut config = sticky_config(&[], &Setup::default());
    config.vm_environment(&[("STICKY_SESSIONS_KEYS", &format!("{KEY},old:s3cr3t"))]).unwrap();
    let answer = local_envoy::validate(envoy_binary(), &config, &[]).unwrap();
    assert!(!answer.accepted);
    assert!(answer.log.contains("STICKY_SESSIONS_KEYS: key 2: the secret is not base64"), "{}", answer.log);
    assert!(!answer.log.contains("s3cr3t"), "{}", answer.log);
}

#[test]
fn a_binding_of_one_target_group_is_of_no_use_for_another() {
    let lb = pool::shipped();
    let b = lb.targets[1].name_in_envoy();
    let line = format!("cookie: AWSALB={}", forge("api", &b, 0));
    let bodies = [0; 2].map(|_| fetch(lb.sticky, "/", &[line.as_bytes()]).body);
    assert_ne!(bodies[0], bodies[1]);
    assert_eq!(lb.counted(Outcome::WrongGroup), 2);
}
