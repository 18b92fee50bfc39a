//! Takes the callbacks that the filter leaves empty out of the module.
//!
//! The SDK exports every callback of the ABI, and Envoy calls each one that is exported: for every piece of a body, for
//! trailers, at the end of a stream. Each of them costs time there and bytes here.

use anyhow::{Result, bail};
use walrus::{Module, passes};

/// The exports that Envoy needs of any module, and the callbacks that `src/root.rs` and `src/stream.rs` implement.
const KEPT: [&str; 12] = [
    "memory",
    "_initialize",
    "proxy_abi_version_0_2_1",
    "proxy_on_memory_allocate",
    "proxy_on_context_create",
    "proxy_on_vm_start",
    "proxy_on_configure",
    "proxy_on_request_headers",
    "proxy_on_response_headers",
    "proxy_on_tick",
    // The SDK remembers every request of `src/empty_group.rs` until it is answered.
    "proxy_on_http_call_response",
    // Frees the context that `proxy_on_context_create` has made.
    "proxy_on_delete",
];

/// Takes out of the module the callbacks that the filter does not use, and the functions that only they need.
pub(super) fn prune(module: &mut Module) -> Result<()> {
    let exports = |name: &str| module.exports.iter().any(|export| export.name == name);
    if let Some(missing) = KEPT.into_iter().find(|name| !exports(name)) {
        bail!("the filter does not export {missing}, which Envoy calls");
    }
    let unused: Vec<_> =
        module.exports.iter().filter(|export| !KEPT.contains(&export.name.as_str())).map(walrus::Export::id).collect();
    for export in unused {
        module.exports.delete(export);
    }
    passes::gc::run(module);
    Ok(())
}
