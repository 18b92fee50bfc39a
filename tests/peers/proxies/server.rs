//! Runs a proxy that is configured by a file.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use local_demo::free_ports;
use local_envoy::{Child, Log, child, try_until};
use tempfile::TempDir;

use super::Refusal;

const PATIENCE: Duration = Duration::from_secs(20);

/// A running server, in a folder of its own.
pub(super) struct Server {
    // Declared before the folder, so that the process ends first.
    child: Child,
    log: Log,
    pub(super) address: SocketAddr,
    pub(super) folder: TempDir,
}

impl Server {
    /// Starts it. `configure` writes the file of this name for a folder and an address.
    pub(super) fn start(
        file: &str,
        configure: impl Fn(&Path, SocketAddr) -> String,
        command: impl Fn(&Path) -> Command,
    ) -> Result<Self, Refusal> {
        let broken = |error: &dyn std::fmt::Display| Refusal::Broken(error.to_string());
        let folder = tempfile::Builder::new().prefix("peers-").tempdir().map_err(|error| broken(&error))?;
        let [port] = free_ports().map_err(|error| broken(&error))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let text = configure(folder.path(), address);
        std::fs::write(folder.path().join(file), &text).map_err(|error| broken(&error))?;
        let mut command = command(folder.path());
        command.current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = Child::spawn(&mut command).map_err(|error| broken(&error))?;
        let log = Log::of(&child);
        let server = Self { child, log, address, folder };
        let ready = try_until("the proxy to accept connections", PATIENCE, || match server.child.ended() {
            Some(status) => Err(local_envoy::Error::new(format!("it ended with {status}"))),
            None => Ok(TcpStream::connect(address).is_ok()),
        });
        match ready {
            Ok(()) => Ok(server),
            Err(error) => {
                server.child.end();
                server.log.settle();
                Err(Refusal::Broken(format!("{error}\n{}\nwith\n{text}", server.log.text())))
            }
        }
    }

    /// Its output so far.
    pub(super) fn log(&self) -> String {
        self.log.text()
    }
}

impl super::Running for Server {
    fn address(&self) -> SocketAddr {
        self.address
    }
}

/// The program that the variable names, or the one with this name on the `PATH`, if there is one.
pub(super) fn program(variable: &str, name: &str) -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(variable).filter(|named| !named.is_empty()) {
        return Some(PathBuf::from(named));
    }
    let folders = std::env::var_os("PATH")?;
    // Debian puts servers into folders that are only on an administrator's `PATH`.
    let folders = std::env::split_paths(&folders).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The output of a program, standard output and standard error.
pub(super) fn printed(program: &Path, argument: &str) -> Option<String> {
    let output = child::output(Command::new(program).arg(argument), PATIENCE).ok()?;
    Some(output.stdout + &output.stderr)
}
