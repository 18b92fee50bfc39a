//! Load balancers that tests use one after another, because the start of an Envoy costs more than most tests.
//!
//! The next test replaces the sticky listener by its own, and finds all counters at 0. No other test uses the load balancer at
//! the same time. There is no `&mut`, so a test cannot kill a target. A test starts a load balancer of its own when it changes
//! a target or a cluster, holds requests back, counts lines of the log, or makes the filter busy or crash.

use std::ops::Deref;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use harness::{
    KEY, LoadBalancer, Resources, Setup, Target, Weighted, answering, discover_listeners, discovered_listener,
    envoy_binary, shipped_weighted, sticky_config, wait_until,
};
use local_envoy::{Child, Config, Envoy, Plugin, Settings};
use serde_json::{Value, json};

/// A member of a pool. Drop returns it, unless the test panics.
pub(crate) struct Lease<M: 'static> {
    member: Option<M>,
    idle: &'static Idle<M>,
}

type Idle<M> = Mutex<Vec<M>>;

/// A load balancer of the pool.
pub(crate) type Pooled = Lease<Member>;

/// A weighted load balancer of the pool.
pub(crate) type PooledWeighted = Lease<WeightedMember>;

/// A load balancer with the shipped configuration.
#[track_caller]
pub(crate) fn shipped() -> Pooled {
    start(&Setup::default())
}

/// A load balancer with this plugin configuration, and otherwise the shipped one.
#[track_caller]
pub(crate) fn with(plugin: Value) -> Pooled {
    with_plugin(Plugin::Struct(plugin))
}

/// As [`with`], for JSON text.
#[track_caller]
pub(crate) fn with_json(plugin: &str) -> Pooled {
    with_plugin(Plugin::Json(plugin))
}

/// As [`with`], for every form of the plugin configuration.
#[track_caller]
pub(crate) fn with_plugin(plugin: Plugin<'_>) -> Pooled {
    start(&Setup { plugin: Some(plugin), ..Setup::default() })
}

/// A load balancer with this setup, in which only the sticky listener may differ from the shipped configuration.
#[track_caller]
pub(crate) fn start(setup: &Setup<'_>) -> Pooled {
    static IDLE: Idle<Member> = Mutex::new(Vec::new());

    let shipped = Setup::default();
    assert_eq!((setup.targets, setup.workers, setup.keys), (shipped.targets, shipped.workers, shipped.keys));
    let listener = only_listener(&mut sticky_config(&[], setup), &mut sticky_config(&[], &shipped));
    let mut member = take(&IDLE).unwrap_or_else(|| Member::start(&listener));
    if member.listener != listener {
        member.replace(listener);
    }
    member.lb.wait_for_healthy(member.lb.targets.len());
    member.lb.targets.iter().for_each(Target::forget);
    reset_counters(&member.lb.envoy);
    Lease { member: Some(member), idle: &IDLE }
}

/// A weighted load balancer with the shipped configuration.
#[track_caller]
pub(crate) fn shipped_weights() -> PooledWeighted {
    weighted(|_| ())
}

/// A weighted load balancer with the shipped configuration, of which only the sticky listener may be edited.
#[track_caller]
pub(crate) fn weighted(edit: impl Fn(&mut Config)) -> PooledWeighted {
    static IDLE: Idle<WeightedMember> = Mutex::new(Vec::new());
    static NEXT: AtomicU64 = AtomicU64::new(0);

    let mut edited = shipped_weighted();
    edit(&mut edited);
    only_listener(&mut edited, &mut shipped_weighted());
    let member = take(&IDLE).unwrap_or_else(|| {
        let lb = Weighted::shipped();
        WeightedMember { _cleaner: cleaner(&lb.envoy), lb }
    });
    member.lb.replace(|config| {
        edit(config);
        // Envoy ignores a listener that is equal to the one before.
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        config.listener("sticky").unwrap()["metadata"] = json!({ "filter_metadata": { "test": { "number": number } } });
    });
    for group in ["blue", "green"] {
        wait_until("both targets of each group", || answering(&member.lb.envoy, group, 4) == 2);
    }
    reset_counters(&member.lb.envoy);
    Lease { member: Some(member), idle: &IDLE }
}

