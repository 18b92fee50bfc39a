//! Serves one instance of the demo's backend: a page with a login that only this process keeps in memory.
//!
//! Behind a load balancer, one instance does not know the logins of another. Sticky sessions solve this problem.

use std::env;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::instance::Instance;
use crate::options::Options;

mod account;
mod app;
mod cors;
mod document;
mod health;
mod instance;
mod listener;
mod login;
mod options;
mod page;
mod peers;
mod report;
mod requests;
mod socket;
mod template;
#[cfg(test)]
mod tests;
mod visitor;
mod words;

/// The exit code for wrong arguments. All later failures end with 1.
const WRONG_USAGE: u8 = 2;

const USAGE: &str = "demo-backend --name NAME --listen ADDRESS:PORT [--peers NAME=HOST:PORT,...] [--sticky-port PORT] \
                     [--plain-port PORT] (or the environment variables NAME, LISTEN, PEERS, PORT_STICKY and PORT_PLAIN)";

fn main() -> ExitCode {
    // A value that is not UTF-8 is wrong anyway. The error message has to show it.
    let text = |value: OsString| value.to_string_lossy().into_owned();
    let options = match Options::read(env::args_os().skip(1).map(text), |name| env::var_os(name).map(text)) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("demo-backend: {problem}; usage: {USAGE}");
            return ExitCode::from(WRONG_USAGE);
        }
    };
    match run(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("demo-backend: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until a signal ends the process.
#[tokio::main(flavor = "current_thread")]
async fn run(options: Options) -> Result<(), String> {
    // Before the line that says "listens": its reader may send a signal at once.
    let no_signals = |error: io::Error| format!("the system refuses a signal handler: {error}");
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;

    let listener = TcpListener::bind(options.listen).await.map_err(|error| cannot_listen(options.listen, &error))?;
    let address = listener
        .local_addr()
        .map_err(|error| format!("the system does not tell the port of {}: {error}", options.listen))?;
    announce(&options.name, address).map_err(|error| format!("cannot write to the standard output: {error}"))?;

    let instance = Arc::new(Instance::new(options));
    // No graceful shutdown: it waits for connections that a load balancer keeps open.
    tokio::select! {
        served = axum::serve(listener, app::app(instance.clone())) => {
            served.map_err(|error| format!("serving {address} failed: {error}"))
        }
        () = instance.peers.watch() => Ok(()),
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}

/// Prints the address, because the caller does not know the port if it asked for port 0. Requests are accepted from now on.
fn announce(name: &str, address: SocketAddr) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "instance {name} listens on {address}")?;
    out.flush()
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => format!(
            "another program listens on {address} already: stop it, or choose another port with --listen \
             (port 0 takes a free one)"
        ),
        ErrorKind::PermissionDenied => {
            format!("this user may not listen on {address}: choose a port from 1024 on with --listen")
        }
        ErrorKind::AddrNotAvailable => {
            format!("this machine has no address {}: choose one that it has with --listen", address.ip())
        }
        _ => format!("cannot listen on {address}: {error}"),
    }
}
