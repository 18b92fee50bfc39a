//! Writes wasm modules by hand, without an SDK, to measure the least that a wasm filter costs in Envoy.
//!
//! Two modules do nothing. One exports every callback, as a filter with the Rust SDK does, and Envoy calls each of them. The other
//! exports only the callbacks that a filter of headers needs. The remaining modules make the first host calls of a pinned request
//! with constant arguments, and compute nothing.

use std::net::SocketAddr;

use anyhow::Result;
use data_encoding::BASE64;

/// The exports that Envoy needs from any module.
const NEEDED: &str = r#"
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "_initialize"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) i32.const 1024)
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) i32.const 1)
  (func (export "proxy_on_configure") (param i32 i32) (result i32) i32.const 1)
"#;

/// The callbacks for headers, which do nothing.
const HEADERS: &str = r#"
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) i32.const 0)
  (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) i32.const 0)
"#;

/// The other callbacks that the SDK exports and an HTTP request can reach.
const THE_REST: &str = r#"
  (func (export "proxy_on_request_body") (param i32 i32 i32) (result i32) i32.const 0)
  (func (export "proxy_on_request_trailers") (param i32 i32) (result i32) i32.const 0)
  (func (export "proxy_on_response_body") (param i32 i32 i32) (result i32) i32.const 0)
  (func (export "proxy_on_response_trailers") (param i32 i32) (result i32) i32.const 0)
  (func (export "proxy_on_done") (param i32) (result i32) i32.const 1)
  (func (export "proxy_on_log") (param i32))
  (func (export "proxy_on_delete") (param i32))
"#;

/// A module that does nothing and exports every callback of a stream.
pub(crate) fn with_every_callback() -> Result<Vec<u8>> {
    module(&[NEEDED, HEADERS, THE_REST])
}

/// A module that does nothing and exports only the header callbacks.
pub(crate) fn with_headers_alone() -> Result<Vec<u8>> {
    module(&[NEEDED, HEADERS])
}

/// The purpose of each host call that the filter makes for a pinned request, in the order of the calls.
pub(crate) const CALLS: [&str; 8] = [
    "the filter reads all request headers",
    "it reads the name of the cluster",
    "it stores the outcome for the access log",
    "it sets the pin, and Envoy looks for the route again",
    "it reads which host Envoy chose",
    "it reads whether the host answered",
    "it adds a cookie",
    "it adds the CORS cookie",
];

/// A module that makes the first `count` of these calls. With all of them it pins every client to `target`, and sets cookies as
/// long as the filter's.
pub(crate) fn with_the_first_calls(target: SocketAddr, count: usize) -> Result<Vec<u8>> {
    let value = "A".repeat(124);
    let line = |name: &str, end: &str| format!("{name}={value}; Expires=Tue, 27 Feb 2024 11:21:53 GMT; Path=/{end}");
    let mut memory = Memory::default();
    let mut pair = |text: &str| memory.place(text);
    let (cluster, details) = (pair("xds\\00cluster_name"), pair("response\\00code_details"));
    let chosen = pair("upstream\\00address");
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
    let answer = [get(&chosen), get(&details), add(&plain), add(&twin)];
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
  (import "env" "proxy_replace_header_map_value" (func $replace (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_add_header_map_value" (func $add (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_get_property" (func $get_property (param i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_set_property" (func $set_property (param i32 i32 i32 i32) (result i32)))
"#;

/// The address of the first constant. Envoy writes below it.
const START: usize = 0x8000;

/// The constants in the memory of a module.
#[derive(Default)]
struct Memory {
    text: String,
    length: usize,
}

impl Memory {
    /// Adds a text, in which `\\00` stands for a zero byte, and returns its address and length as operands.
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
    fn both_modules_that_do_nothing_compile() {
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
