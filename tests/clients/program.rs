//! Runs the program of a client: to its end, or as a conversation line by line.

use std::io::Write;
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use local_envoy::{Child, Error, Log, Stream, child, workspace_root};

/// The limit for an answer. Java compiles its source first, on a machine that may be busy.
const LIMIT: Duration = Duration::from_mins(1);

/// The way to install each program.
const HOW: [(&str, &str); 3] = [
    ("curl", "install curl with HTTP/2, as Debian's package `curl` is"),
    ("python3", "install Python 3.10 or newer with pip, as Debian's packages `python3` and `python3-pip`"),
    ("java", "install a JDK of Java 11 or newer, such as Debian's package `default-jdk-headless`"),
];

/// A program that uses no proxy for addresses of this machine.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.envs([("NO_PROXY", "127.0.0.1,localhost"), ("no_proxy", "127.0.0.1,localhost")]);
    command
}

/// A file of this suite.
pub(crate) fn script(name: &str) -> PathBuf {
    workspace_root().join("tests/clients").join(name)
}

/// Runs a program, which must succeed, and returns its standard output.
#[track_caller]
pub(crate) fn output(command: &mut Command) -> String {
    let output = match child::output(command, LIMIT) {
        Ok(output) => output,
        Err(error) => fail(command, &error),
    };
    let name = child::describe(command);
    assert!(output.status.success(), "{name} ended with {}:\n{}{}", output.status, output.stdout, output.stderr);
    output.stdout
}

#[track_caller]
fn fail(command: &Command, error: &Error) -> ! {
    let how = HOW.iter().find(|(program, _)| command.get_program() == *program);
    panic!("{error}; {}", how.map_or("", |(_, how)| how))
}

/// A running program that answers every line with a line. It ends when this is dropped.
pub(crate) struct Conversation {
    name: String,
    input: ChildStdin,
    answers: Receiver<String>,
    log: Log,
    child: Child,
}

impl Conversation {
    #[track_caller]
    pub(crate) fn start(command: &mut Command) -> Self {
        let child = match Child::spawn_listening(command.stdout(Stdio::piped()).stderr(Stdio::piped())) {
            Ok(child) => child,
            Err(error) => fail(command, &error),
        };
        let (answer, answers) = channel();
        let log = Log::default();
        log.collect(Stream::Stderr, child.take_stderr().unwrap(), |_, _| ());
        // Sending fails when the test is over.
        log.collect(Stream::Stdout, child.take_stdout().unwrap(), move |_, line| drop(answer.send(line.to_owned())));
        Self { name: child::describe(command), input: child.take_stdin().unwrap(), answers, log, child }
    }

    /// The answer to a line.
    #[track_caller]
    pub(crate) fn ask(&mut self, line: &str) -> String {
        if let Err(error) = writeln!(self.input, "{line}") {
            self.complain(&format!("cannot be asked {line}: {error}"));
        }
        self.next()
    }

    /// The next line that it prints.
    #[track_caller]
    pub(crate) fn next(&self) -> String {
        match self.answers.recv_timeout(LIMIT) {
            Ok(answer) => answer,
            Err(error) => self.complain(&format!("does not answer: {error}")),
        }
    }

    /// Its standard error so far.
    pub(crate) fn errors(&self) -> String {
        self.log.text_of(Stream::Stderr)
    }

    /// Ends it.
    pub(crate) fn end(&self) {
        self.child.end();
    }

    #[track_caller]
    fn complain(&self, what: &str) -> ! {
        if self.child.ended().is_some() {
            self.log.settle();
        }
        panic!("{} {what}\n{}", self.name, self.log.text())
    }
}
