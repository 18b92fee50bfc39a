//! Load balancers that tests use one after another, because the start of an Envoy costs more than most tests.
//!
//! A test uses its load balancer alone, and all counters start at 0. There is no `&mut`, so it cannot kill a target. A test
//! that changes a target, holds requests back, reads the access log, or makes the filter busy or crash starts a load balancer
//! of its own.

use std::ops::Deref;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use harness::{LoadBalancer, Setup, Target};
use local_envoy::Plugin;
use serde_json::Value;

/// The most idle load balancers. The one that has been idle longest ends first.
const MOST_IDLE: usize = 4;

static IDLE: Mutex<Vec<(Option<Value>, LoadBalancer)>> = Mutex::new(Vec::new());

/// A load balancer of the pool. Drop returns it, unless the test panics.
pub(crate) struct Pooled {
    plugin: Option<Value>,
    lb: Option<LoadBalancer>,
}

/// A load balancer with the shipped configuration.
#[track_caller]
pub(crate) fn shipped() -> Pooled {
    take(None)
}

/// A load balancer with this plugin configuration, and otherwise the shipped one.
#[track_caller]
pub(crate) fn with(plugin: Value) -> Pooled {
    take(Some(plugin))
}

#[track_caller]
fn take(plugin: Option<Value>) -> Pooled {
    let idle = {
        let mut all = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        let position = all.iter().position(|(other, _)| *other == plugin);
        position.map(|position| all.remove(position).1)
    };
    let lb = match idle {
        Some(lb) => {
            lb.wait_for_healthy(lb.targets.len());
            lb.targets.iter().for_each(Target::forget);
            lb.envoy.admin().post("/reset_counters").unwrap();
            lb
        }
        None => start(plugin.clone()),
    };
    Pooled { plugin, lb: Some(lb) }
}

#[track_caller]
fn start(plugin: Option<Value>) -> LoadBalancer {
    let lb = LoadBalancer::start(&Setup { plugin: plugin.map(Plugin::Struct), ..Setup::default() });
    // A static is never dropped: the last Envoys end together with this process, see `local_envoy::child`, and their folders
    // would stay. Envoy does not need its folder after the start.
    let info = lb.envoy.admin().json("/server_info").unwrap();
    let configuration = Path::new(info["command_line_options"]["config_path"].as_str().unwrap());
    std::fs::remove_dir_all(configuration.parent().unwrap()).unwrap();
    lb
}

impl Deref for Pooled {
    type Target = LoadBalancer;

    fn deref(&self) -> &LoadBalancer {
        self.lb.as_ref().unwrap()
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let Some(lb) = self.lb.take().filter(|_| !std::thread::panicking()) else { return };
        let mut all = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        all.push((self.plugin.take(), lb));
        let oldest = (all.len() > MOST_IDLE).then(|| all.remove(0));
        // The end of an Envoy takes a moment, so it comes after the lock is released.
        drop(all);
        drop(oldest);
    }
}
