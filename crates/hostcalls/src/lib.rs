//! Calls Envoy through the proxy-wasm ABI, and returns every status as a value.
//!
//! This is the only crate of the filter with `unsafe` code. It declares the imports that the filter needs and no others. The
//! functions of the SDK `proxy-wasm` panic on every status that they do not expect, and under wasm a panic ends the worker's VM.
//! These functions never panic: not on any status, and not on a value that the host leaves unwritten.
//!
//! The contract is the specification of the ABI, version 0.2.1
//! (<https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1>). Each function here names the function of the ABI that it
//! calls.

#![allow(unsafe_code, reason = "the ABI consists of pointers and lengths")]
#![deny(clippy::undocumented_unsafe_blocks)]

mod environment;
mod error;
mod given;
mod imports;
mod map;

use std::time::Duration;

pub use environment::environment_variable;
pub use error::{HostError, Status};
pub use map::{HeaderMap, Pairs};

use error::status_of;
use given::Given;

/// The number by which the host knows a plugin or a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContextId(u32);

impl From<u32> for ContextId {
    fn from(id: u32) -> Self {
        Self(id)
    }
}

/// The severity of a log line, as the ABI numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Every step.
    Trace = 0,
    /// For developers.
    Debug = 1,
    /// News.
    Info = 2,
    /// Something is wrong, and the filter goes on.
    Warn = 3,
    /// Something failed.
    Error = 4,
    /// The VM ends.
    Critical = 5,
}

/// Headers of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Headers {
    /// Those of the request.
    Request = 0,
    /// Those of the response.
    Response = 2,
}

/// The type of a buffer that holds the configuration of the plugin.
const PLUGIN_CONFIGURATION: u32 = 7;

/// The type of a metric that counts.
const COUNTER: u32 = 0;

/// The result of a call of the host.
pub type Result<T> = std::result::Result<T, HostError>;

/// Writes a line to the log of the host (`proxy_log`).
///
/// # Errors
///
/// When the host answers with another status than success; here and below.
pub fn log(level: Level, line: &str) -> Result<()> {
    // SAFETY: the address and the length are those of `line`.
    status_of("proxy_log", unsafe { imports::proxy_log(level as u32, line.as_ptr(), line.len()) })
}

/// The time by the host's clock, since 1970 (`proxy_get_current_time_nanoseconds`).
///
/// # Errors
///
/// As for [`log`].
pub fn current_time() -> Result<Duration> {
    let mut nanoseconds = 0;
    // SAFETY: the host writes a u64 there.
    let status = unsafe { imports::proxy_get_current_time_nanoseconds(&raw mut nanoseconds) };
    status_of("proxy_get_current_time_nanoseconds", status)?;
    Ok(Duration::from_nanos(nanoseconds))
}

/// Has the callback `proxy_on_tick` of the plugin called each time that this has passed; never, when it is zero
/// (`proxy_set_tick_period_milliseconds`).
///
/// # Errors
///
/// As for [`log`].
pub fn set_tick_period(period: Duration) -> Result<()> {
    let period = u32::try_from(period.as_millis()).unwrap_or(u32::MAX);
    // SAFETY: the call takes a number only.
    let status = unsafe { imports::proxy_set_tick_period_milliseconds(period) };
    status_of("proxy_set_tick_period_milliseconds", status)
}

/// The configuration of the plugin, of up to this many bytes (`proxy_get_buffer_bytes`).
///
/// # Errors
///
/// As for [`log`].
pub fn plugin_configuration(max_size: usize) -> Result<Box<[u8]>> {
    let mut given = Given::nothing();
    // SAFETY: the host writes an address and a length there.
    let status = unsafe {
        imports::proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, max_size, &raw mut given.data, &raw mut given.size)
    };
    status_of("proxy_get_buffer_bytes", status)?;
    Ok(given.into_bytes())
}

/// All headers of a direction (`proxy_get_header_map_pairs`).
///
/// # Errors
///
/// As for [`log`].
pub fn header_map(of: Headers) -> Result<HeaderMap> {
    let mut given = Given::nothing();
    // SAFETY: the host writes an address and a length there.
    let status = unsafe { imports::proxy_get_header_map_pairs(of as u32, &raw mut given.data, &raw mut given.size) };
    status_of("proxy_get_header_map_pairs", status)?;
    Ok(HeaderMap::from(given.into_bytes()))
}

/// The first header of this name, if there is one (`proxy_get_header_map_value`).
///
/// # Errors
///
/// As for [`log`].
pub fn header(of: Headers, name: &str) -> Result<Option<Box<[u8]>>> {
    let mut given = Given::nothing();
    // SAFETY: the address and the length are those of `name`; the host writes an address and a length to the other two.
    let status = unsafe {
        imports::proxy_get_header_map_value(
            of as u32,
            name.as_ptr(),
            name.len(),
            &raw mut given.data,
            &raw mut given.size,
        )
    };
    found(status_of("proxy_get_header_map_value", status), given)
}

