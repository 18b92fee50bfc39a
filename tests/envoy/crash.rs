//! A forced crash of the filter's VM. `FAIL_RELOAD` in the shipped configuration reloads the filter, and the sessions stay.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use walrus::ir::BinaryOp;
use walrus::{ExportItem, FunctionBuilder, Module};

use stickiness::outcome::Outcome;

use harness::{Client, Connection, KEY, LoadBalancer, Report, Setup, WAIT, wait_until, wasm};

/// The longest time until the filter is back after a crash.
const RECOVERY: Duration = Duration::from_secs(2);

/// So many headers crash the VM.
pub(crate) const FATAL: i32 = 77;

/// The callbacks that can be made to crash.
pub(crate) const CALLBACKS: [&str; 2] = [ON_REQUEST, ON_RESPONSE];

const ON_REQUEST: &str = "proxy_on_request_headers";
const ON_RESPONSE: &str = "proxy_on_response_headers";

/// A file with a filter that can be crashed.
pub(crate) struct Crashing {
    folder: TempDir,
}

impl Crashing {
    /// The shipped filter, in which this callback traps when a request or a response has [`FATAL`] headers or more.
    pub(crate) fn within(callback: &str) -> Self {
        let crashing = Self { folder: tempfile::tempdir().unwrap() };
        std::fs::write(crashing.file(), that_crashes(callback)).unwrap();
        crashing
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("crashes.wasm")
    }
}

fn that_crashes(callback: &str) -> Vec<u8> {
    let mut module = Module::from_file(wasm()).unwrap();
    let export = module.exports.iter().find(|export| export.name == callback).unwrap();
    let (export, ExportItem::Function(callback)) = (export.id(), export.item) else { panic!("no function") };
    let ty = module.types.get(module.funcs.get(callback).ty());
    let (parameters, results) = (ty.params().to_vec(), ty.results().to_vec());
    let arguments: Vec<_> = parameters.iter().map(|ty| module.locals.add(*ty)).collect();
    let mut builder = FunctionBuilder::new(&mut module.types, &parameters, &results);
    let mut body = builder.func_body();
    body.local_get(arguments[1]).i32_const(FATAL).binop(BinaryOp::I32GeU);
    body.if_else(
        None,
        |fatal| {
            fatal.unreachable();
        },
        |_| (),
    );
    for argument in &arguments {
        body.local_get(*argument);
    }
    body.call(callback);
    let crashing = builder.finish(arguments, &mut module.funcs);
    module.exports.get_mut(export).item = ExportItem::Function(crashing);
    module.emit_wasm()
}

/// The time in which requests were refused.
static REPORT: Report = Report::of("crash", &["key", "crash", "served again after ms"]);

/// A load balancer whose filter can be crashed.
struct Fragile {
    lb: LoadBalancer,
    _filter: Crashing,
}

impl Fragile {
    #[track_caller]
    fn start(workers: u32, keys: Option<&str>) -> Self {
        let filter = Crashing::within(ON_REQUEST);
        let lb = LoadBalancer::start(&Setup {
            workers,
            keys,
            edit: &|config| {
                config.wasm_file(&filter.file()).unwrap();
                config.listener("sticky").unwrap()["stat_prefix"] = json!("sticky");
            },
            ..Setup::default()
        });
        Self { lb, _filter: filter }
    }

    fn reloads(&self) -> u64 {
        self.lb.envoy.admin().counter("wasm.sticky_sessions.vm_reload_success").unwrap()
    }

    /// A connection to this worker.
    #[track_caller]
    fn connect(&self, worker: u32) -> Connection {
        let name = format!("listener.sticky.worker_{worker}.downstream_cx_active");
        let active = || self.lb.envoy.admin().counter(&name).unwrap();
        let mut found = None;
        // The kernel chooses the worker of a connection.
        wait_until("a connection to the worker", || {
            let before = active();
            let mut connection = Connection::open(self.lb.sticky);
            assert_eq!(connection.fetch("/", &[]).status, 200);
            found = (active() > before).then_some(connection);
            found.is_some()
        });
        found.unwrap()
    }
}

/// Clients, and the target of each.
fn crowd(server: SocketAddr) -> Vec<(Client, String)> {
    let client = || {
        let mut client = Client::default();
        let home = client.get(server, "/").body;
        (client, home)
    };
    std::iter::repeat_with(client).take(20).collect()
}

