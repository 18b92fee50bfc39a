//! Every call to Envoy, in the filter's words.
//!
//! Header values are bytes: the SDK's `String` getters panic on what a client may send.

use std::borrow::Cow;
use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, Bytes, MapType, MetricType, Status};
use stickiness::exchange::AnsweredBy;
use stickiness::time::Timestamp;
use stickiness::trust::key_ring::{NONCE_LENGTH, Nonce};

/// Envoy has no bytes for it.
pub(crate) struct Unreadable;

/// The headers of the request, each with its name in lower case.
///
/// All at once: a read by name gives the first of several `Cookie` lines only.
pub(crate) fn request_headers() -> Vec<(String, Bytes)> {
    hostcalls::get_map_bytes(MapType::HttpRequestHeaders).unwrap_or_default()
}

/// Sets a header of the request, instead of any that the client sent under this name.
pub(crate) fn replace_request_header(name: &str, value: &str) {
    let _ = hostcalls::set_map_value(MapType::HttpRequestHeaders, name, Some(value));
}

/// Removes every header of the request with this name.
pub(crate) fn remove_request_header(name: &str) {
    let _ = hostcalls::remove_map_value(MapType::HttpRequestHeaders, name);
}

/// Whether the answer has a header of this name.
pub(crate) fn has_response_header(name: &str) -> bool {
    matches!(hostcalls::get_map_value_bytes(MapType::HttpResponseHeaders, name), Ok(Some(_)))
}

/// Adds a header to the answer, beside those of the same name.
pub(crate) fn add_response_header(name: &str, value: &str) {
    let _ = hostcalls::add_map_value(MapType::HttpResponseHeaders, name, value);
}

/// Removes every header of the answer with this name.
pub(crate) fn remove_response_header(name: &str) {
    let _ = hostcalls::remove_map_value(MapType::HttpResponseHeaders, name);
}

/// The values of the answer's headers with this name.
pub(crate) fn response_headers(name: &str) -> Vec<Bytes> {
    let headers = hostcalls::get_map_bytes(MapType::HttpResponseHeaders).unwrap_or_default();
    headers.into_iter().filter(|(present, _)| present == name).map(|(_, value)| value).collect()
}

/// Whether this target group has a healthy target: Envoy refuses a request of the filter's own at once where none is,
/// and where one is, the request goes there. Its answer is of no interest.
///
/// `plugin` is the context of the plugin, which the request belongs to: Envoy would break it off with a stream that ends
/// earlier. `stream` is the context that is at work.
pub(crate) fn has_healthy_target(plugin: u32, stream: u32, target_group: &str, path: &str) -> bool {
    const TIMEOUT: Duration = Duration::from_secs(1);
    let headers = vec![
        (":method", "HEAD"),
        (":path", path),
        (":authority", target_group),
        ("user-agent", concat!("sticky-sessions/", env!("CARGO_PKG_VERSION"))),
    ];
    let _ = hostcalls::set_effective_context(plugin);
    let sent = hostcalls::dispatch_http_call(target_group, headers, None, Vec::new(), TIMEOUT);
    let _ = hostcalls::set_effective_context(stream);
    sent.is_ok()
}

/// The target group that the stream is routed to, if it is routed: the cluster, after a weighted pick.
///
/// Envoy routes again after a change of the request's headers, but shows the route of before until the next callback.
pub(crate) fn target_group() -> Option<String> {
    text_property(&["xds", "cluster_name"])
}

