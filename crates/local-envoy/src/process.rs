//! Runs an Envoy with a given configuration.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::hot_restart::Generation;
use crate::{Admin, Child, Config, Error, Log, Result, Stream, child, try_until};

/// Is called with each line that Envoy prints, without its newline.
pub type OnLine = Box<dyn FnMut(Stream, &str) + Send>;

/// The settings of one Envoy process.
pub struct Settings {
    /// The number of worker threads, at least 1. Default: 1.
    pub concurrency: u32,
    /// trace, debug, info, warning, error, critical or off. Default: warning.
    pub log_level: String,
    /// The levels of single components, such as `wasm:debug,upstream:info`. The filter logs as `wasm`. Default: `wasm:info`.
    pub component_log_level: String,
    /// The environment of the process, besides `PATH` and `HOME`. Default: empty.
    pub environment: Vec<(String, String)>,
    /// Is called with each line. Default: none.
    pub on_line: Option<OnLine>,
    /// The drain time in whole seconds: before Envoy closes a listener, it asks clients for so long to open another connection.
    /// Default: 600 s, as Envoy.
    pub drain: Option<Duration>,
    /// Allows a hot restart, see [`Envoy::start_successor`]. The successor ends its predecessor after so many whole seconds, which
    /// must be more than `drain`. Default: no hot restart.
    pub hot_restart: Option<Duration>,
    /// The time from the start until it is ready, with the first health checks. Default: 30 s.
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

/// A running Envoy. It ends on drop. If a test panics, the drop prints its log.
pub struct Envoy {
    // Dropped before the folder, which Envoy reads until it ends.
    child: Child,
    log: Log,
    admin: Admin,
    generation: Option<Generation>,
    _folder: TempDir,
}

impl Envoy {
    /// Starts an Envoy and returns when every listener accepts connections.
    ///
    /// # Errors
    ///
    /// When it cannot be started, ends before it is ready, or is not ready within the limit. The error contains its log.
    pub fn start(binary: &Path, config: &Config, settings: Settings) -> Result<Self> {
        let folder = folder_with(config)?;
        let generation = settings.hot_restart.map(|_| Generation::first(folder.path()));
        Self::start_as(generation, folder, binary, settings)
    }

    /// A hot restart: starts an Envoy that takes over the listeners with the same addresses. This Envoy drains and then ends by
    /// itself.
    ///
    /// # Errors
    ///
    /// When one of the two was not started with [`Settings::hot_restart`], and those of [`Envoy::start`].
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
        // By default Envoy holds lines of the access log back for up to 10 s.
        command.args(["--file-flush-interval-msec", "50"]);
        if let Some(drain) = settings.drain {
            command.args(["--drain-time-s", &drain.as_secs().to_string()]);
        }
        match (&generation, settings.hot_restart) {
            (Some(generation), Some(shutdown)) => command.args(generation.arguments(shutdown)),
            // Two Envoys on one machine would otherwise use the same shared memory segment.
            _ => command.arg("--disable-hot-restart"),
        };
        command.arg("--admin-address-path").arg(&admin_file);

        let child = Child::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        let log = match settings.on_line {
            Some(on_line) => Log::passed_on(&child, on_line),
            None => Log::of(&child),
        };
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

    /// The address of the listener with this name.
    ///
    /// # Errors
    ///
    /// Those of [`Admin::listener`].
    pub fn address(&self, listener: &str) -> Result<SocketAddr> {
        self.admin.listener(listener)
    }

    /// All output so far: Envoy's own log, the filter's log and the access log.
    #[must_use]
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// The standard output so far, which is the access log. A line comes up to 50 ms after its request.
    #[must_use]
    pub fn access_log(&self) -> String {
        self.log.text_of(Stream::Stdout)
    }

    /// The standard error so far: Envoy's own log and the filter's log.
    #[must_use]
    pub fn server_log(&self) -> String {
        self.log.text_of(Stream::Stderr)
    }

    /// The last `count` lines of the output. After the end of the process they are complete.
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

    /// Its exit status, or `None` while it runs.
    #[must_use]
    pub fn ended(&self) -> Option<ExitStatus> {
        self.child.ended()
    }

    /// Ends it with SIGTERM, and with SIGKILL after 1.5 s. Its log can still be read.
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

/// The result of `envoy --mode validate`.
#[derive(Clone, Debug)]
pub struct Validation {
    /// True if Envoy would start with the configuration. A filter that refuses its own configuration counts too.
    pub accepted: bool,
    /// The output of the process.
    pub log: String,
}

/// Asks Envoy whether it accepts a configuration. `environment` is its environment, besides `PATH` and `HOME`.
///
/// # Errors
///
/// When Envoy cannot be started or does not end within 60 s. A refused configuration is not an error.
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
    // The environment is cleared because keys of the caller's shell must not reach the filter. PATH and HOME stay, so that
    // ENVOY_BIN can name a script.
    command.env_clear();
    command.envs(["PATH", "HOME"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command
}
