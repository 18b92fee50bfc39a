//! How does an Envoy with a given configuration run?

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tempfile::TempDir;

use crate::hot_restart::Generation;
use crate::{Admin, Child, Config, Error, Log, Result, Stream, child, try_until};

/// Called with each line that Envoy prints, as it comes, without its newline.
pub type OnLine = Box<dyn FnMut(Stream, &str) + Send>;

/// How an Envoy is run.
pub struct Settings {
    /// Worker threads, at least 1. Default: 1.
    pub concurrency: u32,
    /// trace, debug, info, warning, error, critical or off. Default: warning.
    pub log_level: String,
    /// For components that differ, as `wasm:debug,upstream:info`; "wasm" is what the filter logs. Default: `wasm:info`.
    pub component_log_level: String,
    /// The whole environment of the process, beside `PATH` and `HOME`. Default: nothing.
    pub environment: Vec<(String, String)>,
    /// Sees the lines. Default: nobody.
    pub on_line: Option<OnLine>,
    /// For how long it asks its clients to come back on another connection before it closes a listener, in whole seconds.
    /// Default: Envoy's, 600 s.
    pub drain: Option<Duration>,
    /// Lets another Envoy take its listeners over, see [`Envoy::start_successor`], which ends its predecessor after so many whole
    /// seconds: more than those of `drain`. Default: none can.
    pub hot_restart: Option<Duration>,
    /// From the start to readiness, health checks of the clusters included. Default: 30 s.
    pub limit: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency: 1,
            log_level: "warning".into(),
            component_log_level: "wasm:info".into(),
            environment: Vec::new(),
            on_line: None,
            drain: None,
            hot_restart: None,
            limit: Duration::from_secs(30),
        }
    }
}

/// A running Envoy. It ends when this is dropped; in a test that panics, its log is then printed.
pub struct Envoy {
    // Before the folder, which it reads from until its end.
    child: Child,
    log: Log,
    admin: Admin,
    generation: Option<Generation>,
    _folder: TempDir,
}

impl Envoy {
    /// Starts it and returns when every listener accepts connections.
    ///
    /// # Errors
    ///
    /// When it cannot be started, ends before it is ready, or is not ready within the limit; with its log.
    pub fn start(binary: &Path, config: &Config, settings: Settings) -> Result<Self> {
        let folder = folder_with(config)?;
        let generation = settings.hot_restart.map(|_| Generation::first(folder.path()));
        Self::start_as(generation, folder, binary, settings)
    }

    /// A hot restart: starts the Envoy that takes over the listeners of this one which have the same addresses in its
    /// configuration. This one goes on until it has drained, and then ends by itself.
    ///
    /// # Errors
    ///
    /// When this one, or the new one, was not started with [`Settings::hot_restart`], and those of [`Envoy::start`].
    pub fn start_successor(&self, binary: &Path, config: &Config, settings: Settings) -> Result<Self> {
        match (&self.generation, settings.hot_restart) {
            (Some(generation), Some(_)) => {
                Self::start_as(Some(generation.next()), folder_with(config)?, binary, settings)
            }
            _ => Err(Error::new("an Envoy takes over from another only when both are started with hot_restart")),
        }
    }

    fn start_as(generation: Option<Generation>, folder: TempDir, binary: &Path, settings: Settings) -> Result<Self> {
        let admin_file = folder.path().join("admin-address");
        let mut command = command(binary, folder.path(), &settings.environment);
        command.args(["--concurrency", &settings.concurrency.to_string()]);
        command.args(["--log-level", &settings.log_level]);
        command.args(["--component-log-level", &settings.component_log_level]);
        // By default lines of the access log wait for up to 10 s.
        command.args(["--file-flush-interval-msec", "50"]);
        if let Some(drain) = settings.drain {
            command.args(["--drain-time-s", &drain.as_secs().to_string()]);
        }
        match (&generation, settings.hot_restart) {
            (Some(generation), Some(shutdown)) => command.args(generation.arguments(shutdown)),
            // Otherwise two Envoys on one machine fight over a shared memory segment.
            _ => command.arg("--disable-hot-restart"),
        };
        command.arg("--admin-address-path").arg(&admin_file);

        let child = Child::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        let log = collect(&child, settings.on_line);
        let mut admin = None;
        let ready = try_until("Envoy to be ready", settings.limit, || {
            if let Some(status) = child.ended() {
                return Err(Error::new(format!("Envoy ended with {status} before it was ready")));
            }
            if admin.is_none() {
                let address = fs::read_to_string(&admin_file).unwrap_or_default();
                admin = address.trim().parse().ok().map(Admin::new);
            }
            Ok(admin.is_some_and(|admin| admin.is_ready()))
        });
        match (ready, admin) {
            (Ok(()), Some(admin)) => {
                let generation = generation.map(Generation::running).transpose()?;
                Ok(Self { child, log, admin, generation, _folder: folder })
            }
            (ready, _) => {
                child.end();
                log.settle();
                let why = ready.err().map_or_else(String::new, |error| error.to_string());
                Err(Error::new(format!("{why}; its log:\n{}", log.text().trim_end())))
            }
        }
    }