/// The sticky listener of a configuration, which has no other difference from the shipped one.
#[track_caller]
fn only_listener(config: &mut Config, shipped: &mut Config) -> Value {
    let listener = discovered_listener(config);
    for config in [&mut *config, &mut *shipped] {
        config.remove_listener("sticky").unwrap();
    }
    assert_eq!(config.value(), shipped.value(), "this test needs an Envoy of its own");
    listener
}

fn reset_counters(envoy: &Envoy) {
    envoy.admin().post("/reset_counters").unwrap();
}

fn take<M>(idle: &Idle<M>) -> Option<M> {
    idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

/// A load balancer whose sticky listener is in a file.
pub(crate) struct Member {
    lb: LoadBalancer,
    listener: Value,
    file: Resources,
    _cleaner: Child,
}

/// A weighted load balancer.
pub(crate) struct WeightedMember {
    lb: Weighted,
    _cleaner: Child,
}

impl Member {
    #[track_caller]
    fn start(listener: &Value) -> Self {
        let targets = Setup::default().start_targets();
        let addresses: Vec<_> = targets.iter().map(|target| target.address).collect();
        let file = Resources::of(listener);
        let mut config = sticky_config(&addresses, &Setup::default());
        config.remove_listener("sticky").unwrap();
        discover_listeners(&mut config, &file);
        let settings = Settings {
            environment: vec![("STICKY_SESSIONS_KEYS".to_owned(), KEY.to_owned())],
            // A listener that was replaced is gone after this time.
            drain: Some(Duration::from_secs(1)),
            ..Settings::default()
        };
        let envoy = Envoy::start(envoy_binary(), &config, settings).unwrap_or_else(|error| panic!("{error}"));
        let cleaner = cleaner(&envoy);
        Self { lb: LoadBalancer::of(envoy, targets), listener: listener.clone(), file, _cleaner: cleaner }
    }

    #[track_caller]
    fn replace(&mut self, listener: Value) {
        // Counted when the one worker has taken the listener over.
        let taken_over = || self.lb.envoy.admin().counter("listener_manager.listener_create_success").unwrap();
        let before = taken_over();
        self.file.replace(&listener);
        wait_until("the worker to take the listener over", || taken_over() > before);
        self.listener = listener;
    }
}

/// Removes the folders of an Envoy when this process has ended. A static is never dropped: an idle Envoy ends together with
/// this process, as every [`Child`], but its folders would stay.
fn cleaner(envoy: &Envoy) -> Child {
    let info = envoy.admin().json("/server_info").unwrap();
    let dump = envoy.admin().json("/config_dump?mask=bootstrap.dynamic_resources").unwrap();
    let listeners = dump.pointer("/configs/0/bootstrap/dynamic_resources/lds_config/path_config_source/path");
    let files = [&info["command_line_options"]["config_path"], listeners.unwrap()];
    let folders = files.map(|file| Path::new(file.as_str().unwrap()).parent().unwrap());
    let mut command = Command::new("sh");
    command.args(["-c", r#"trap 'rm -rf -- "$@"; exit' TERM; read -r _; rm -rf -- "$@""#, "cleaner"]).args(folders);
    Child::spawn_listening(&mut command).unwrap_or_else(|error| panic!("{error}"))
}

impl<M> Deref for Lease<M> {
    type Target = M;

    fn deref(&self) -> &M {
        self.member.as_ref().unwrap()
    }
}

impl Deref for Member {
    type Target = LoadBalancer;

    fn deref(&self) -> &LoadBalancer {
        &self.lb
    }
}

impl Deref for WeightedMember {
    type Target = Weighted;

    fn deref(&self) -> &Weighted {
        &self.lb
    }
}

impl<M> Drop for Lease<M> {
    fn drop(&mut self) {
        if let Some(member) = self.member.take().filter(|_| !std::thread::panicking()) {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(member);
        }
    }
}
