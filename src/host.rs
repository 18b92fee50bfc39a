//! The calls of Envoy, in the filter's words.
//!
//! A call that fails is counted and warned of here (see [`host_errors`](crate::host_errors)); the caller learns that there is no
//! value, where that makes a difference to it.

use std::time::Duration;

use hostcalls::{ContextId, HeaderMap, Headers, HostError, SharedData, Status};
use stickiness::time::Timestamp;
use stickiness::trust::key_ring::{NONCE_LENGTH, Nonce};

use crate::host_errors::checked;

/// The key of the filter state that holds the outcome of a stream.
const OUTCOME: &str = "sticky_session";

/// Envoy has the value and no bytes for it.
pub(crate) struct Unreadable;

/// Envoy does not say whether workers have shared a value.
pub(crate) struct NotShared;

/// The headers of the request.
///
/// All at once: a read by name gives the first of several `Cookie` lines only.
pub(crate) fn request_headers() -> HeaderMap {
    checked(hostcalls::header_map(Headers::Request)).unwrap_or_default()
}

/// Sets a header of the request, instead of any that the client sent under this name. Tells whether it is set.
pub(crate) fn replace_request_header(name: &str, value: &str) -> bool {
    checked(hostcalls::replace_header(Headers::Request, name, value)).is_some()
}

/// Removes every header of the request with this name.
pub(crate) fn remove_request_header(name: &str) {
    checked(hostcalls::remove_header(Headers::Request, name));
}

/// Tells whether the answer has a header of this name; `None` when Envoy does not say.
pub(crate) fn has_response_header(name: &str) -> Option<bool> {
    checked(hostcalls::header(Headers::Response, name)).map(|value| value.is_some())
}

/// Adds a header to the answer, beside those of the same name.
pub(crate) fn add_response_header(name: &str, value: &str) {
    checked(hostcalls::add_header(Headers::Response, name, value));
}

/// Removes every header of the answer with this name.
pub(crate) fn remove_response_header(name: &str) {
    checked(hostcalls::remove_header(Headers::Response, name));
}

/// The values of the answer's `Set-Cookie` headers.
pub(crate) fn set_cookies() -> Vec<Vec<u8>> {
    let headers = checked(hostcalls::header_map(Headers::Response)).unwrap_or_default();
    headers.iter().filter(|(name, _)| *name == b"set-cookie").map(|(_, value)| value.to_vec()).collect()
}

/// Has Envoy take the following calls for those of this context. Tells whether it does.
pub(crate) fn act_for(context: ContextId) -> bool {
    checked(hostcalls::set_effective_context(context)).is_some()
}

/// Tells whether Envoy refuses a request to no cluster in the way in which the SDK expects it.
pub(crate) fn refuses_calls_to_no_cluster() -> bool {
    match hostcalls::call_nowhere() {
        Err(HostError { status: Status::BAD_ARGUMENT, .. }) => true,
        other => {
            checked(other);
            false
        }
    }
}

/// The target group that the stream is routed to, if it is routed: the cluster, after a weighted pick.
///
/// Envoy routes again after a change of the request's headers, but shows the route of before until the next callback.
pub(crate) fn target_group() -> Option<String> {
    text_property("xds\0cluster_name")
}

/// The value of `filter_metadata.sticky_sessions.enabled` in the metadata of the cluster, if there is one.
pub(crate) fn cluster_metadata_enabled() -> Option<Box<[u8]>> {
    match hostcalls::property("xds\0cluster_metadata\0filter_metadata\0sticky_sessions\0enabled") {
        // Envoy has no bytes for `null`.
        Err(HostError { status: Status::SERIALIZATION_FAILURE, .. }) => Some(Box::default()),
        enabled => checked(enabled).flatten(),
    }
}

/// The number of hosts of the request's cluster, healthy or not; `None` when Envoy does not tell it.
pub(crate) fn hosts_in_cluster() -> Option<u64> {
    property("upstream\0num_endpoints")?.first_chunk().map(|number| u64::from_le_bytes(*number))
}

/// The address of the upstream host that Envoy chose last. After a failed connection it is the dead one.
pub(crate) fn upstream_address() -> Option<String> {
    text_property("upstream\0address")
}

/// Returns true if the host that Envoy chose last has a locality. Only a host that somebody has configured has one.
pub(crate) fn upstream_has_locality() -> bool {
    property("upstream\0locality").is_some_and(|locality| !locality.is_empty())
}

/// Returns true if Envoy has sent the request to a host more than once.
pub(crate) fn is_retried() -> bool {
    let attempts = property("upstream\0request_attempt_count");
    attempts
        .and_then(|attempts| attempts.first_chunk().map(|count| u64::from_le_bytes(*count)))
        .is_some_and(|count| count > 1)
}

