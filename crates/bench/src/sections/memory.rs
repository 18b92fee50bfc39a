//! Measures the memory of each worker, and its growth with the number of sessions.

use std::fs;
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use wasm_host::{Host, Scenario, Vm};

use crate::fixture::Fixture;
use crate::proxy::Proxy;
use crate::requests::Request;
use crate::requests::cookies;
use crate::rounds::say;
use crate::sections::growth::{Pair, TARGETS_OF_SESSIONS, send};

/// The number of sessions in Envoy.
pub(crate) const SESSIONS: usize = 1_000_000;

/// The number of sessions in the interpreter, which is far slower.
pub(crate) const SESSIONS_IN_THE_INTERPRETER: usize = 20_000;

/// The resident memory of an Envoy before and after its sessions, in bytes.
pub(crate) struct Line {
    pub(crate) workers: u32,
    pub(crate) ours: bool,
    pub(crate) after_one: u64,
    pub(crate) after_all: u64,
}

/// The results.
pub(crate) struct Memory {
    pub(crate) lines: Vec<Line>,
    /// The linear memory of the filter after one session and after [`SESSIONS_IN_THE_INTERPRETER`], in bytes.
    pub(crate) linear: [usize; 2],
}

/// Sends a million sessions to Envoys with one and two workers, without and with the filter.
pub(crate) fn measure(fixture: &Fixture) -> Result<Memory> {
    let linear = linear(fixture)?;
    let mut lines = Vec::new();
    for workers in [1, 2] {
        let pair = Pair::start(fixture, TARGETS_OF_SESSIONS, workers)?;
        let one = pair.request(fixture, 1)?;
        let all = pair.request(fixture, SESSIONS)?;
        say(&format!("memory: a million sessions, workers: {workers}"));
        // Both at once, because the time does not matter here.
        let both = thread::scope(|scope| {
            let threads = pair.proxies.each_ref().map(|proxy| scope.spawn(|| before_and_after(proxy, &one, &all)));
            threads.map(|thread| thread.join().unwrap_or_else(|_| bail!("a thread that sends sessions panicked")))
        });
        for (ours, found) in [false, true].into_iter().zip(both) {
            let [after_one, after_all] = found?;
            lines.push(Line { workers, ours, after_one, after_all });
        }
    }
    Ok(Memory { lines, linear })
}

fn before_and_after(proxy: &Proxy, one: &Request, all: &Request) -> Result<[u64; 2]> {
    send(proxy, one, 2, 1)?;
    let after_one = resident(proxy.id())?;
    send(proxy, all, 10, SESSIONS)?;
    Ok([after_one, resident(proxy.id())?])
}

/// The resident memory of a process: `VmRSS` in `proc_pid_status(5)`.
fn resident(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let kib = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    Ok(kib.context("no VmRSS")?.trim().parse::<u64>()? * 1024)
}

/// The linear memory of the filter in the interpreter, because Envoy does not report the memory of a VM.
fn linear(fixture: &Fixture) -> Result<[usize; 2]> {
    let targets = fixture.backend.targets(TARGETS_OF_SESSIONS);
    let mut host = Host::default();
    host.now = u64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_nanos())?;
    let properties: [(&str, &[u8]); 2] = [("xds.cluster_name", b"web"), ("response.code_details", b"via_upstream")];
    host.properties = properties.map(|(path, value)| (path.to_owned(), value.to_vec())).into();
    let mut vm = Vm::load(&fixture.module()?, host);
    vm.initialize()?;
    let plugin = vm.create(0)?;
    let (id, secret) = harness::KEY.split_once(':').context("a key is id:secret")?;
    let keys = format!(r#"{{"keys": [{{"id": "{id}", "secret": "{secret}"}}], "#);
    ensure!(vm.configure(plugin, &Scenario::Pinned.configuration().replacen('{', &keys, 1))?, "{:?}", vm.host().log);
    let mut sizes = Vec::new();
    for number in 0..SESSIONS_IN_THE_INTERPRETER {
        let target = targets[number % targets.len()];
        let cookies = cookies::session(target, 60 + (number / targets.len()) as u64);
        vm.host().properties.insert("upstream.address".to_owned(), target.to_string().into_bytes());
        let stream = vm.create(plugin)?;
        let sent = vm.request(stream, &[(":path", b"/"), ("cookie", cookies.as_bytes())])?;
        ensure!(sent.iter().any(|(name, _)| name == "x-sticky-session-host"), "session {number} is not pinned");
        vm.response(stream, &[(":status", b"200")])?;
        vm.log(stream)?;
        vm.delete(stream)?;
        // The record of calls is memory of the host, not of the filter.
        vm.host().record.clear();
        if number == 0 {
            sizes.push(vm.memory());
        }
    }
    Ok([sizes[0], vm.memory()])
}
