//! What is the least that a wasm filter costs in Envoy?
//!
//! Two modules that do nothing: one exports every callback, as a filter on the Rust SDK does, and Envoy calls each of them; the
//! other only those that a filter of headers needs. They are written by hand, so not even an SDK stands between.

use anyhow::Result;

/// What Envoy asks of any module.
const NEEDED: &str = r#"
  (memory (export "memory") 1)
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "_initialize"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) i32.const 1024)
  (func (export "proxy_on_context_create") (param i32 i32))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) i32.const 1)
  (func (export "proxy_on_configure") (param i32 i32) (result i32) i32.const 1)
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
    module(&[NEEDED, THE_REST])
}

/// With the callbacks for headers alone.
pub(crate) fn with_headers_alone() -> Result<Vec<u8>> {
    module(&[NEEDED])
}

fn module(parts: &[&str]) -> Result<Vec<u8>> {
    Ok(wat::parse_str(format!("(module {})", parts.concat()))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_are_modules_and_one_is_larger() {
        let [every, alone] = [with_every_callback().unwrap(), with_headers_alone().unwrap()];
        assert!(every.len() > alone.len());
        for bytes in [every, alone] {
            assert!(wasm_host::Vm::module(&bytes).is_ok());
        }
    }
}
