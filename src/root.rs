//! What outlives a request: the configuration and the keys of one plugin in one worker.

use std::cell::Cell;
use std::env::VarError;
use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;
use stickiness::balancer::Balancer;
use stickiness::config::{Config, Parsed};
use stickiness::trust::key_ring::{Key, KeyRing, SECRET_LENGTH};
use stickiness::trust::key_text;

use crate::host;
use crate::stream::Stream;
use crate::ticker::Ticker;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where the workers of a process find the random key that one of them drew.
const SHARED_KEY: &str = "sticky_sessions.key";

/// Where the workers of a process find that this version has been logged already.
const SHARED_VERSION: &str = concat!("sticky_sessions.version.", env!("CARGO_PKG_VERSION"));

/// One plugin in one worker.
pub(crate) struct Root {
    context: u32,
    balancer: Option<Rc<Balancer>>,
    ticker: Rc<Ticker>,
    names_targets: Rc<Cell<bool>>,
}

impl Root {
    /// The plugin of this context, without a configuration yet.
    pub(crate) fn new(context: u32) -> Self {
        Self { context, balancer: None, ticker: Rc::new(Ticker::new()), names_targets: Rc::default() }
    }
}

impl Context for Root {}

impl RootContext for Root {
    /// Refusing here makes Envoy refuse the configuration, in `--mode validate` too.
    fn on_configure(&mut self, size: usize) -> bool {
        match configure(size) {
            Ok((balancer, warnings)) => {
                if host::store_shared_data_first(SHARED_VERSION, b"logged") {
                    log::info!("sticky-sessions {VERSION}");
                }
                for warning in &warnings {
                    warn_once(warning);
                }
                self.balancer = Some(Rc::new(balancer));
                true
            }
            Err(problem) => {
                log::error!("{problem}");
                false
            }
        }
    }

    fn on_tick(&mut self) {
        self.ticker.tick();
    }

    fn create_http_context(&self, context: u32) -> Option<Box<dyn HttpContext>> {
        let (ticker, names_targets) = (Rc::clone(&self.ticker), Rc::clone(&self.names_targets));
        Some(Box::new(Stream::new(context, self.context, self.balancer.clone(), ticker, names_targets)))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// Logs a warning, unless a worker of this process has logged it already.
pub(crate) fn warn_once(warning: &str) {
    if host::store_shared_data_first(&format!("sticky_sessions.warning.{warning}"), b"logged") {
        log::warn!("{warning}");
    }
}

/// The configuration at work, and what to warn of.
fn configure(size: usize) -> Result<(Balancer, Vec<String>), String> {
    // To go on as if there were none would make every cluster sticky, with keys that nobody chose.
    let configuration = host::configuration(size).ok_or("Envoy does not hand over the configuration of the plugin")?;
    let Parsed { config, key_ring: configured, warnings } =
        Config::parse(&configuration).map_err(|error| error.to_string())?;
    let in_environment = |problem: String| format!("{}: {problem}", key_text::ENVIRONMENT_VARIABLE);
    let environment = match std::env::var(key_text::ENVIRONMENT_VARIABLE) {
        Err(VarError::NotUnicode(_)) => return Err(in_environment("it is not text".to_owned())),
        ring => ring.ok(),
    };
    let given =
        key_text::given(configured, environment.as_deref()).map_err(|error| in_environment(error.to_string()))?;
    Ok((Balancer::new(config, given.map_or_else(process_ring, Ok)?), warnings))
}

/// A random key that all workers of this process share, as far as their VMs have one `vm_id`.
fn process_ring() -> Result<KeyRing, String> {
    let drawn: [u8; SECRET_LENGTH] = host::random().ok_or("Envoy gives no random bytes for a key")?;
    if host::store_shared_data_first(SHARED_KEY, &drawn) {
        log::warn!(
            "no keys in the configuration or in {}: cookies are sealed with a random key, which other replicas and a \
             restarted Envoy do not have",
            key_text::ENVIRONMENT_VARIABLE
        );
    }
    let secret = host::shared_data(SHARED_KEY)
        .and_then(|secret| secret.try_into().ok())
        .ok_or("Envoy's shared data does not hold the key that was stored there")?;
    Ok(KeyRing::new(Key::new(&secret), Vec::new()))
}
