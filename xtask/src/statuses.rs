//! What if Envoy answers a call with a status that nobody expects?
//!
//! The SDK panics on every status that it does not know, and a panic takes the worker's VM down. Envoy answers a call with such a
//! status when an operator forbids it (`capability_restriction_config`), in a phase in which the call makes no sense, or when
//! another version of it thinks so. Each imported function is called through one of the module's own, which lets through what
//! the SDK knows and turns the rest into one of these.

use anyhow::{Context, Result, bail};
use walrus::ir::BinaryOp::{I32And, I32LtU, I32ShrU};
use walrus::ir::{MemArg, StoreKind};
use walrus::{InstrSeqBuilder, LocalId, MemoryId, Module, ValType};

const OK: i32 = 0;
const NOT_FOUND: i32 = 1;
const BAD_ARGUMENT: i32 = 2;
const SERIALIZATION_FAILURE: i32 = 3;
const PARSE_FAILURE: i32 = 4;
const EMPTY: i32 = 7;
const CAS_MISMATCH: i32 = 8;
const INTERNAL_FAILURE: i32 = 10;

/// What the caller of an imported function can take.
#[derive(Clone, Copy)]
enum Takes {
    /// Whatever comes, or the function answers nothing.
    Anything,
    /// Success alone, and that is what any other status becomes. What the caller reads though the function wrote nothing is then
    /// written: through which parameter, and what.
    Success(&'static [(usize, i32)]),
    /// These statuses; any other becomes the one that follows.
    Only(&'static [i32], i32),
}
use Takes::{Anything, Only, Success};

/// Every function that the module may import. Those of Envoy take what `hostcalls.rs` of the SDK 0.2.5 does not panic on; what
/// they leave unwritten the SDK has initialized as null or zero.
const FUNCTIONS: [(&str, Takes); 39] = [
    // A filter that cannot speak still works.
    ("proxy_log", Success(&[])),
    // The epoch: every cookie is over, and those that are given are over at once.
    ("proxy_get_current_time_nanoseconds", Success(&[])),
    ("proxy_set_tick_period_milliseconds", Success(&[])),
    ("proxy_get_buffer_bytes", Only(&[OK, NOT_FOUND], NOT_FOUND)),
    ("proxy_set_buffer_bytes", Success(&[])),
    // No headers.
    ("proxy_get_header_map_pairs", Success(&[])),
    ("proxy_set_header_map_pairs", Success(&[])),
    ("proxy_get_header_map_value", Only(&[OK, NOT_FOUND], NOT_FOUND)),
    ("proxy_remove_header_map_value", Success(&[])),
    ("proxy_replace_header_map_value", Success(&[])),
    ("proxy_add_header_map_value", Success(&[])),
    ("proxy_get_property", Only(&[OK, NOT_FOUND, SERIALIZATION_FAILURE, INTERNAL_FAILURE], NOT_FOUND)),
    ("proxy_set_property", Success(&[])),
    ("proxy_get_shared_data", Only(&[OK, NOT_FOUND], NOT_FOUND)),
    // Another worker was first: nobody warns, and nobody believes that a key is stored.
    ("proxy_set_shared_data", Only(&[OK, CAS_MISMATCH], CAS_MISMATCH)),
    ("proxy_register_shared_queue", Success(&[])),
    ("proxy_resolve_shared_queue", Only(&[OK, NOT_FOUND], NOT_FOUND)),
    ("proxy_dequeue_shared_queue", Only(&[OK, NOT_FOUND, EMPTY], NOT_FOUND)),
    ("proxy_enqueue_shared_queue", Only(&[OK, NOT_FOUND], NOT_FOUND)),
    ("proxy_continue_stream", Success(&[])),
    ("proxy_close_stream", Success(&[])),
    ("proxy_send_local_response", Success(&[])),
    ("proxy_http_call", Only(&[OK, BAD_ARGUMENT, INTERNAL_FAILURE], INTERNAL_FAILURE)),
    ("proxy_grpc_call", Only(&[OK, PARSE_FAILURE, INTERNAL_FAILURE], INTERNAL_FAILURE)),
    ("proxy_grpc_stream", Only(&[OK, PARSE_FAILURE, INTERNAL_FAILURE], INTERNAL_FAILURE)),
    ("proxy_grpc_send", Only(&[OK, NOT_FOUND, BAD_ARGUMENT], NOT_FOUND)),
    ("proxy_grpc_cancel", Only(&[OK, NOT_FOUND], NOT_FOUND)),
    ("proxy_grpc_close", Only(&[OK, NOT_FOUND], NOT_FOUND)),
    ("proxy_get_status", Success(&[])),
    // `hostcalls.rs` knows BadArgument too, but `dispatcher.rs` unwraps the result.
    ("proxy_set_effective_context", Success(&[])),
    (
        "proxy_call_foreign_function",
        Only(&[OK, NOT_FOUND, BAD_ARGUMENT, SERIALIZATION_FAILURE, INTERNAL_FAILURE], INTERNAL_FAILURE),
    ),
    ("proxy_done", Success(&[])),
    // An id of no type of metric: to count on it is a BadArgument.
    ("proxy_define_metric", Success(&[(3, -1)])),
    ("proxy_increment_metric", Only(&[OK, NOT_FOUND, BAD_ARGUMENT], BAD_ARGUMENT)),
    // WASI, where 0 is success. Without it the C library ends the VM: an empty environment.
    ("environ_sizes_get", Success(&[(0, 0), (1, 0)])),
    ("environ_get", Success(&[])),
    ("random_get", Anything),
    ("fd_write", Anything),
    ("proc_exit", Anything),
];

/// Lets no status of the host through that its caller cannot take.
///
/// # Errors
///
/// When the module imports a function whose statuses nobody has written down.
pub(crate) fn guard(module: &mut Module) -> Result<()> {
    let imports: Vec<_> = module.imports.iter().map(|import| (import.module.clone(), import.name.clone())).collect();
    for (from, name) in imports {
        let Some((_, takes)) = FUNCTIONS.iter().find(|(known, _)| *known == name) else {
            bail!(
                "the filter imports {name} from {from}, and xtask/src/statuses.rs does not say which of its statuses the caller \
                 can take: of a function of Envoy, the SDK's hostcalls.rs tells"
            );
        };
        guard_import(module, &from, &name, *takes).with_context(|| format!("import {name}"))?;
    }
    Ok(())
}

/// Turns an import into a function of the module, which calls the import.
fn guard_import(module: &mut Module, from: &str, name: &str, takes: Takes) -> Result<()> {
    if matches!(takes, Anything) {
        return Ok(());
    }
    let function = module.imports.get_func(from, name)?;
    let ty = module.funcs.get(function).ty();
    if module.types.results(ty) != [ValType::I32] {
        bail!("it does not answer with a status");
    }
    let memory = module.get_memory_id()?;
    let status = module.locals.add(ValType::I32);
    let (import, _) = module.add_import_func(from, name, ty);
    module.funcs.get_mut(import).name = Some(name.to_owned());
    module.replace_imported_func(function, |(body, parameters)| {
        for parameter in parameters {
            body.local_get(*parameter);
        }
        body.call(import);
        match takes {
            Anything => (),
            Success(&[]) => drop(body.drop().i32_const(OK)),
            Success(writes) => {
                body.if_else(None, |failed| write(failed, memory, parameters, writes), |_| ()).i32_const(OK);
            }
            Only(known, otherwise) => {
                body.local_tee(status).i32_const(otherwise);
                is_one_of(body, status, known);
                body.select(None);
            }
        }
    })?;
    Ok(())
}

fn write(body: &mut InstrSeqBuilder<'_>, memory: MemoryId, parameters: &[LocalId], writes: &[(usize, i32)]) {
    for (parameter, value) in writes {
        body.local_get(parameters[*parameter]).i32_const(*value);
        body.store(memory, StoreKind::I32 { atomic: false }, MemArg { align: 4, offset: 0 });
    }
}

/// Leaves on the stack whether the status is one of these, all of which are below 32.
fn is_one_of(body: &mut InstrSeqBuilder<'_>, status: LocalId, known: &[i32]) {
    let bits = known.iter().fold(0, |bits, status| bits | 1 << status);
    body.i32_const(bits).local_get(status).binop(I32ShrU).i32_const(1).binop(I32And);
    // A shift counts modulo 32.
    body.local_get(status).i32_const(32).binop(I32LtU).binop(I32And);
}

#[cfg(test)]
mod tests;
