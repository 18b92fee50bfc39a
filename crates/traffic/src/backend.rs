//! A target that a test can kill, suspend and make misbehave. It is a process, so that it fails like a real server.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use local_envoy::{Child, build_program};
use tokio::net::TcpSocket;

use crate::Behaviour;

/// The time for a target to start or to acknowledge an order.
const PATIENCE: Duration = Duration::from_secs(20);

/// A target. Its process ends on drop.
pub struct Backend {
    name: String,
    address: SocketAddr,
    /// Reserves the port while the target is dead. Otherwise one of the thousands of connections could get it as its local port.
    _port: TcpSocket,
    process: Option<Process>,
}

struct Process {
    child: Child,
    /// Its standard input, and the lines of its standard output.
    orders: Mutex<(ChildStdin, Receiver<String>)>,
}

impl Backend {
    /// Starts a target on a free port. It accepts connections when this returns.
    #[track_caller]
    pub fn start(name: &str) -> Self {
        let port = TcpSocket::new_v4().unwrap();
        // This lets the target listen on the same port.
        port.set_reuseport(true).unwrap();
        port.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = port.local_addr().unwrap();
        let process = Some(Process::start(name, address));
        Self { name: name.to_owned(), address, _port: port, process }
    }

    /// Its name, which is in its answers.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address. It keeps the address while it is dead.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends SIGKILL. When this returns, the open connections are closed and new ones are refused.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.child.kill();
        }
    }

    /// Starts it again on the same port, with [`Behaviour::Normal`].
    #[track_caller]
    pub fn start_again(&mut self) {
        self.kill();
        self.process = Some(Process::start(&self.name, self.address));
    }

    /// Sends SIGSTOP and returns when the process has stopped. The kernel still accepts connections, but they get no answers.
    #[track_caller]
    pub fn hang(&self) {
        self.running().child.suspend().unwrap();
    }

    /// Sends SIGCONT. The target answers the requests that have arrived in the meantime.
    #[track_caller]
    pub fn resume(&self) {
        self.running().child.resume();
    }

    /// Sets its behaviour for all later requests.
    #[track_caller]
    pub fn behave(&self, behaviour: Behaviour) {
        self.running().order(behaviour);
    }

    #[track_caller]
    fn running(&self) -> &Process {
        self.process.as_ref().unwrap_or_else(|| panic!("target {} is dead", self.name))
    }
}

/// The program of a target: the file that `TRAFFIC_TARGET` names, or a fresh build.
fn program() -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let named = std::env::var_os("TRAFFIC_TARGET").map(PathBuf::from);
        named.unwrap_or_else(|| build_program("traffic", "traffic-target"))
    })
}

impl Drop for Backend {
    fn drop(&mut self) {
        // A suspended process does not handle SIGTERM.
        self.kill();
    }
}

impl Process {
    #[track_caller]
    fn start(name: &str, address: SocketAddr) -> Self {
        let mut command = Command::new(program());
        command.args([name, &address.to_string()]).stdout(Stdio::piped());
        let child = Child::spawn_listening(&mut command).unwrap();
        let (stdin, stdout) = (child.take_stdin().unwrap(), child.take_stdout().unwrap());
        let (says, lines) = channel();
        std::thread::spawn(move || {
            // This ends when the process ends or the receiver is dropped.
            let _ = BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| says.send(line));
        });
        let process = Self { child, orders: Mutex::new((stdin, lines)) };
        process.listen(&process.orders.lock().unwrap().1);
        process
    }

    #[track_caller]
    fn order(&self, behaviour: Behaviour) {
        let mut orders = self.orders.lock().unwrap();
        writeln!(orders.0, "{}", serde_json::to_string(&behaviour).unwrap()).unwrap();
        self.listen(&orders.1);
    }

    #[track_caller]
    fn listen(&self, lines: &Receiver<String>) {
        if let Err(error) = lines.recv_timeout(PATIENCE) {
            panic!("target with process {} does not answer its orders: {error}", self.child.id());
        }
    }
}
