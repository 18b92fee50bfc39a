//! A host for the filter in the process of the tests, which does what a real Envoy cannot be made to do.
//!
//! The imports are plain C symbols. This module defines them, which makes it the host, and calls the SDK's dispatcher as Envoy
//! does. Everything is thread-local on both sides, so tests run in parallel; one thread is one VM.

#![allow(unsafe_code, reason = "the host's side of the ABI is pointers and lengths")]

use std::cell::RefCell;
use std::collections::HashMap;

use proxy_wasm::types::{Action, BufferType, LogLevel, MapType, MetricType, Status};

/// Header names and values.
pub(super) type Headers = Vec<(String, Vec<u8>)>;

/// The state of the host: the values that it hands out, and everything that the filter has told it.
#[derive(Default)]
pub(super) struct Host {
    pub(super) configuration: Vec<u8>,
    pub(super) request_headers: Headers,
    pub(super) response_headers: Headers,
    /// By path, joined with dots.
    pub(super) properties: HashMap<String, Vec<u8>>,
    /// The paths that were asked for, in their order.
    pub(super) asked_for: Vec<String>,
    pub(super) filter_state: HashMap<String, String>,
    pub(super) shared_data: HashMap<String, (Vec<u8>, u32)>,
    pub(super) counters: Vec<(String, u64)>,
    pub(super) logs: Vec<(LogLevel, String)>,
    /// Nanoseconds since the Unix epoch.
    pub(super) now: u64,
    /// The answer to a request of the filter's own, by its cluster. There are no other clusters.
    pub(super) clusters: HashMap<String, Status>,
    /// The requests of the filter's own: the context that each belongs to, and its cluster.
    pub(super) requests: Vec<(u32, String)>,
    /// The host has no shared data, and lets none be stored.
    pub(super) shares_nothing: bool,
    /// The host gives every counter an id that counts nothing.
    pub(super) counts_nothing: bool,
    /// The functions that do nothing and answer with a failure.
    pub(super) failing: Vec<&'static str>,
    /// Of the plugin's timer, in milliseconds; 0 when it is off.
    pub(super) tick_period: u32,
    effective_context: u32,
    last_context: u32,
    /// The number of draws of random bytes.
    drawn: u64,
}

thread_local! {
    static HOST: RefCell<Host> = RefCell::default();
}

/// Looks at or changes the host.
pub(super) fn host<T>(visit: impl FnOnce(&mut Host) -> T) -> T {
    HOST.with_borrow_mut(visit)
}

impl Host {
    /// The counter with this name, 0 when nothing was counted.
    pub(super) fn counter(&self, name: &str) -> u64 {
        self.counters.iter().filter(|(defined, _)| defined == name).map(|(_, value)| value).sum()
    }

    /// Tells whether this function does nothing now, and answers with a status that is not success.
    fn fails(&self, function: &str) -> bool {
        self.failing.contains(&function)
    }

    fn headers(&mut self, map: MapType) -> &mut Headers {
        match map {
            MapType::HttpRequestHeaders => &mut self.request_headers,
            MapType::HttpResponseHeaders => &mut self.response_headers,
            other => panic!("the filter has no business with {other:?}"),
        }
    }
}

unsafe extern "C" {
    fn proxy_on_context_create(context: u32, root_context: u32);
    fn proxy_on_configure(context: u32, size: usize) -> bool;
    fn proxy_on_request_headers(context: u32, count: usize, end_of_stream: bool) -> Action;
    fn proxy_on_response_headers(context: u32, count: usize, end_of_stream: bool) -> Action;
    fn proxy_on_http_call_response(context: u32, token: u32, headers: usize, body_size: usize, trailers: usize);
    fn proxy_on_tick(context: u32);
    fn proxy_on_delete(context: u32);
}

fn new_context(parent: u32) -> u32 {
    let context = host(|host| {
        host.last_context += 1;
        host.last_context
    });
    unsafe { proxy_on_context_create(context, parent) };
    context
}

/// A plugin in this thread's VM.
pub(super) struct Plugin(u32);

