//! Finds out whether a target group has a healthy target, for rules with `on_empty_group: repick`.
//!
//! Envoy has no call that tells it. But it refuses a request of the filter's own at once where no target is healthy, and where one
//! is, the request goes there. The response to it does not matter.
//!
//! This is the one call that goes through the SDK, because the SDK ends the VM at a response to a request that it did not send
//! itself (`expect("invalid token_id")` in dispatcher.rs of proxy-wasm 0.2.5). Sent through the SDK, the request ends the VM too:
//! in `hostcalls::dispatch_http_call` on every status but three, and in `Dispatcher::on_http_call_response`, which unwraps the
//! result of `set_effective_context` when the stream that asked is still there. So nothing is asked before both functions have
//! just answered as they should. Envoy's answers to them depend on the configuration of the VM
//! (`capability_restriction_config`), which does not change while the VM lives.

use std::time::Duration;

use hostcalls::ContextId;

use crate::host;

const TIMEOUT: Duration = Duration::from_secs(1);

/// Tells whether this target group has a healthy target. One that cannot be asked counts as healthy.
///
/// The request belongs to the plugin: Envoy would break it off with a `stream` that ends earlier. `stream` is the context that is
/// at work.
pub(crate) fn has_healthy_target(plugin: ContextId, stream: ContextId, target_group: &str, path: &str) -> bool {
    if !host::act_for(plugin) {
        return true;
    }
    let has_target = !host::refuses_calls_to_no_cluster() || is_sent(target_group, path);
    host::act_for(stream);
    has_target
}

#[expect(clippy::disallowed_methods, reason = "the statuses on which it panics are excluded by the caller")]
fn is_sent(target_group: &str, path: &str) -> bool {
    let headers = vec![
        (":method", "HEAD"),
        (":path", path),
        (":authority", target_group),
        ("user-agent", concat!("sticky-sessions/", env!("CARGO_PKG_VERSION"))),
    ];
    // Both refusals are answers: Envoy has no such cluster, or it has no healthy target.
    proxy_wasm::hostcalls::dispatch_http_call(target_group, headers, None, Vec::new(), TIMEOUT).is_ok()
}
