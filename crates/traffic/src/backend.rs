//! A target that a test can kill, hang and tell to misbehave: a process of its own, so that it fails as real ones do.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use local_envoy::Child;
use tokio::net::TcpSocket;

use crate::program;
use crate::{Behaviour, Order};

/// For a target to start, or to do what it is told.
const PATIENCE: Duration = Duration::from_secs(20);

/// A target. It ends when this is dropped.
pub struct Backend {
    name: String,
    address: SocketAddr,
    /// Keeps the port while the target is dead: among thousands of connections one would soon have it as its own end.
    _port: TcpSocket,
    process: Option<Process>,
}

struct Process {
    child: Child,
    /// What is written to it, and the lines with which it answers.
    orders: Mutex<(ChildStdin, Receiver<String>)>,
}

impl Backend {
    /// Starts a target on a free port. It accepts connections when this returns.
    #[track_caller]
    pub fn start(name: &str) -> Self {
        let port = TcpSocket::new_v4().unwrap();
        // Lets the target listen on it too.
        port.set_reuseport(true).unwrap();
        port.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let address = port.local_addr().unwrap();
        let process = Some(Process::start(name, address));
        Self { name: name.to_owned(), address, _port: port, process }
    }

    /// Its name, which its answers carry.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens, or did before it was killed.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// SIGKILL. When this returns, it refuses connections, and those that were open are closed.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.child.kill();
        }
    }

    /// Starts it again on its old port, with [`Behaviour::Normal`].
    #[track_caller]
    pub fn start_again(&mut self) {
        self.kill();
        self.process = Some(Process::start(&self.name, self.address));
    }

    /// SIGSTOP. The kernel still accepts connections for it, but nobody answers. Returns when it has stopped.
    #[track_caller]
    pub fn hang(&self) {
        self.running().child.suspend().unwrap();
    }

    /// SIGCONT: it answers what has come meanwhile.
    #[track_caller]
    pub fn resume(&self) {
        self.running().child.resume();
    }

    /// Tells it how to answer the requests that come from now on.
    #[track_caller]
    pub fn behave(&self, behaviour: Behaviour) {
        self.running().order(&Order::Behave(behaviour));
    }

    /// Tells it which `Set-Cookie` lines its answers carry from now on.
    #[track_caller]
    pub fn set_cookies(&self, lines: &[&str]) {
        self.running().order(&Order::SetCookies(lines.iter().map(ToString::to_string).collect()));
    }

    #[track_caller]
    fn running(&self) -> &Process {
        self.process.as_ref().unwrap_or_else(|| panic!("target {} is dead", self.name))
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        // Not SIGTERM, which a hung one does not see.
        self.kill();
    }
}

impl Process {
    #[track_caller]
    fn start(name: &str, address: SocketAddr) -> Self {
        let mut command = Command::new(program::target());
        command.args([name, &address.to_string()]).stdout(Stdio::piped());
        let child = Child::spawn_listening(&mut command).unwrap();
        let (stdin, stdout) = (child.take_stdin().unwrap(), child.take_stdout().unwrap());
        let (says, lines) = channel();
        std::thread::spawn(move || {
            // Ends with the process, or when nobody listens.
            let _ = BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| says.send(line));
        });
        let process = Self { child, orders: Mutex::new((stdin, lines)) };
        process.listen(&process.orders.lock().unwrap().1);
        process
    }

    #[track_caller]
    fn order(&self, order: &Order) {
        let mut orders = self.orders.lock().unwrap();
        writeln!(orders.0, "{}", serde_json::to_string(order).unwrap()).unwrap();
        self.listen(&orders.1);
    }

    #[track_caller]
    fn listen(&self, lines: &Receiver<String>) {
        if let Err(error) = lines.recv_timeout(PATIENCE) {
            panic!("target with process {} does not answer its orders: {error}", self.child.id());
        }
    }
}
