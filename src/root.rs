//! The plugin's configuration and keys in one worker, and the callbacks of Envoy for the plugin.

use std::rc::Rc;

use hostcalls::ContextId;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;
use stickiness::balancer::Balancer;
use stickiness::config::{Config, Parsed};
use stickiness::trust::key_text;

use crate::counters::Counters;
use crate::plugin::Plugin;
use crate::stream::Stream;
use crate::ticker::Ticker;
use crate::warn_once::{is_first, warn_once};
use crate::{host, random_key};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where the workers of a process find that this version has been logged already.
const SHARED_VERSION: &str = concat!("sticky_sessions.version.", env!("CARGO_PKG_VERSION"));

/// The root context of a plugin.
pub(crate) struct Root {
    context: ContextId,
    ticker: Rc<Ticker>,
    /// With the last configuration that was accepted; a stream keeps the one with which it began.
    plugin: Option<Rc<Plugin>>,
}

impl Root {
    /// The plugin of this context, without a configuration yet.
    pub(crate) fn new(context: ContextId) -> Self {
        Self { context, ticker: Rc::new(Ticker::new()), plugin: None }
    }
}

impl Context for Root {}

// xtask keeps the callbacks that are implemented here in the module that ships (`KEPT` of the pass `prune`).
impl RootContext for Root {
    /// The configuration of a VM is for all plugins in it, and the filter has none. It is the plugin's in the wrong place.
    fn on_vm_start(&mut self, size: usize) -> bool {
        if size > 0 {
            log::error!(
                "the filter does not read vm_config.configuration; write it into configuration, beside vm_config"
            );
        }
        size == 0
    }

    /// A configuration that is refused here is refused by Envoy, in `--mode validate` too.
    fn on_configure(&mut self, size: usize) -> bool {
        match configure(size) {
            Ok((balancer, warnings)) => {
                if is_first(SHARED_VERSION) {
                    log::info!("sticky-sessions {VERSION}");
                }
                for warning in &warnings {
                    warn_once(warning);
                }
                self.plugin = Some(Rc::new(Plugin::new(self.context, balancer, Rc::clone(&self.ticker))));
                true
            }
            Err(problem) => {
                log::error!("{problem}");
                false
            }
        }
    }

    fn on_tick(&mut self) {
        Counters::of_this_worker().tell();
        self.ticker.tick();
    }

    fn create_http_context(&self, context: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(context.into(), self.plugin.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// The balancer of the configuration that Envoy has now, and what to warn of.
fn configure(size: usize) -> Result<(Balancer, Vec<String>), String> {
    // An empty configuration instead would make every cluster sticky, with keys that nobody chose.
    let configuration = host::configuration(size).ok_or("Envoy does not hand over the configuration of the plugin")?;
    let Parsed { config, key_ring: configured, warnings } =
        Config::parse(&configuration).map_err(|error| error.to_string())?;
    let in_environment = |problem: String| format!("{}: {problem}", key_text::ENVIRONMENT_VARIABLE);
    let environment = host::environment_variable(key_text::ENVIRONMENT_VARIABLE).map(String::from_utf8).transpose();
    let environment = environment.map_err(|_| in_environment("it is not text".to_owned()))?;
    let given =
        key_text::given(configured, environment.as_deref()).map_err(|error| in_environment(error.to_string()))?;
    Ok((Balancer::new(config, given.map_or_else(random_key::ring, Ok)?), warnings))
}