impl Plugin {
    /// Starts the VM's plugin, without a configuration yet.
    pub(super) fn start() -> Self {
        // A thread drops the value that it used last first. The SDK's plugins count until their end, so the counters come before.
        host(|_| ());
        drop(crate::counters::Counters::of_this_worker());
        crate::_initialize();
        Self(new_context(0))
    }

    /// Gives it a configuration. Tells whether it was accepted.
    pub(super) fn configure(&self, configuration: &str) -> bool {
        host(|host| host.configuration = configuration.into());
        unsafe { proxy_on_configure(self.0, configuration.len()) }
    }

    /// Announces a configuration of this size, and hands none over. Tells whether it was accepted.
    pub(super) fn configure_without_handing_over(&self, size: usize) -> bool {
        host(|host| host.configuration.clear());
        unsafe { proxy_on_configure(self.0, size) }
    }

    /// The first request of the filter's own is answered.
    pub(super) fn answer_to_request(&self) {
        unsafe { proxy_on_http_call_response(self.0, 1, 1, 0, 0) };
    }

    /// The period of its timer has passed, if it is on.
    pub(super) fn tick(&self) {
        if host(|host| host.tick_period > 0) {
            unsafe { proxy_on_tick(self.0) };
        }
    }

    /// The plugin is gone, as after a change of its configuration.
    pub(super) fn end(self) {
        unsafe { proxy_on_delete(self.0) };
    }

    /// The context that Envoy knows it by.
    pub(super) fn context(&self) -> u32 {
        self.0
    }

    /// A new request.
    pub(super) fn stream(&self) -> Stream {
        Stream(new_context(self.0))
    }
}

/// A request and its answer.
pub(super) struct Stream(u32);

impl Stream {
    /// The request's headers arrive. Returns them as the filter has changed them.
    pub(super) fn request(&self, headers: &[(&str, &[u8])]) -> Headers {
        host(|host| host.request_headers = owned(headers));
        let action = unsafe { proxy_on_request_headers(self.0, headers.len(), true) };
        assert_eq!(action, Action::Continue);
        host(|host| host.request_headers.clone())
    }

    /// The answer's headers arrive. Returns them as the filter has changed them.
    pub(super) fn response(&self, headers: &[(&str, &[u8])]) -> Headers {
        host(|host| host.response_headers = owned(headers));
        let action = unsafe { proxy_on_response_headers(self.0, headers.len(), true) };
        assert_eq!(action, Action::Continue);
        host(|host| host.response_headers.clone())
    }

    /// The stream ends.
    pub(super) fn end(self) {
        unsafe { proxy_on_delete(self.0) };
    }
}

fn owned(headers: &[(&str, &[u8])]) -> Headers {
    headers.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect()
}

unsafe fn bytes<'a>(data: *const u8, size: usize) -> &'a [u8] {
    if size == 0 { &[] } else { unsafe { std::slice::from_raw_parts(data, size) } }
}

unsafe fn text(data: *const u8, size: usize) -> String {
    String::from_utf8(unsafe { bytes(data, size) }.to_vec()).unwrap()
}

