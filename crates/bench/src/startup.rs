//! How long does it take until the filter is loaded, and until the first request is answered as fast as any?

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use harness::{Resources, discover_listeners, discovered_listener};
use local_envoy::{Config, Plugin, wait_until};
use wasm_host::Scenario;

use crate::backend::SMALL;
use crate::client::Client;
use crate::envoys::{self, Kind};
use crate::figures::Figure;
use crate::ground::Ground;
use crate::proxy::Proxy;
use crate::say;

/// Each of these is measured so often.
pub(crate) const TIMES: usize = 11;

/// What was found, in milliseconds.
pub(crate) struct Startup {
    pub(crate) validate_without: Figure,
    pub(crate) validate_with: Figure,
    pub(crate) size: u64,
    pub(crate) firsts: Vec<First>,
}

/// The first request after an event, and the tenth.
pub(crate) struct First {
    pub(crate) after: &'static str,
    pub(crate) request: Figure,
    pub(crate) tenth: Figure,
}

/// What the target of the issue is about.
pub(crate) const RELOAD: &str = "a listener with a changed configuration of the filter";

pub(crate) fn measure(ground: &Ground) -> Result<Startup> {
    say("start: envoy --mode validate");
    let mut seconds = [Vec::new(), Vec::new()];
    for _ in 0..TIMES {
        for (kind, seconds) in [Kind::Bare, Kind::Ours(Scenario::Pinned)].into_iter().zip(&mut seconds) {
            seconds.push(validate(ground, kind)?);
        }
    }
    let [validate_without, validate_with] = seconds.map(Figure::of);
    say("start: first requests");
    let firsts = [
        first("a start without the filter", &after_starts(ground, Kind::Bare)?)?,
        first("a start with it", &after_starts(ground, Kind::Ours(Scenario::Pinned))?)?,
        first("a changed listener without the filter", &after_reloads(ground, false)?)?,
        first(RELOAD, &after_reloads(ground, true)?)?,
    ];
    Ok(Startup {
        validate_without: validate_without.context("no time")?,
        validate_with: validate_with.context("no time")?,
        size: std::fs::metadata(&ground.filter)?.len(),
        firsts: firsts.into(),
    })
}

/// By the clock of the wall, as whoever starts an Envoy waits.
fn validate(ground: &Ground, kind: Kind) -> Result<f64> {
    let file = ground.folder().join("validate.json");
    std::fs::write(&file, envoys::config(ground, kind)?.to_json())?;
    let mut command = Command::new(&ground.envoy);
    command.args(["--mode", "validate", "--log-level", "off", "--config-path"]).arg(&file);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).env("STICKY_SESSIONS_KEYS", harness::KEY);
    let start = Instant::now();
    let status = command.status()?;
    let spent = milliseconds(start.elapsed());
    ensure!(status.success(), "envoy --mode validate refuses the configuration of {kind:?}");
    Ok(spent)
}

/// The first and the tenth of ten requests on one connection, each time.
fn first(after: &'static str, times: &[[f64; 2]]) -> Result<First> {
    let figure = |place: usize| Figure::of(times.iter().map(|times| times[place])).context("no time");
    Ok(First { after, request: figure(0)?, tenth: figure(1)? })
}

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

fn after_starts(ground: &Ground, kind: Kind) -> Result<Vec<[f64; 2]>> {
    (0..TIMES).map(|_| ten_requests(Proxy::start_envoy(ground, kind, 1)?.address)).collect()
}

/// The configuration differs from time to time, or nothing would be loaded.
fn after_reloads(ground: &Ground, ours: bool) -> Result<Vec<[f64; 2]>> {
    let listener = Resources::of(&discovered_listener(&mut numbered(ground, ours, 0)?));
    let mut config = numbered(ground, ours, 0)?;
    config.remove_listener("sticky")?;
    discover_listeners(&mut config, &listener);
    let proxy = Proxy::start_with(ground, &config, 1)?;
    let envoy = proxy.envoy().context("an Envoy")?;
    ten_requests(proxy.address)?;
    let mut times = Vec::new();
    for number in 1..=TIMES {
        let taken_over = || envoy.admin().counter("listener_manager.listener_create_success").unwrap_or_default();
        let before = taken_over();
        listener.replace(&discovered_listener(&mut numbered(ground, ours, number)?));
        wait_until("the worker to take the listener over", Duration::from_secs(30), || taken_over() > before)?;
        times.push(ten_requests(envoy.address("sticky")?)?);
    }
    Ok(times)
}

fn numbered(ground: &Ground, ours: bool, number: usize) -> Result<Config> {
    let kind = if ours { Kind::Ours(Scenario::Pinned) } else { Kind::Bare };
    let mut config = envoys::config(ground, kind)?;
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
