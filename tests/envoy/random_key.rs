//! The random key of a process: who else can reach it, and when it ends.

use std::time::Duration;

use data_encoding::BASE64;
use local_envoy::{Config, Envoy, Settings};
use serde_json::{Value, json};

use stickiness::outcome::Outcome;
use stickiness::trust::key_ring::Key;

use harness::{
    Client, LoadBalancer, Resources, Setup, Target, counted, discover_listeners, discovered_listener, envoy_binary,
    fetch, forge_with, sticky_config, wait_until, wasm,
};

use crate::documents;
use crate::steps::has_not_crashed;

const SECRET: [u8; 32] = *b"a secret that somebody has known";

/// Where the filter keeps its random key, and the format in which it does.
const SHARED_KEY: &str = "sticky_sessions.random_key";
const FORMAT: &[u8] = b"sticky_sessions 1:";

/// A plugin of somebody else, which stores this value in the place of the random key when its first VM starts.
fn foreign_plugin(value: &[u8], vm_id: Option<&str>) -> Value {
    let value_in_wat = value.iter().map(|byte| format!("\\{byte:02x}")).collect::<Vec<_>>().concat();
    let (key_length, value_length) = (SHARED_KEY.len(), value.len());
    let module = format!(
        r#"(module
            (import "env" "proxy_set_shared_data" (func $set (param i32 i32 i32 i32 i32) (result i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "{SHARED_KEY}")
            (data (i32.const 256) "{value_in_wat}")
            (func (export "proxy_abi_version_0_2_1"))
            (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 4096))
            (func (export "proxy_on_context_create") (param i32 i32))
            (func (export "proxy_on_configure") (param i32 i32) (result i32) (i32.const 1))
            (func (export "proxy_on_vm_start") (param i32 i32) (result i32)
                (drop (call $set (i32.const 0) (i32.const {key_length}) (i32.const 256) (i32.const {value_length}) (i32.const -1)))
                (i32.const 1)))"#
    );
    let code = BASE64.encode(&wat::parse_str(module).unwrap());
    let mut vm = json!({ "runtime": "envoy.wasm.runtime.v8", "code": { "local": { "inline_bytes": code } } });
    if let Some(vm_id) = vm_id {
        vm["vm_id"] = json!(vm_id);
    }
    json!({
        "name": "foreign",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": { "name": "foreign", "vm_config": vm }
        }
    })
}

/// The filter without keys, after this plugin of somebody else.
#[track_caller]
fn after(foreign: &Value) -> LoadBalancer {
    let edit = |config: &mut Config| config.http_filters("sticky").unwrap().insert(0, foreign.clone());
    LoadBalancer::start(&Setup { keys: None, edit: &edit, ..Setup::default() })
}

/// A key in the format of the filter.
fn planted() -> Vec<u8> {
    [FORMAT, &SECRET, &Key::new(&SECRET).tag()].concat()
}

/// Returns true if a cookie that is sealed with the planted key pins.
fn opens_planted(lb: &LoadBalancer) -> bool {
    let key = format!("planted:{}", BASE64.encode(&SECRET));
    let line = format!("cookie: AWSALB={}", forge_with(&key, "web", &lb.targets[1].name_in_envoy(), 0));
    (0..4).all(|_| fetch(lb.sticky, "/", &[line.as_bytes()]).body == "b")
}

#[track_caller]
fn is_sticky(lb: &LoadBalancer) {
    let mut client = Client::default();
    let home = client.get(lb.sticky, "/").body;
    for _ in 0..4 {
        assert_eq!(client.get(lb.sticky, "/").body, home);
    }
    has_not_crashed(&lb.envoy);
}

const DRAWN: &str = "cookies are sealed with a random key";

#[test]
fn a_foreign_value_in_the_place_of_the_random_key_is_replaced_with_a_warning() {
    for value in [vec![7; 32], b"short".to_vec(), [FORMAT, &SECRET, b"name"].concat()] {
        let lb = after(&foreign_plugin(&value, Some("sticky_sessions")));
        let log = lb.envoy.log();
        assert!(log.contains("is no key of this filter: another plugin with its vm_id stored it"), "{log}");
        assert_eq!(log.matches(DRAWN).count(), 1, "{log}");
        is_sticky(&lb);
    }
}

#[test]
fn a_random_key_that_another_plugin_has_planted_is_named_in_the_log() {
    let lb = after(&foreign_plugin(&planted(), Some("sticky_sessions")));
    let log = lb.envoy.log();
    let tag = u32::from_be_bytes(Key::new(&SECRET).tag());
    assert!(log.contains(&format!("the random key {tag:08x} was there already")), "{log}");
    assert_eq!(log.matches(DRAWN).count(), 0, "{log}");
    // A plugin with the same vm_id can do all that the filter can. So nothing but the log tells it.
    assert!(opens_planted(&lb));
}