    /// Its admin interface.
    #[must_use]
    pub fn admin(&self) -> &Admin {
        &self.admin
    }

    /// Where to reach the listener of this name.
    ///
    /// # Errors
    ///
    /// Those of [`Admin::listener`].
    pub fn address(&self, listener: &str) -> Result<SocketAddr> {
        self.admin.listener(listener)
    }

    /// What it has printed so far: its own log, the filter's, and the access log.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// What it has printed so far on standard output: the access log. A line comes up to 50 ms after its request.
    #[must_use]
    pub fn access_log(&self) -> String {
        self.log.text_of(Stream::Stdout)
    }

    /// What it has printed so far on standard error: its own log, and the filter's.
    #[must_use]
    pub fn server_log(&self) -> String {
        self.log.text_of(Stream::Stderr)
    }

    /// The last `count` lines that it has printed, its last words included when it has ended.
    #[must_use]
    pub fn log_tail(&self, count: usize) -> String {
        if self.ended().is_some() {
            self.log.settle();
        }
        self.log.tail(count)
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, or `None` while it runs.
    #[must_use]
    pub fn ended(&self) -> Option<ExitStatus> {
        self.child.ended()
    }

    /// Ends it: SIGTERM, and SIGKILL after 1.5 s. Its log can still be read.
    pub fn end(&self) {
        self.child.end();
        self.log.settle();
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("The log of Envoy {}:\n{}", self.id(), self.log());
        }
    }
}

/// What `envoy --mode validate` says of a configuration.
#[derive(Clone, Debug)]
pub struct Validation {
    /// Whether Envoy would start with it; a filter that refuses its own configuration counts.
    pub accepted: bool,
    /// What it printed.
    pub log: String,
}

/// Asks Envoy whether it accepts a configuration, with `environment` as its whole environment beside `PATH` and `HOME`.
///
/// # Errors
///
/// When Envoy cannot be started or does not answer within 60 s. Not when it refuses.
pub fn validate(binary: &Path, config: &Config, environment: &[(String, String)]) -> Result<Validation> {
    let folder = folder_with(config)?;
    let mut command = command(binary, folder.path(), environment);
    command.args(["--mode", "validate", "--log-level", "warning", "--component-log-level", "wasm:info"]);
    let output = child::output(&mut command, Duration::from_secs(60))?;
    Ok(Validation { accepted: output.status.success(), log: output.stdout + &output.stderr })
}

fn folder_with(config: &Config) -> Result<TempDir> {
    let say = |error: std::io::Error| Error::new(format!("the configuration for Envoy cannot be written: {error}"));
    let folder = tempfile::Builder::new().prefix("local-envoy-").tempdir().map_err(say)?;
    fs::write(folder.path().join("envoy.json"), config.to_json()).map_err(say)?;
    Ok(folder)
}

fn command(binary: &Path, folder: &Path, environment: &[(String, String)]) -> Command {
    let mut command = Command::new(binary);
    command.arg("--config-path").arg(folder.join("envoy.json"));
    // Keys of the caller's own shell must not reach the filter. The two that stay let ENVOY_BIN be a script.
    command.env_clear();
    command.envs(["PATH", "HOME"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command
}

fn collect(child: &Child, on_line: Option<OnLine>) -> Log {
    let log = Log::default();
    let on_line = Arc::new(Mutex::new(on_line));
    let pass = || {
        let on_line = on_line.clone();
        move |stream: Stream, line: &str| {
            if let Some(on_line) = on_line.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
                on_line(stream, line);
            }
        }
    };
    if let Some(stdout) = child.take_stdout() {
        log.collect(Stream::Stdout, stdout, pass());
    }
    if let Some(stderr) = child.take_stderr() {
        log.collect(Stream::Stderr, stderr, pass());
    }
    log
}