/// Where the response came from, in Envoy's words (`%RESPONSE_CODE_DETAILS%`).
pub(crate) fn response_code_details() -> Box<[u8]> {
    property("response\0code_details").unwrap_or_default()
}

/// The route's `metadata.filter_metadata.sticky_sessions`, as the ABI hands a map over, if it has any.
pub(crate) fn route_metadata() -> Result<Option<Box<[u8]>>, Unreadable> {
    match hostcalls::property("xds\0route_metadata\0filter_metadata\0sticky_sessions") {
        Err(HostError { status: Status::SERIALIZATION_FAILURE, .. }) => Err(Unreadable),
        metadata => Ok(checked(metadata).flatten()),
    }
}

/// Tells whether the client's connection to the listener is encrypted.
pub(crate) fn is_over_tls() -> bool {
    property("connection\0tls_version").is_some_and(|version| !version.is_empty())
}

/// Gives the stream the word of its outcome, which the access log can print: `%FILTER_STATE(wasm.sticky_session:PLAIN)%`.
pub(crate) fn set_outcome(word: &str) {
    checked(hostcalls::set_property(OUTCOME, word.as_bytes()));
}

/// Returns true if an instance of the filter has given the stream an outcome. Clients cannot give it one.
pub(crate) fn has_outcome() -> bool {
    property(OUTCOME).is_some()
}

/// The time by Envoy's system clock; 1970 when Envoy does not tell it, when every cookie is over.
pub(crate) fn now() -> Timestamp {
    let since_1970 = checked(hostcalls::current_time()).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX))
}

/// Has the plugin of the context that is at work called each time this has passed. Tells whether Envoy will.
pub(crate) fn start_ticking(period: Duration) -> bool {
    checked(hostcalls::set_tick_period(period)).is_some()
}

/// Ends what [`start_ticking`] began.
pub(crate) fn stop_ticking() {
    checked(hostcalls::set_tick_period(Duration::ZERO));
}

/// Random bytes from Envoy, which never repeat.
pub(crate) fn draw_nonce() -> Option<Nonce> {
    random::<NONCE_LENGTH>()
}

/// `N` random bytes from Envoy.
pub(crate) fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    checked(hostcalls::fill_random(&mut bytes))?;
    Some(bytes)
}

/// The counter with this name, shared by all workers. Each call costs Envoy an entry, so keep the result.
pub(crate) fn define_counter(name: &str) -> Option<u32> {
    checked(hostcalls::define_counter(name))
}

/// Counts so many, one at least.
pub(crate) fn increment(counter: u32, by: u32) {
    checked(hostcalls::increment_counter(counter, by));
}

/// The value that a worker of the process has stored under `key`, if one has.
pub(crate) fn shared_data(key: &str) -> Result<Option<SharedData>, NotShared> {
    checked(hostcalls::shared_data(key)).ok_or(NotShared)
}

/// Stores `value` for all workers of the process, unless another worker was first. Tells whether this one was; `None` when it is
/// not known.
///
/// Envoy has no such call, but compares a number that counts up from 1 with the one given, and only when there is a
/// value already: with a number that is never reached only the first worker succeeds.
pub(crate) fn store_shared_data_first(key: &str, value: &[u8]) -> Option<bool> {
    const NEVER_REACHED: u32 = u32::MAX;
    checked(hostcalls::set_shared_data(key, value, NEVER_REACHED))
}

/// Stores `value` in place of what [`shared_data`] has returned, unless another worker has changed it since. Tells whether it is
/// stored; `None` when it is not known.
pub(crate) fn replace_shared_data(key: &str, value: &[u8], replaced: Option<&SharedData>) -> Option<bool> {
    match replaced {
        Some(replaced) => checked(hostcalls::set_shared_data(key, value, replaced.compare_and_swap)),
        None => store_shared_data_first(key, value),
    }
}

/// The `vm_id` of the filter; `None` when Envoy does not tell it.
pub(crate) fn vm_id() -> Option<Box<[u8]>> {
    property("plugin_vm_id")
}

/// The plugin's configuration, of this many bytes. `None` when Envoy does not hand it over.
pub(crate) fn configuration(size: usize) -> Option<Box<[u8]>> {
    checked(hostcalls::plugin_configuration(size)).filter(|bytes| bytes.len() == size)
}

/// The value of an environment variable of the VM.
pub(crate) fn environment_variable(name: &str) -> Option<Vec<u8>> {
    checked(hostcalls::environment_variable(name)).flatten()
}

fn text_property(path: &str) -> Option<String> {
    String::from_utf8(property(path)?.into_vec()).ok()
}

fn property(path: &str) -> Option<Box<[u8]>> {
    checked(hostcalls::property(path)).flatten()
}