/// Sends the request that crashes the VM.
#[track_caller]
fn crash(connection: &mut Connection) {
    let lines: Vec<Vec<u8>> = (0..FATAL).map(|number| format!("x-{number}: 1").into_bytes()).collect();
    let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
    assert_eq!(connection.fetch("/", &lines).status, 503);
}

/// Crashes the VM until Envoy does not reload it at once: Envoy reloads at most once in a second.
#[track_caller]
fn crash_until_it_waits(connection: &mut Connection) {
    wait_until("the worker to wait with the next VM", || {
        if connection.fetch("/", &[]).status == 200 {
            crash(connection);
        }
        connection.fetch("/", &[]).status == 503
    });
}

/// Waits until requests are served again, and returns the time that it took.
#[track_caller]
fn recover(connection: &mut Connection) -> Duration {
    let crashed = Instant::now();
    wait_until("requests to be served again", || connection.fetch("/", &[]).status == 200);
    crashed.elapsed()
}

#[track_caller]
fn all_are_at_home(server: SocketAddr, crowd: &mut [(Client, String)]) {
    for (client, home) in crowd {
        assert_eq!(client.get(server, "/").body, *home);
    }
}

/// Crashes the only worker several times. Each time it is back in time, and every client reaches its target.
#[track_caller]
fn sessions_outlive_crashes(keys: Option<&str>, whose: &str) {
    let fragile = Fragile::start(1, keys);
    let server = fragile.lb.sticky;
    let mut crowd = crowd(server);
    let mut connection = Connection::open(server);
    for number in 1..=3 {
        let pinned = fragile.lb.counted(Outcome::Pinned);
        crash(&mut connection);
        let after = recover(&mut connection);
        assert!(after <= RECOVERY, "served again after {after:?}");
        REPORT.row(&[whose, &number.to_string(), &after.as_millis().to_string()]);
        assert_eq!(fragile.reloads(), number);
        all_are_at_home(server, &mut crowd);
        assert_eq!(fragile.lb.counted(Outcome::Pinned), pinned + 20);
    }
}

#[test]
fn sessions_under_an_operators_key_outlive_crashes() {
    sessions_outlive_crashes(Some(KEY), "an operator's");
}

#[test]
fn sessions_under_the_random_key_outlive_crashes() {
    sessions_outlive_crashes(None, "a random one");
}

#[test]
fn a_request_that_is_under_way_on_the_worker_of_a_crash_gets_503_and_the_session_holds() {
    let fragile = Fragile::start(1, Some(KEY));
    let server = fragile.lb.sticky;
    let mut client = Client::default();
    let home = client.get(server, "/").body;
    let waiting = client.begin(server, WAIT);
    let target = fragile.lb.targets.iter().find(|target| target.is_named(&home)).unwrap();
    target.wait_for_waiting(1);
    let mut connection = Connection::open(server);
    crash(&mut connection);
    recover(&mut connection);
    target.release();
    let answer = waiting.join().unwrap();
    assert_eq!((answer.status, answer.set_cookies().len()), (503, 0));
    assert_eq!(client.get(server, "/").body, home);
}

#[test]
fn the_other_worker_goes_on_while_one_is_down() {
    let fragile = Fragile::start(2, None);
    let [mut doomed, mut other] = [0, 1].map(|worker| fragile.connect(worker));
    let crowd = crowd(fragile.lb.sticky);
    let cookie = |client: &Client| format!("cookie: AWSALB={}", client.jar["AWSALB"]).into_bytes();
    crash_until_it_waits(&mut doomed);
    // Envoy reloads the VM of the first worker no earlier than a second after the last reload.
    assert_eq!(doomed.fetch("/", &[]).status, 503);
    for (client, home) in &crowd {
        assert_eq!(other.fetch("/", &[&cookie(client)]).body, *home);
    }
    let after = recover(&mut doomed);
    assert!(after <= RECOVERY, "served again after {after:?}");
    for (client, home) in &crowd {
        assert_eq!(doomed.fetch("/", &[&cookie(client)]).body, *home);
    }
}

#[test]
fn the_crash_is_that_of_the_test_alone() {
    let fragile = Fragile::start(1, Some(KEY));
    let lines = vec![b"x: 1".as_slice(); 60];
    assert_eq!(Connection::open(fragile.lb.sticky).fetch("/", &lines).status, 200);
    assert_eq!(fragile.reloads(), 0);
}
