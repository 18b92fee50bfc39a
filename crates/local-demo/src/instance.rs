//! Runs one instance of the demo's application.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use local_envoy::{Child, Error, Log, Result, Stream, try_until};

use crate::Ports;

/// The time for one step of the start. A loaded machine needs far less.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// The number of lines that an error shows of a process that has ended by itself.
pub(crate) const LAST_LINES: usize = 10;

/// An instance, running or stopped. Its address never changes.
pub(crate) struct Instance {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    running: Option<Running>,
}

struct Running {
    child: Child,
    log: Log,
}

impl Instance {
    /// An instance that is not started yet. `all` lists every instance with its address, this one too. A browser reaches them at
    /// `ports`, through Envoy.
    pub(crate) fn new(name: &'static str, program: &Path, all: &[(&str, SocketAddr)], ports: Ports) -> Self {
        Self { name, program: program.to_owned(), arguments: arguments(name, all, ports), running: None }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Starts it with an empty memory and returns when it listens. If it runs already, it is ended first.
    pub(crate) fn start(&mut self) -> Result<()> {
        self.stop();
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = Child::spawn(&mut command)?;
        let log = Log::of(&child);
        let running = self.running.insert(Running { child, log });
        let name = self.name;
        try_until(&format!("instance {name} to listen"), LIMIT, || {
            running.check_alive(name)?;
            Ok(running.log.text_of(Stream::Stdout).contains(" listens on "))
        })
    }

    /// Stops it. Returns when the process has ended and its port refuses connections.
    pub(crate) fn stop(&mut self) {
        self.running = None;
    }

    /// Returns an error if it has ended by itself.
    pub(crate) fn check_alive(&self) -> Result<()> {
        self.running.as_ref().map_or(Ok(()), |running| running.check_alive(self.name))
    }
}

impl Running {
    fn check_alive(&self, name: &str) -> Result<()> {
        let Some(status) = self.child.ended() else {
            return Ok(());
        };
        self.log.settle();
        let last = self.log.tail(LAST_LINES);
        Err(Error::new(format!("instance {name} has ended by itself ({status}); its last lines:\n{}", last.trim_end())))
    }
}

fn arguments(name: &str, all: &[(&str, SocketAddr)], ports: Ports) -> Vec<String> {
    let mut arguments = vec!["--name".to_owned(), name.to_owned()];
    let (own, peers): (Vec<_>, Vec<_>) = all.iter().partition(|(of, _)| *of == name);
    for (_, address) in own {
        arguments.extend(["--listen".to_owned(), address.to_string()]);
    }
    let peers: Vec<String> = peers.iter().map(|(peer, address)| format!("{peer}={address}")).collect();
    arguments.extend(["--peers".to_owned(), peers.join(",")]);
    arguments.extend(["--sticky-port".to_owned(), ports.sticky.to_string()]);
    arguments.extend(["--plain-port".to_owned(), ports.plain.to_string()]);
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_told_its_own_address_and_those_of_the_others() {
        let all = ["a", "b", "c"].map(|name| (name, SocketAddr::from(([127, 0, 0, 1], u16::from(name.as_bytes()[0])))));
        let told = arguments("b", &all, Ports { sticky: 1, plain: 2, admin: 3 });
        assert_eq!(
            told.join(" "),
            "--name b --listen 127.0.0.1:98 --peers a=127.0.0.1:97,c=127.0.0.1:99 --sticky-port 1 --plain-port 2"
        );
    }

    #[test]
    fn an_instance_that_ends_at_once_is_shown_with_its_last_lines() {
        let mut instance = Instance::new("a", "sh".as_ref(), &[], Ports::default());
        instance.arguments = vec!["-c".to_owned(), "echo no memory >&2; exit 3".to_owned()];
        let error = instance.start().unwrap_err().to_string();
        assert_eq!(error, "instance a has ended by itself (exit status: 3); its last lines:\nno memory");
    }

    #[test]
    fn an_instance_that_was_stopped_has_not_ended_by_itself() {
        let mut instance = Instance::new("a", "sh".as_ref(), &[], Ports::default());
        instance.arguments = vec!["-c".to_owned(), "echo instance a listens on 127.0.0.1:1; sleep 600".to_owned()];
        instance.start().unwrap();
        instance.stop();
        assert_eq!(instance.check_alive(), Ok(()));
    }
}