/// Who answered the request. What is known beforehand, should a target have answered, is not asked for.
///
/// `upstream.address` alone does not tell: after a failed connection it is the dead target, and Envoy answers itself.
pub(crate) fn answered_by<'a>(known_target_group: Option<&'a str>, known_target: Option<&'a str>) -> AnsweredBy<'a> {
    let target_group = || known_target_group.map(Cow::Borrowed).or_else(|| target_group().map(Cow::Owned));
    let target = || known_target.map(Cow::Borrowed).or_else(|| text_property(&["upstream", "address"]).map(Cow::Owned));
    let details = property(&["response", "code_details"]).unwrap_or_default();
    let answered_by = if details == b"via_upstream" {
        let answered = target_group().zip(target());
        answered.map(|(target_group, target)| AnsweredBy::Target { target_group, target })
    } else if details.starts_with(b"no_healthy_upstream") {
        target_group().map(|target_group| AnsweredBy::NoHealthyTarget { target_group })
    } else {
        None
    };
    answered_by.unwrap_or(AnsweredBy::LoadBalancer)
}

/// The route's `metadata.filter_metadata.sticky_sessions`, as the ABI hands a map over, if it has any.
pub(crate) fn route_metadata() -> Result<Option<Bytes>, Unreadable> {
    let path = vec!["xds", "route_metadata", "filter_metadata", "sticky_sessions"];
    match hostcalls::get_property(path) {
        Err(Status::SerializationFailure) => Err(Unreadable),
        metadata => Ok(metadata.ok().flatten()),
    }
}

/// Whether the client's connection to the listener is encrypted.
pub(crate) fn is_over_tls() -> bool {
    property(&["connection", "tls_version"]).is_some_and(|version| !version.is_empty())
}

/// Gives the stream a word that the access log can print, as `%FILTER_STATE(wasm.<key>:PLAIN)%`.
pub(crate) fn set_filter_state(key: &str, word: &str) {
    let _ = hostcalls::set_property(vec![key], Some(word.as_bytes()));
}

/// The time by Envoy's system clock.
pub(crate) fn now() -> Timestamp {
    hostcalls::get_current_time().map_or(Timestamp::from_millis(0), Timestamp::from)
}

/// Has the plugin of the context that is at work called each time this has passed. Tells whether Envoy will.
pub(crate) fn start_ticking(period: Duration) -> bool {
    hostcalls::set_tick_period(period).is_ok()
}

/// Ends what [`start_ticking`] began.
pub(crate) fn stop_ticking() {
    let _ = hostcalls::set_tick_period(Duration::ZERO);
}

/// Random bytes from Envoy, which never repeat.
pub(crate) fn draw_nonce() -> Option<Nonce> {
    random::<NONCE_LENGTH>()
}

/// `N` random bytes from Envoy.
pub(crate) fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}

/// The counter with this name, shared by all workers. Each call costs Envoy an entry, so keep the result.
pub(crate) fn define_counter(name: &str) -> Option<u32> {
    hostcalls::define_metric(MetricType::Counter, name).ok()
}

/// Counts so many, one at least.
pub(crate) fn increment(counter: u32, by: u32) {
    let _ = hostcalls::increment_metric(counter, by.into());
}

/// What all workers of the process have stored under `key`.
pub(crate) fn shared_data(key: &str) -> Option<Bytes> {
    hostcalls::get_shared_data(key).ok()?.0
}

/// Stores `value` for all workers of the process, unless another worker was first. Tells whether this one was.
///
/// Envoy has no such call, but compares a number that counts up from 1 with the one given, and only when there is a
/// value already: with a number that is never reached only the first worker succeeds.
pub(crate) fn store_shared_data_first(key: &str, value: &[u8]) -> bool {
    const NEVER_REACHED: u32 = u32::MAX;
    hostcalls::set_shared_data(key, Some(value), Some(NEVER_REACHED)).is_ok()
}

/// The plugin's configuration, of this many bytes. `None` when Envoy does not hand it over.
pub(crate) fn configuration(size: usize) -> Option<Vec<u8>> {
    let bytes = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, size).ok().flatten().unwrap_or_default();
    (bytes.len() == size).then_some(bytes)
}

fn text_property(path: &[&str]) -> Option<String> {
    String::from_utf8(property(path)?).ok()
}

fn property(path: &[&str]) -> Option<Bytes> {
    hostcalls::get_property(path.to_vec()).ok()?
}
