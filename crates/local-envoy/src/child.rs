//! How does no process outlive the one that started it?
//!
//! Every child leads a process group of its own, so that a Ctrl-C in the terminal reaches only the program, which then ends its
//! children in order. Should the program itself be killed, a shell that waits for the end of a pipe ends the group instead.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{self, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::wait::{try_until, wait_until};
use crate::{Error, Result};

/// From SIGTERM to SIGKILL.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Ends the process group `$1` as soon as the pipe on its standard input closes, which it does with the program.
const WATCHDOG: &str = r#"read -r _; kill -s TERM -- "-$1"; sleep 2; kill -s KILL -- "-$1""#;

struct Registry {
    ending: bool,
    children: Vec<Weak<Mutex<Held>>>,
}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry { ending: false, children: Vec::new() });

struct Held {
    process: process::Child,
    watchdog: Option<process::Child>,
    status: Option<ExitStatus>,
}

/// A process that ends with its owner: on drop, in [`end_all`], and when the program is killed.
pub struct Child {
    held: Arc<Mutex<Held>>,
    id: u32,
}

/// What [`output`] returns.
pub struct Output {
    /// How the process ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Child {
    /// Starts `command` with nothing on its standard input.
    ///
    /// # Errors
    ///
    /// When the program is not found or cannot be started, and after [`end_all`].
    pub fn spawn(command: &mut Command) -> Result<Self> {
        Self::spawn_with(command.stdin(Stdio::null()))
    }

    /// Starts `command` with a pipe to its standard input, see [`Child::take_stdin`].
    ///
    /// # Errors
    ///
    /// Those of [`Child::spawn`].
    pub fn spawn_listening(command: &mut Command) -> Result<Self> {
        Self::spawn_with(command.stdin(Stdio::piped()))
    }

    fn spawn_with(command: &mut Command) -> Result<Self> {
        let mut registry = lock(&REGISTRY);
        let name = describe(command);
        if registry.ending {
            return Err(Error::new(format!("{name} is not started: everything is being ended")));
        }
        let mut process = command.process_group(0).spawn().map_err(|error| {
            let program = command.get_program().display();
            match error.kind() {
                io::ErrorKind::NotFound => Error::new(format!("{program} was not found (to run {name})")),
                _ => Error::new(format!("{program} cannot be started: {error} (to run {name})")),
            }
        })?;
        let id = process.id();
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog", &id.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        let watchdog = match watchdog {
            Ok(watchdog) => watchdog,
            Err(error) => {
                let _ = process.kill();
                let _ = process.wait();
                return Err(Error::new(format!("sh, which guards {name}, cannot be started: {error}")));
            }
        };
        let held = Arc::new(Mutex::new(Held { process, watchdog: Some(watchdog), status: None }));
        registry.children.retain(|child| child.strong_count() > 0);
        registry.children.push(Arc::downgrade(&held));
        Ok(Self { held, id })
    }

    /// The process id, which is the id of its process group too.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The pipe to its standard input, once, if [`Child::spawn_listening`] started it.
    pub fn take_stdin(&self) -> Option<ChildStdin> {
        lock(&self.held).process.stdin.take()
    }

    /// The pipe from its standard output, once, if the command asked for one.
    pub fn take_stdout(&self) -> Option<ChildStdout> {
        lock(&self.held).process.stdout.take()
    }

    /// The pipe from its standard error, once, if the command asked for one.
    pub fn take_stderr(&self) -> Option<ChildStderr> {
        lock(&self.held).process.stderr.take()
    }

    /// How it ended, or `None` while it runs.
    #[must_use]
    pub fn ended(&self) -> Option<ExitStatus> {
        lock(&self.held).ended()
    }

    /// Waits for its end, at most for `limit`.
    ///
    /// # Errors
    ///
    /// After `limit`, when it still runs; it is then left running.
    pub fn wait(&self, limit: Duration) -> Result<ExitStatus> {
        let mut status = None;
        wait_until(&format!("process {} to end", self.id), limit, || {
            status = self.ended();
            status.is_some()
        })?;
        status.ok_or_else(|| Error::new(format!("process {} has no status", self.id)))
    }

    /// Sends SIGKILL to its group. Returns when it is gone.
    pub fn kill(&self) {
        lock(&self.held).signal(Signal::KILL);
        self.end();
    }

    /// Sends SIGSTOP to its group. Returns when it has stopped.
    ///
    /// # Errors
    ///
    /// When it ends meanwhile, or has not stopped after 1.5 s.
    pub fn suspend(&self) -> Result<()> {
        lock(&self.held).signal(Signal::STOP);
        try_until(&format!("process {} to stop", self.id), PATIENCE, || match self.ended() {
            Some(status) => Err(Error::new(format!("process {} cannot be stopped: it ended with {status}", self.id))),
            None => Ok(self.state() == Some('T')),
        })
    }

    /// Sends SIGCONT to its group: after [`Child::suspend`] it goes on.
    pub fn resume(&self) {
        lock(&self.held).signal(Signal::CONT);
    }

    /// One letter, as `ps` shows it (proc_pid_stat(5)).
    fn state(&self) -> Option<char> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id)).ok()?;
        // Behind the name of the program, which may hold anything.
        stat.rsplit_once(") ")?.1.chars().next()
    }

    /// Sends SIGTERM to its group, and SIGKILL after 1.5 s. Returns when it is gone.
    pub fn end(&self) {
        end(std::slice::from_ref(&self.held));
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

impl Held {
    fn ended(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.process.try_wait().ok().flatten();
            // From here on the id may belong to another process.
            if self.status.is_some()
                && let Some(mut watchdog) = self.watchdog.take()
            {
                let _ = watchdog.kill();
                let _ = watchdog.wait();
            }
        }
        self.status
    }

    fn signal(&mut self, signal: Signal) {
        if self.ended().is_none() {
            // Fails only when the group has just ended by itself.
            let _ = kill_process_group(Pid::from_child(&self.process), signal);
        }
    }
}

