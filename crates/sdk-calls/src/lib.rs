//! The same calls as those of a pinned request, made through the SDK and without any computation: a step of `crates/bench`.
//!
//! The difference to the filter is the price of the core and the gain of the crate `hostcalls`. The configuration is the value of the
//! header that names the target; every client is pinned to that, and given cookies as long as the filter's.

#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods, reason = "the calls that panic are what is measured")]
#![allow(missing_docs, reason = "nothing is public but the entry point that the SDK's macro makes for Envoy")]

use std::rc::Rc;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, BufferType, ContextType, MapType};

const HOST: &str = "x-sticky-session-host";

const END: &str = "; Expires=Tue, 27 Feb 2024 11:21:53 GMT; Path=/";

/// As long as a sealed binding.
const VALUE_LENGTH: usize = 124;

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| Box::new(Root { words: Rc::default() }));
}}

#[derive(Default)]
struct Words {
    pin: String,
    cookie: String,
    twin: String,
}

struct Root {
    words: Rc<Words>,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        let pin = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, size).ok().flatten();
        let Some(pin) = pin.and_then(|pin| String::from_utf8(pin).ok()) else { return false };
        let value = "A".repeat(VALUE_LENGTH);
        let (cookie, twin) = (format!("AWSALB={value}{END}"), format!("AWSALBCORS={value}{END}; SameSite=None"));
        self.words = Rc::new(Words { pin, cookie, twin });
        true
    }

    fn create_http_context(&self, _context: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream { words: Rc::clone(&self.words) }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Stream {
    words: Rc<Words>,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        let _ = hostcalls::get_map_bytes(MapType::HttpRequestHeaders);
        let _ = hostcalls::get_property(vec!["xds", "cluster_name"]);
        let _ = hostcalls::set_map_value(MapType::HttpRequestHeaders, HOST, Some(&self.words.pin));
        let _ = hostcalls::set_property(vec!["sticky_session"], Some(b"pinned"));
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _count: usize, _end_of_stream: bool) -> Action {
        let _ = hostcalls::get_property(vec!["upstream", "address"]);
        let _ = hostcalls::get_property(vec!["response", "code_details"]);
        for line in [&self.words.cookie, &self.words.twin] {
            let _ = hostcalls::add_map_value(MapType::HttpResponseHeaders, "set-cookie", line);
        }
        Action::Continue
    }
}
