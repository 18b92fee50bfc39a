//! What is the least that a wasm filter costs in Envoy?
//!
//! Modules written by hand, so not even an SDK stands between. Two do nothing: one exports every callback, as a filter on the
//! Rust SDK does, and Envoy calls each of them; the other only those that a filter of headers needs. The rest make the calls that
//! a pinned request costs this filter, or the first of them, with the same words each time, and compute nothing.

use std::net::SocketAddr;

use anyhow::Result;
use data_encoding::BASE64;

/// What Envoy asks of any module.
const NEEDED: &str = r#"
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "_initialize"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) i32.const 1024)
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) i32.const 1)
  (func (export "proxy_on_configure") (param i32 i32) (result i32) i32.const 1)
"#;

/// For a filter that does nothing to headers.
const HEADERS: &str = r#"
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) i32.const 0)
  (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) i32.const 0)
"#;

/// What the SDK exports besides, of which a request with HTTP meets these.
const THE_REST: &str = r#"
  (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32) i32.const 0)
  (func (export "proxy_on_request_trailers") (param i32 i32) (result i32) i32.const 0)
  (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32) i32.const 0)
  (func (export "proxy_on_response_trailers") (param i32 i32) (result i32) i32.const 0)
  (func (export "proxy_on_done") (param i32) (result i32) i32.const 1)
  (func (export "proxy_on_log") (param i32))
  (func (export "proxy_on_delete") (param i32))
"#;

/// With every callback of a stream.
pub(crate) fn with_every_callback() -> Result<Vec<u8>> {
    module(&[NEEDED, HEADERS, THE_REST])
}

/// With the callbacks for headers alone.
pub(crate) fn with_headers_alone() -> Result<Vec<u8>> {
    module(&[NEEDED, HEADERS])
}

/// The calls of a pinned request of this filter, in their order: what each is for.
pub(crate) const CALLS: [&str; 8] = [
    "all headers of the request are read",
    "the cluster is asked for",
    "the outcome is left for the access log",
    "the pin is set, and Envoy looks for the route again",
    "the answer is asked whether another target gave it",
    "who answered is asked for",
    "a cookie is added",
    "its twin is added",
];

/// With the callbacks and the first of these calls. With all of them every client is pinned to this target, and given cookies as
/// long as the filter's.
pub(crate) fn with_the_first_calls(target: SocketAddr, count: usize) -> Result<Vec<u8>> {
    let value = "A".repeat(124);
    let line = |name: &str, end: &str| format!("{name}={value}; Expires=Tue, 27 Feb 2024 11:21:53 GMT; Path=/{end}");
    let mut memory = Memory::default();
    let mut pair = |text: &str| memory.place(text);
    let (cluster, details) = (pair("xds\\00cluster_name"), pair("response\\00code_details"));
    let (state, word) = (pair("sticky_session"), pair("pinned"));
    let (host, address) = (pair("x-sticky-session-host"), pair(&BASE64.encode(target.to_string().as_bytes())));
    let set_cookie = pair("set-cookie");
    let (plain, twin) = (pair(&line("AWSALB", "")), pair(&line("AWSALBCORS", "; SameSite=None")));
    let get = |path: &str| format!("(drop (call $get_property {path} i32.const 16 i32.const 20))");
    let add = |line: &str| format!("(drop (call $add i32.const 2 {set_cookie} {line}))");
    let request = [
        "(drop (call $get_headers i32.const 0 i32.const 16 i32.const 20))".to_owned(),
        get(&cluster),
        format!("(drop (call $set_property {state} {word}))"),
        format!("(drop (call $replace i32.const 0 {host} {address}))"),
    ];
    let answer = [
        format!("(drop (call $get_header i32.const 2 {host} i32.const 16 i32.const 20))"),
        get(&details),
        add(&plain),
        add(&twin),
    ];
    let callbacks = format!(
        r#"
  (data (i32.const {START}) "{}")
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) {} i32.const 0)
  (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) {} i32.const 0)
  (func (export "proxy_on_delete") (param i32))
"#,
        memory.text,
        first(&request, count),
        first(&answer, count.saturating_sub(request.len()))
    );
    module(&[IMPORTS, NEEDED, &callbacks])
}

fn first(calls: &[String], count: usize) -> String {
    calls.iter().take(count).map(String::as_str).collect()
}

const IMPORTS: &str = r#"
  (import "env" "proxy_get_header_map_pairs" (func $get_headers (param i32 i32 i32) (result i32)))
  (import "env" "proxy_get_header_map_value" (func $get_header (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_replace_header_map_value" (func $replace (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_add_header_map_value" (func $add (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_get_property" (func $get_property (param i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_set_property" (func $set_property (param i32 i32 i32 i32) (result i32)))
"#;

/// Where constants begin. Before them is what Envoy writes.
const START: usize = 0x8000;

/// Constants in the memory of a module.
#[derive(Default)]
struct Memory {
    text: String,
    length: usize,
}

impl Memory {
    /// The address and the length of this text, in which `\\00` stands for a zero byte.
    fn place(&mut self, text: &str) -> String {
        let (address, length) = (START + self.length, text.replace("\\00", "0").len());
        self.text += text;
        self.length += length;
        format!("i32.const {address} i32.const {length}")
    }
}

fn module(parts: &[&str]) -> Result<Vec<u8>> {
    Ok(wat::parse_str(format!("(module {})", parts.concat()))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_modules_and_one_is_larger() {
        let [every, alone] = [with_every_callback().unwrap(), with_headers_alone().unwrap()];
        assert!(every.len() > alone.len());
        for bytes in [every, alone] {
            assert!(wasm_host::Vm::module(&bytes).is_ok());
        }
    }

    #[test]
    fn each_call_makes_the_module_larger() {
        let sizes = (0..=CALLS.len()).map(|count| {
            let bytes = with_the_first_calls(([127, 0, 0, 1], 80).into(), count).unwrap();
            assert!(wasm_host::Vm::module(&bytes).is_ok());
            bytes.len()
        });
        let sizes: Vec<usize> = sizes.collect();
        assert!(sizes.is_sorted_by(|one, next| one < next), "{sizes:?}");
    }
}
