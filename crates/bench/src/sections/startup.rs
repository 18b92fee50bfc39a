//! Measures the time to load the filter, and the latency of the first requests after a start or a reload.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use harness::{Resources, discover_listeners, discovered_listener};
use local_envoy::{Config, Plugin, wait_until};
use wasm_host::Scenario;

use crate::figures::Figure;
use crate::fixture::Fixture;
use crate::fixture::SMALL;
use crate::proxy::Proxy;
use crate::proxy::envoys::{self, EnvoyKind};
use crate::requests::client::Client;
use crate::rounds::say;

/// The number of repetitions.
pub(crate) const TIMES: usize = 11;

/// The results. Times are in milliseconds.
pub(crate) struct Startup {
    pub(crate) validate_without: Figure,
    pub(crate) validate_with: Figure,
    pub(crate) size: u64,
    pub(crate) loading: Vec<Loading>,
    pub(crate) firsts: Vec<First>,
}

/// The time that a VM takes to load many target groups, beyond one that gets as many bytes of white space.
pub(crate) struct Loading {
    pub(crate) target_groups: usize,
    pub(crate) bytes: usize,
    pub(crate) time: Figure,
}

/// The numbers of target groups.
const TARGET_GROUPS: [usize; 3] = [1_000, MANY, 100_000];

/// The number of target groups of the goal.
pub(crate) const MANY: usize = 10_000;

/// The latency of the first and the tenth request after an event.
pub(crate) struct First {
    pub(crate) after: &'static str,
    pub(crate) request: Figure,
    pub(crate) tenth: Figure,
}

/// The event of the goal for reloads.
pub(crate) const RELOAD: &str = "a listener with a changed configuration of the filter";

pub(crate) fn measure(fixture: &Fixture) -> Result<Startup> {
    say("start: envoy --mode validate");
    let mut seconds = [Vec::new(), Vec::new()];
    for _ in 0..TIMES {
        for (kind, seconds) in [EnvoyKind::Bare, EnvoyKind::Ours(Scenario::Pinned)].into_iter().zip(&mut seconds) {
            seconds.push(validate(fixture, &envoys::config(fixture, kind)?)?);
        }
    }
    let [validate_without, validate_with] = seconds.map(Figure::of);
    let loading = TARGET_GROUPS.map(|count| loading(fixture, count)).into_iter().collect::<Result<_>>()?;
    say("start: first requests");
    let firsts = [
        first("a start without the filter", &after_starts(fixture, EnvoyKind::Bare)?)?,
        first("a start with the filter", &after_starts(fixture, EnvoyKind::Ours(Scenario::Pinned))?)?,
        first("a changed listener without the filter", &after_reloads(fixture, false)?)?,
        first(RELOAD, &after_reloads(fixture, true)?)?,
    ];
    Ok(Startup {
        validate_without: validate_without.context("no time")?,
        validate_with: validate_with.context("no time")?,
        size: std::fs::metadata(&fixture.filter)?.len(),
        loading,
        firsts: firsts.into(),
    })
}