/// Adds a header beside those of the same name (`proxy_add_header_map_value`).
///
/// # Errors
///
/// As for [`log`].
pub fn add_header(of: Headers, name: &str, value: &str) -> Result<()> {
    // SAFETY: the addresses and the lengths are those of `name` and `value`.
    let status = unsafe {
        imports::proxy_add_header_map_value(of as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    };
    status_of("proxy_add_header_map_value", status)
}

/// Sets a header instead of all those of the same name (`proxy_replace_header_map_value`).
///
/// # Errors
///
/// As for [`log`].
pub fn replace_header(of: Headers, name: &str, value: &str) -> Result<()> {
    // SAFETY: the addresses and the lengths are those of `name` and `value`.
    let status = unsafe {
        imports::proxy_replace_header_map_value(of as u32, name.as_ptr(), name.len(), value.as_ptr(), value.len())
    };
    status_of("proxy_replace_header_map_value", status)
}

/// Removes all headers of this name (`proxy_remove_header_map_value`).
///
/// # Errors
///
/// As for [`log`].
pub fn remove_header(of: Headers, name: &str) -> Result<()> {
    // SAFETY: the address and the length are those of `name`.
    let status = unsafe { imports::proxy_remove_header_map_value(of as u32, name.as_ptr(), name.len()) };
    status_of("proxy_remove_header_map_value", status)
}

/// The property under this path, if the stream has it (`proxy_get_property`). A zero byte separates the segments of the path.
///
/// # Errors
///
/// As for [`log`].
pub fn property(path: &str) -> Result<Option<Box<[u8]>>> {
    let mut given = Given::nothing();
    // SAFETY: the address and the length are those of `path`; the host writes an address and a length to the other two.
    let status =
        unsafe { imports::proxy_get_property(path.as_ptr(), path.len(), &raw mut given.data, &raw mut given.size) };
    found(status_of("proxy_get_property", status), given)
}

/// Sets a property of the stream (`proxy_set_property`). The path is as for [`property`].
///
/// # Errors
///
/// As for [`log`].
pub fn set_property(path: &str, value: &[u8]) -> Result<()> {
    // SAFETY: the addresses and the lengths are those of `path` and `value`.
    let status = unsafe { imports::proxy_set_property(path.as_ptr(), path.len(), value.as_ptr(), value.len()) };
    status_of("proxy_set_property", status)
}

/// A value that the VMs with one `vm_id` share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedData {
    /// The value.
    pub value: Box<[u8]>,
    /// Changes with each [`set_shared_data`]. It is never 0.
    pub compare_and_swap: u32,
}

/// The value that some VM has stored under this key, if one has (`proxy_get_shared_data`).
///
/// # Errors
///
/// As for [`log`].
pub fn shared_data(key: &str) -> Result<Option<SharedData>> {
    let mut given = Given::nothing();
    let mut compare_and_swap = 0;
    // SAFETY: the address and the length are those of `key`; the host writes an address, a length and a number to the others.
    let status = unsafe {
        imports::proxy_get_shared_data(
            key.as_ptr(),
            key.len(),
            &raw mut given.data,
            &raw mut given.size,
            &raw mut compare_and_swap,
        )
    };
    let value = found(status_of("proxy_get_shared_data", status), given)?;
    Ok(value.map(|value| SharedData { value, compare_and_swap }))
}

/// Stores a value, unless there is one with another number than this. Tells whether it is stored (`proxy_set_shared_data`). The
/// host does not compare 0.
///
/// # Errors
///
/// As for [`log`].
pub fn set_shared_data(key: &str, value: &[u8], compare_and_swap: u32) -> Result<bool> {
    // SAFETY: the addresses and the lengths are those of `key` and `value`.
    let status = unsafe {
        imports::proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), compare_and_swap)
    };
    match status_of("proxy_set_shared_data", status) {
        Err(HostError { status: Status::CAS_MISMATCH, .. }) => Ok(false),
        stored => stored.map(|()| true),
    }
}

/// Defines a counter of this name and returns its number (`proxy_define_metric`).
///
/// # Errors
///
/// As for [`log`].
pub fn define_counter(name: &str) -> Result<u32> {
    let mut id = u32::MAX;
    // SAFETY: the address and the length are those of `name`; the host writes a number to the other.
    let status = unsafe { imports::proxy_define_metric(COUNTER, name.as_ptr(), name.len(), &raw mut id) };
    status_of("proxy_define_metric", status)?;
    Ok(id)
}

/// Adds to a counter (`proxy_increment_metric`). Envoy refuses to add 0.
///
/// # Errors
///
/// As for [`log`].
pub fn increment_counter(id: u32, by: u32) -> Result<()> {
    // SAFETY: the call takes numbers only.
    let status = unsafe { imports::proxy_increment_metric(id, by.into()) };
    status_of("proxy_increment_metric", status)
}

/// Has the host take the following calls for those of another context (`proxy_set_effective_context`).
///
/// # Errors
///
/// As for [`log`].
pub fn set_effective_context(context: ContextId) -> Result<()> {
    // SAFETY: the call takes a number only.
    let status = unsafe { imports::proxy_set_effective_context(context.0) };
    status_of("proxy_set_effective_context", status)
}

/// Sends a request to a cluster without a name and returns the status, which in Envoy is [`Status::BAD_ARGUMENT`]: there is no
/// such cluster, and nothing is sent (`proxy_http_call`).
///
/// # Errors
///
/// As for [`log`], so always in Envoy.
pub fn call_nowhere() -> Result<()> {
    let mut token = 0;
    let nothing = std::ptr::null();
    // SAFETY: all lengths are 0; the host writes a number to the last.
    let status = unsafe { imports::proxy_http_call(nothing, 0, nothing, 0, nothing, 0, nothing, 0, 0, &raw mut token) };
    status_of("proxy_http_call", status)
}

/// Fills the bytes from the random source of the host (WASI, `random_get`).
///
/// # Errors
///
/// As for [`log`].
pub fn fill_random(bytes: &mut [u8]) -> Result<()> {
    // SAFETY: the address and the length are those of `bytes`.
    status_of("random_get", unsafe { imports::random_get(bytes.as_mut_ptr(), bytes.len()) })
}

/// The bytes that the host has given, or `None` when it says that there are none.
fn found(status: Result<()>, given: Given) -> Result<Option<Box<[u8]>>> {
    match status {
        Err(HostError { status: Status::NOT_FOUND, .. }) => Ok(None),
        status => status.map(|()| Some(given.into_bytes())),
    }
}