/// Ends every child of this program, as [`Child::end`], all at once; from now on none can be started and every wait of this crate
/// fails. For the handler of a signal: the program's own flow then returns with an error and cleans up behind itself.
pub fn end_all() {
    let children: Vec<_> = {
        let mut registry = lock(&REGISTRY);
        registry.ending = true;
        registry.children.iter().filter_map(Weak::upgrade).collect()
    };
    end(&children);
}

/// Whether [`end_all`] was called.
#[must_use]
pub fn ending() -> bool {
    lock(&REGISTRY).ending
}

/// Runs `command` to its end, at most for `limit`, and reads what it prints.
///
/// # Errors
///
/// Those of [`Child::spawn`]; after `limit`, when it is ended. Not for a status other than 0.
pub fn output(command: &mut Command, limit: Duration) -> Result<Output> {
    let child = Child::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let stdout = child.take_stdout().map(reader);
    let stderr = child.take_stderr().map(reader);
    let status = child.wait(limit).map_err(|error| Error::new(format!("{}: {error}", describe(command))))?;
    let text =
        |reader: Option<thread::JoinHandle<String>>| reader.and_then(|reader| reader.join().ok()).unwrap_or_default();
    Ok(Output { status, stdout: text(stdout), stderr: text(stderr) })
}

/// A command as a person would type it, without its environment.
#[must_use]
pub fn describe(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let mut text = program.file_name().unwrap_or(command.get_program()).to_string_lossy().into_owned();
    for argument in command.get_args() {
        let _ = write!(text, " {}", argument.to_string_lossy());
    }
    format!("`{text}`")
}

fn reader(mut from: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // An error reads as the end: the process is gone either way.
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn end(children: &[Arc<Mutex<Held>>]) {
    let gone = || children.iter().all(|child| lock(child).ended().is_some());
    for signal in [Signal::TERM, Signal::KILL] {
        children.iter().for_each(|child| lock(child).signal(signal));
        let start = std::time::Instant::now();
        while !gone() && start.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    #[test]
    fn a_dropped_child_is_gone() {
        let child = Child::spawn(Command::new("sleep").arg("600")).unwrap();
        let id = child.id();
        assert!(child.ended().is_none());
        drop(child);
        let alive = Command::new("kill").args(["-0", &id.to_string()]).stderr(Stdio::null()).status().unwrap();
        assert!(!alive.success());
    }

    #[test]
    fn a_child_that_ignores_sigterm_is_killed() {
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' TERM; echo ready; while :; do sleep 600; done"]);
        let child = Child::spawn(command.stdout(Stdio::piped())).unwrap();
        let mut line = [0; 6];
        child.take_stdout().unwrap().read_exact(&mut line).unwrap();
        child.end();
        assert!(!child.ended().unwrap().success());
    }

    #[test]
    fn a_suspended_child_stands_still_until_it_is_resumed_and_can_be_killed() {
        let child = Child::spawn(Command::new("sleep").arg("600")).unwrap();
        child.suspend().unwrap();
        assert_eq!(child.state(), Some('T'));
        child.resume();
        wait_until("it to go on", SOON, || child.state() == Some('S')).unwrap();
        child.suspend().unwrap();
        child.kill();
        assert_eq!(child.ended().unwrap().signal(), Some(9));
        assert!(child.suspend().is_err());
    }

    #[test]
    fn a_listening_child_reads_what_is_written_to_it() {
        let child = Child::spawn_listening(Command::new("cat").stdout(Stdio::piped())).unwrap();
        child.take_stdin().unwrap().write_all(b"hello\n").unwrap();
        let mut said = String::new();
        child.take_stdout().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(said, "hello\n");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = Child::spawn(Command::new("no-such-program").arg("x")).err().unwrap();
        assert_eq!(error.to_string(), "no-such-program was not found (to run `no-such-program x`)");
    }

    #[test]
    fn output_holds_both_streams_and_the_status() {
        let output = output(Command::new("sh").args(["-c", "echo a; echo b >&2; exit 3"]), SOON).unwrap();
        assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("a\n", "b\n"));
        assert_eq!(output.status.code(), Some(3));
    }
}