#[test]
fn a_plugin_without_the_vm_id_of_the_filter_plants_no_key() {
    for vm_id in [None, Some("another")] {
        let lb = after(&foreign_plugin(&planted(), vm_id));
        assert!(!opens_planted(&lb), "{vm_id:?}");
        assert_eq!(lb.envoy.log().matches(DRAWN).count(), 1, "{}", lb.envoy.log());
        is_sticky(&lb);
    }
}

#[test]
fn a_random_key_without_a_vm_id_is_warned_of() {
    let edit = |config: &mut Config| {
        let filter = config.http_filter("sticky", "sticky_sessions").unwrap();
        filter["typed_config"]["config"]["vm_config"].as_object_mut().unwrap().remove("vm_id");
    };
    let warning = "no vm_id in vm_config: every other wasm plugin without a vm_id can read and replace the random key";
    let warnings = |keys| {
        let lb = LoadBalancer::start(&Setup { keys, workers: 2, edit: &edit, ..Setup::default() });
        lb.envoy.log().matches(warning).count()
    };
    assert_eq!(warnings(None), 1);
    assert_eq!(warnings(Setup::default().keys), 0);
    let log = LoadBalancer::start(&Setup { keys: None, ..Setup::default() }).envoy.log();
    assert!(!log.contains(warning), "{log}");
}

/// Envoy with a sticky listener that goes and comes back.
struct Coming {
    envoy: Envoy,
    _targets: Vec<Target>,
    listener: Resources,
    resource: Value,
}

impl Coming {
    #[track_caller]
    fn start(edit: &dyn Fn(&mut Config)) -> Self {
        let setup = Setup { keys: None, ..Setup::default() };
        let targets = setup.start_targets();
        let addresses: Vec<_> = targets.iter().map(|target| target.address).collect();
        let mut config = sticky_config(&addresses, &setup);
        let resource = discovered_listener(&mut config);
        let listener = Resources::of(&resource);
        config.remove_listener("sticky").unwrap();
        discover_listeners(&mut config, &listener);
        edit(&mut config);
        let settings = Settings { drain: Some(Duration::from_secs(1)), ..setup.settings() };
        let envoy = Envoy::start(envoy_binary(), &config, settings).unwrap();
        Self { envoy, _targets: targets, listener, resource }
    }

    /// The VMs of wasm plugins that exist.
    fn vms(&self) -> u64 {
        self.envoy.admin().counter("wasm.envoy.wasm.runtime.v8.active").unwrap()
    }

    /// Takes the listener away until so many VMs are left, and brings it back. Returns the outcome that a client of before has.
    #[track_caller]
    fn go_and_come_back(&self, vms_that_stay: u64) -> Outcome {
        let mut client = Client::default();
        let sticky = self.envoy.admin().listener("sticky").unwrap();
        wait_until("a cookie", || !client.get(sticky, "/").set_cookies().is_empty());
        self.listener.remove();
        wait_until("the VMs to end", || self.vms() == vms_that_stay);
        self.listener.replace(&self.resource);
        wait_until("the listener to be back", || self.envoy.admin().listener("sticky").is_ok());
        assert_eq!(client.get(self.envoy.admin().listener("sticky").unwrap(), "/").status, 200);
        let outcomes = Outcome::ALL.into_iter().filter(|outcome| *outcome != Outcome::NoCookie);
        let mut counted = outcomes.filter(|outcome| counted(&self.envoy, "web", outcome.word()) > 0);
        counted.next().unwrap()
    }
}

#[test]
fn the_random_key_ends_with_the_last_listener_that_has_the_filter() {
    assert_eq!(Coming::start(&|_| ()).go_and_come_back(0), Outcome::UnknownKey);
}

/// The lines of docs/operations.md that keep the random key: the filter as a service of the process.
fn keep_the_key(config: &mut Config) {
    let mut extensions = documents::wasm_service()["bootstrap_extensions"].clone();
    extensions[0]["typed_config"]["config"]["vm_config"]["code"] = json!({ "local": { "filename": wasm() } });
    config.value_mut()["bootstrap_extensions"] = extensions;
}

#[test]
fn the_random_key_outlives_the_listener_where_a_service_of_the_process_holds_it() {
    let running = Coming::start(&keep_the_key);
    assert_eq!(running.go_and_come_back(2), Outcome::Pinned);
    assert_eq!(running.envoy.log().matches(DRAWN).count(), 1, "{}", running.envoy.log());
}