/// Hands memory over to the filter, which frees it as a box of exactly this length.
unsafe fn give(value: &[u8], data: *mut *mut u8, size: *mut usize) -> Status {
    unsafe {
        *size = value.len();
        *data = Box::into_raw(value.to_vec().into_boxed_slice()).cast();
    }
    Status::Ok
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_log(level: LogLevel, data: *const u8, size: usize) -> Status {
    let line = unsafe { text(data, size) };
    host(|host| host.logs.push((level, line)));
    Status::Ok
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_current_time_nanoseconds(time: *mut u64) -> Status {
    unsafe { *time = host(|host| host.now) };
    Status::Ok
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_buffer_bytes(
    buffer: BufferType,
    _start: usize,
    _max_size: usize,
    data: *mut *mut u8,
    size: *mut usize,
) -> Status {
    assert_eq!(buffer as u32, BufferType::PluginConfiguration as u32);
    let configuration = host(|host| host.configuration.clone());
    unsafe { give(&configuration, data, size) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_header_map_pairs(map: MapType, data: *mut *mut u8, size: *mut usize) -> Status {
    let headers = host(|host| host.headers(map).clone());
    unsafe { give(&serialized(&headers), data, size) }
}

/// The bytes of a map in the ABI.
pub(super) fn serialized(map: &Headers) -> Vec<u8> {
    let mut pairs = Vec::new();
    let length = |value: &[u8]| u32::try_from(value.len()).unwrap().to_le_bytes();
    pairs.extend(u32::try_from(map.len()).unwrap().to_le_bytes());
    for (name, value) in map {
        pairs.extend(length(name.as_bytes()));
        pairs.extend(length(value));
    }
    for (name, value) in map {
        pairs.extend(name.as_bytes());
        pairs.push(0);
        pairs.extend(value);
        pairs.push(0);
    }
    pairs
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_header_map_value(
    map: MapType,
    key: *const u8,
    key_size: usize,
    data: *mut *mut u8,
    size: *mut usize,
) -> Status {
    if host(|host| host.fails("proxy_get_header_map_value")) {
        return Status::InternalFailure;
    }
    let name = unsafe { text(key, key_size) };
    match host(|host| host.headers(map).iter().find(|(present, _)| *present == name).map(|(_, value)| value.clone())) {
        Some(value) => unsafe { give(&value, data, size) },
        None => Status::NotFound,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_set_tick_period_milliseconds(period: u32) -> Status {
    host(|host| host.tick_period = period);
    Status::Ok
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_remove_header_map_value(map: MapType, key: *const u8, key_size: usize) -> Status {
    let name = unsafe { text(key, key_size) };
    host(|host| host.headers(map).retain(|(present, _)| *present != name));
    Status::Ok
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_replace_header_map_value(
    map: MapType,
    key: *const u8,
    key_size: usize,
    value: *const u8,
    value_size: usize,
) -> Status {
    if host(|host| host.fails("proxy_replace_header_map_value")) {
        return Status::InternalFailure;
    }
    unsafe {
        proxy_remove_header_map_value(map, key, key_size);
        proxy_add_header_map_value(map, key, key_size, value, value_size)
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_add_header_map_value(
    map: MapType,
    key: *const u8,
    key_size: usize,
    value: *const u8,
    value_size: usize,
) -> Status {
    let header = unsafe { (text(key, key_size), bytes(value, value_size).to_vec()) };
    host(|host| host.headers(map).push(header));
    Status::Ok
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_property(
    path: *const u8,
    path_size: usize,
    data: *mut *mut u8,
    size: *mut usize,
) -> Status {
    let path = unsafe { text(path, path_size) }.replace('\0', ".");
    let value = host(|host| {
        host.asked_for.push(path.clone());
        host.properties.get(&path).cloned()
    });
    match value {
        Some(value) => unsafe { give(&value, data, size) },
        None => Status::NotFound,
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_set_property(
    path: *const u8,
    path_size: usize,
    value: *const u8,
    value_size: usize,
) -> Status {
    let (key, word) = unsafe { (text(path, path_size), text(value, value_size)) };
    host(|host| host.filter_state.insert(key, word));
    Status::Ok
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_get_shared_data(
    key: *const u8,
    key_size: usize,
    data: *mut *mut u8,
    size: *mut usize,
    return_cas: *mut u32,
) -> Status {
    let key = unsafe { text(key, key_size) };
    match host(|host| host.shared_data.get(&key).cloned()) {
        Some((value, cas)) => unsafe {
            *return_cas = cas;
            give(&value, data, size)
        },
        None => Status::NotFound,
    }
}

/// Like Envoy, it compares the number only when there is a value, and never compares 0.
#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_set_shared_data(
    key: *const u8,
    key_size: usize,
    value: *const u8,
    value_size: usize,
    expected: u32,
) -> Status {
    if host(|host| host.fails("proxy_set_shared_data")) {
        return Status::InternalFailure;
    }
    let (key, value) = unsafe { (text(key, key_size), bytes(value, value_size).to_vec()) };
    host(|host| {
        let present = host.shared_data.get(&key).map(|(_, cas)| *cas);
        if host.shares_nothing || present.is_some_and(|cas| expected != 0 && expected != cas) {
            return Status::CasMismatch;
        }
        host.shared_data.insert(key, (value, present.unwrap_or(0) + 1));
        Status::Ok
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_define_metric(
    metric: MetricType,
    name: *const u8,
    name_size: usize,
    return_id: *mut u32,
) -> Status {
    if host(|host| host.fails("proxy_define_metric")) {
        return Status::InternalFailure;
    }
    assert_eq!(metric as u32, MetricType::Counter as u32);
    let name = unsafe { text(name, name_size) };
    let id = host(|host| {
        host.counters.push((name, 0));
        if host.counts_nothing { u32::MAX } else { u32::try_from(host.counters.len() - 1).unwrap() }
    });
    unsafe { *return_id = id };
    Status::Ok
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_increment_metric(id: u32, offset: i64) -> Status {
    host(|host| match host.counters.get_mut(id as usize) {
        Some((_, value)) => {
            *value += u64::try_from(offset).unwrap();
            Status::Ok
        }
        None => Status::BadArgument,
    })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_set_effective_context(context: u32) -> Status {
    if host(|host| host.fails("proxy_set_effective_context")) {
        return Status::InternalFailure;
    }
    host(|host| host.effective_context = context);
    Status::Ok
}

#[unsafe(no_mangle)]
unsafe extern "C" fn proxy_http_call(
    cluster: *const u8,
    cluster_size: usize,
    _headers: *const u8,
    _headers_size: usize,
    _body: *const u8,
    _body_size: usize,
    _trailers: *const u8,
    _trailers_size: usize,
    _timeout: u32,
    return_token: *mut u32,
) -> Status {
    if host(|host| host.fails("proxy_http_call")) {
        return Status::InternalFailure;
    }
    let cluster = unsafe { text(cluster, cluster_size) };
    if cluster.is_empty() {
        return Status::BadArgument;
    }
    let (status, token) = host(|host| {
        let status = host.clusters.get(&cluster).copied().unwrap_or(Status::BadArgument);
        host.requests.push((host.effective_context, cluster));
        (status, host.requests.len())
    });
    unsafe { *return_token = u32::try_from(token).unwrap() };
    status
}

/// The functions of the ABI that the SDK links to and the filter never calls.
macro_rules! never_called {
    ($($name:ident)*) => {
        $(#[unsafe(no_mangle)]
        extern "C" fn $name() -> Status {
            panic!(concat!("the filter called ", stringify!($name), ", which this host does not have"))
        })*
    };
}

never_called! {
    proxy_get_log_level proxy_set_buffer_bytes proxy_set_header_map_pairs
    proxy_register_shared_queue proxy_resolve_shared_queue proxy_dequeue_shared_queue
    proxy_enqueue_shared_queue proxy_continue_stream proxy_close_stream proxy_send_local_response
    proxy_grpc_call proxy_grpc_stream proxy_grpc_send proxy_grpc_cancel proxy_grpc_close proxy_get_status
    proxy_call_foreign_function proxy_done proxy_get_metric proxy_record_metric
}

#[unsafe(no_mangle)]
unsafe extern "C" fn random_get(bytes: *mut u8, size: usize) -> u32 {
    let drawn = host(|host| {
        host.drawn += 1;
        host.drawn
    });
    let bytes = unsafe { std::slice::from_raw_parts_mut(bytes, size) };
    bytes.fill(0);
    for (byte, drawn) in bytes.iter_mut().zip(drawn.to_le_bytes()) {
        *byte = drawn;
    }
    0
}

/// No variables.
#[unsafe(no_mangle)]
unsafe extern "C" fn environ_sizes_get(count: *mut usize, size: *mut usize) -> u32 {
    unsafe {
        *count = 0;
        *size = 0;
    }
    0
}

#[unsafe(no_mangle)]
extern "C" fn environ_get(_addresses: *mut *mut u8, _bytes: *mut u8) -> u32 {
    0
}
