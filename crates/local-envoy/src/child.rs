//! Child processes that end with the program that started them.
//!
//! Every child leads a process group of its own, so that a Ctrl-C in the terminal reaches only the program, which then ends its
//! children in order. If the program itself is killed, a shell ends the group: it waits for the end of a pipe from the program.
//!
//! The standard library makes the process group and `rustix` signals it. A crate such as `process-wrap` would replace these two
//! lines. It has no list of all children and nothing that survives a SIGKILL of the program, which are the rest of this file.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{self, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::ending::begin;
pub use crate::ending::ending;
use crate::wait::{try_until, wait_until};
use crate::{Error, Result};

/// The time from SIGTERM to SIGKILL.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Ends the process group `$1` when the pipe on its standard input closes. The pipe closes when the program ends.
const WATCHDOG: &str = r#"read -r _; kill -s TERM -- "-$1"; sleep 2; kill -s KILL -- "-$1""#;

/// All children of the program. Its lock is held while a child is started and while [`end_all`] takes the list, so that no child
/// is missing in it.
static CHILDREN: Mutex<Vec<Weak<Mutex<Guarded>>>> = Mutex::new(Vec::new());

/// A process and the shell that guards it.
struct Guarded {
    process: process::Child,
    watchdog: Option<process::Child>,
    status: Option<ExitStatus>,
}

/// A process that ends on drop, in [`end_all`], and when the program is killed.
pub struct Child {
    guarded: Arc<Mutex<Guarded>>,
    id: u32,
}

/// The result of [`output`].
pub struct Output {
    /// The exit status of the process.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Child {
    /// Starts `command` with an empty standard input.
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
        let mut children = lock(&CHILDREN);
        let name = describe(command);
        if ending() {
            return Err(Error::new(format!("{name} is not started: the program ends")));
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
        let guarded = Arc::new(Mutex::new(Guarded { process, watchdog: Some(watchdog), status: None }));
        children.retain(|child| child.strong_count() > 0);
        children.push(Arc::downgrade(&guarded));
        Ok(Self { guarded, id })
    }

    /// The process id. It is also the id of the process group.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The pipe to its standard input. `None` the second time, and unless [`Child::spawn_listening`] started it.
    pub fn take_stdin(&self) -> Option<ChildStdin> {
        lock(&self.guarded).process.stdin.take()
    }

    /// The pipe from its standard output. `None` the second time, and unless the command asked for a pipe.
    pub fn take_stdout(&self) -> Option<ChildStdout> {
        lock(&self.guarded).process.stdout.take()
    }

    /// The pipe from its standard error. `None` the second time, and unless the command asked for a pipe.
    pub fn take_stderr(&self) -> Option<ChildStderr> {
        lock(&self.guarded).process.stderr.take()
    }

    /// Its exit status, or `None` while it runs.
    #[must_use]
    pub fn ended(&self) -> Option<ExitStatus> {
        lock(&self.guarded).ended()
    }

    /// Waits until it has ended, for at most `limit`.
    ///
    /// # Errors
    ///
    /// When it still runs after `limit`. It is left running.
    pub fn wait(&self, limit: Duration) -> Result<ExitStatus> {
        let mut status = None;
        wait_until(&format!("process {} to end", self.id), limit, || {
            status = self.ended();
            status.is_some()
        })?;
        status.ok_or_else(|| Error::new(format!("process {} has no status", self.id)))
    }

    /// Sends SIGKILL to its group. Returns when it has ended.
    pub fn kill(&self) {
        lock(&self.guarded).signal(Signal::KILL);
        self.end();
    }

    /// Sends SIGSTOP to its group. Returns when it has stopped.
    ///
    /// # Errors
    ///
    /// When it ends instead, or has not stopped after 1.5 s.
    pub fn suspend(&self) -> Result<()> {
        lock(&self.guarded).signal(Signal::STOP);
        try_until(&format!("process {} to stop", self.id), PATIENCE, || match self.ended() {
            Some(status) => Err(Error::new(format!("process {} cannot be stopped: it ended with {status}", self.id))),
            None => Ok(self.state() == Some('T')),
        })
    }

    /// Sends SIGCONT to its group, which undoes [`Child::suspend`].
    pub fn resume(&self) {
        lock(&self.guarded).signal(Signal::CONT);
    }

    /// Its state as one letter, as `ps` shows it (proc_pid_stat(5)).
    fn state(&self) -> Option<char> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id)).ok()?;
        // The state stands after the name of the program, which can contain anything.
        stat.rsplit_once(") ")?.1.chars().next()
    }

    /// Sends SIGTERM to its group, and SIGKILL after 1.5 s. Returns when it has ended.
    pub fn end(&self) {
        end(std::slice::from_ref(&self.guarded));
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

impl Guarded {
    fn ended(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.process.try_wait().ok().flatten();
            // The system can now give the id to another process, so the watchdog must not signal it.
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
            // This fails only if the group has just ended by itself.
            let _ = kill_process_group(Pid::from_child(&self.process), signal);
        }
    }
}

/// Ends all children of this program at the same time, as [`Child::end`] does. After that no child can be started, and every wait
/// of this crate fails. A signal handler calls this: the program's main flow then returns with an error and cleans up.
pub fn end_all() {
    let children: Vec<_> = {
        let children = lock(&CHILDREN);
        begin();
        children.iter().filter_map(Weak::upgrade).collect()
    };
    end(&children);
}

/// Runs `command` until it ends, for at most `limit`, and reads its output.
///
/// # Errors
///
/// Those of [`Child::spawn`]. Also after `limit`; the process is ended then. An exit status other than 0 is not an error.
pub fn output(command: &mut Command, limit: Duration) -> Result<Output> {
    let child = Child::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let stdout = child.take_stdout().map(reader);
    let stderr = child.take_stderr().map(reader);
    let status = child.wait(limit).map_err(|error| Error::new(format!("{}: {error}", describe(command))))?;
    let text =
        |reader: Option<thread::JoinHandle<String>>| reader.and_then(|reader| reader.join().ok()).unwrap_or_default();
    Ok(Output { status, stdout: text(stdout), stderr: text(stderr) })
}

/// The command as a person types it, without its environment.
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
        // The process has ended in either case, so an error counts as the end of the pipe.
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn end(children: &[Arc<Mutex<Guarded>>]) {
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