/// The cost of target groups with names as those of a service mesh, each with a setting of its own.
fn loading(fixture: &Fixture, target_groups: usize) -> Result<Loading> {
    say(&format!("start: {target_groups} target groups"));
    let group = |number: usize| {
        let name = format!("outbound|80||service-{number:06}.namespace-{}.svc.cluster.local", number % 97);
        format!(r#""{name}": {{"stickiness": {{"lb_cookie": {{"duration_seconds": 60}}}}}}"#)
    };
    let groups: Vec<String> = (0..target_groups).map(group).collect();
    let many = format!(r#"{{"target_groups": {{{}}}}}"#, groups.join(", "));
    let none = format!("{{}}{}", " ".repeat(many.len() - 2));
    let mut milliseconds = [Vec::new(), Vec::new()];
    for _ in 0..TIMES {
        for (plugin, milliseconds) in [&none, &many].into_iter().zip(&mut milliseconds) {
            let mut config = envoys::config(fixture, EnvoyKind::Ours(Scenario::Pinned))?;
            config.plugin(Plugin::Json(plugin))?;
            milliseconds.push(validate(fixture, &config)?);
        }
    }
    let [without, with] = milliseconds;
    let time = Figure::difference(&with, &without).context("no time")?;
    Ok(Loading { target_groups, bytes: many.len(), time })
}

/// The wall-clock time of `envoy --mode validate`.
fn validate(fixture: &Fixture, config: &Config) -> Result<f64> {
    let file = fixture.folder().join("validate.json");
    std::fs::write(&file, config.to_json())?;
    let mut command = Command::new(&fixture.envoy);
    command.args(["--mode", "validate", "--log-level", "off", "--config-path"]).arg(&file);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).env("STICKY_SESSIONS_KEYS", harness::KEY);
    let start = Instant::now();
    let status = command.status()?;
    let spent = milliseconds(start.elapsed());
    ensure!(status.success(), "envoy --mode validate refuses {}", file.display());
    Ok(spent)
}

/// The figures of several repetitions of [`ten_requests`].
fn first(after: &'static str, times: &[[f64; 2]]) -> Result<First> {
    let figure = |place: usize| Figure::of(times.iter().map(|times| times[place])).context("no time");
    Ok(First { after, request: figure(0)?, tenth: figure(1)? })
}

/// The latency of the first and the tenth request on one connection.
fn ten_requests(server: SocketAddr) -> Result<[f64; 2]> {
    let client = Client::of(server);
    let mut times = Vec::new();
    for _ in 0..10 {
        let start = Instant::now();
        let answer = client.get(SMALL, "")?;
        times.push(milliseconds(start.elapsed()));
        ensure!(answer.status == 200, "{answer:?}");
    }
    Ok([times[0], times[9]])
}

fn after_starts(fixture: &Fixture, kind: EnvoyKind) -> Result<Vec<[f64; 2]>> {
    (0..TIMES).map(|_| ten_requests(Proxy::start_envoy(fixture, kind, 1)?.address)).collect()
}

/// Reloads the listener with another configuration each time. Envoy ignores an equal one.
fn after_reloads(fixture: &Fixture, ours: bool) -> Result<Vec<[f64; 2]>> {
    let listener = Resources::of(&discovered_listener(&mut numbered(fixture, ours, 0)?));
    let mut config = numbered(fixture, ours, 0)?;
    config.remove_listener("sticky")?;
    discover_listeners(&mut config, &listener);
    let proxy = Proxy::start_with(fixture, &config, 1)?;
    let envoy = proxy.envoy().context("an Envoy")?;
    ten_requests(proxy.address)?;
    let mut times = Vec::new();
    for number in 1..=TIMES {
        let taken_over = || envoy.admin().counter("listener_manager.listener_create_success").unwrap_or_default();
        let before = taken_over();
        listener.replace(&discovered_listener(&mut numbered(fixture, ours, number)?));
        wait_until("the worker to take over the listener", Duration::from_secs(30), || taken_over() > before)?;
        times.push(ten_requests(envoy.address("sticky")?)?);
    }
    Ok(times)
}

fn numbered(fixture: &Fixture, ours: bool, number: usize) -> Result<Config> {
    let kind = if ours { EnvoyKind::Ours(Scenario::Pinned) } else { EnvoyKind::Bare };
    let mut config = envoys::config(fixture, kind)?;
    if ours {
        let duration = 3600 + number;
        let plugin = format!(
            r#"{{"target_groups": {{"web": {{"stickiness": {{"type": "lb_cookie", "lb_cookie": {{"duration_seconds": {duration}}}}}}}}}}}"#
        );
        config.plugin(Plugin::Json(&plugin))?;
    } else {
        config.connection_manager("sticky")?["server_name"] = format!("envoy-{number}").into();
    }
    Ok(config)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
