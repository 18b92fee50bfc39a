use wasmi::{Caller, Engine, Extern, Func, Instance, Linker, Memory, Store, Val};

use super::*;

/// What stands in the memory before a call.
const UNWRITTEN: u8 = 0xaa;

/// A module that exports the imported function itself, as `call`, and its memory.
fn module(from: &str, name: &str, parameters: &[ValType]) -> Module {
    let mut module = Module::default();
    let memory = module.memories.add_local(false, false, 1, None, None);
    module.exports.add("memory", memory);
    let ty = module.types.add(parameters, &[ValType::I32]);
    let (import, _) = module.add_import_func(from, name, ty);
    module.exports.add("call", import);
    module
}

struct Running {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
}

impl Running {
    /// The module after the rewriting, on a host whose every function answers with this status.
    fn new(mut module: Module, status: i32) -> Self {
        guard(&mut module).unwrap();
        let engine = Engine::default();
        let module = wasmi::Module::new(&engine, module.emit_wasm()).unwrap();
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        for import in module.imports() {
            let ty = import.ty().func().unwrap().clone();
            let answer = move |_: Caller<'_, ()>, _: &[Val], results: &mut [Val]| {
                results[0] = Val::I32(status);
                Ok(())
            };
            linker.define(import.module(), import.name(), Func::new(&mut store, ty, answer)).unwrap();
        }
        let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
        let memory = instance.get_export(&store, "memory").and_then(Extern::into_memory).unwrap();
        memory.write(&mut store, 0, &[UNWRITTEN; 64]).unwrap();
        Self { store, instance, memory }
    }

    /// The status that the caller sees when the n-th parameter is n times 8.
    fn call(&mut self, parameters: i32) -> i32 {
        let arguments: Vec<_> = (0..parameters).map(|parameter| Val::I32(parameter * 8)).collect();
        let mut results = [Val::I32(-1)];
        self.instance.get_func(&self.store, "call").unwrap().call(&mut self.store, &arguments, &mut results).unwrap();
        results[0].i32().unwrap()
    }

    fn at(&self, address: usize) -> [u8; 4] {
        self.memory.data(&self.store)[address..address + 4].try_into().unwrap()
    }
}

/// What each of these statuses becomes for the caller of a function.
fn seen(name: &str, parameters: usize, statuses: impl IntoIterator<Item = i32>) -> Vec<i32> {
    let seen = |status| {
        let module = module("env", name, &vec![ValType::I32; parameters]);
        Running::new(module, status).call(i32::try_from(parameters).unwrap())
    };
    statuses.into_iter().map(seen).collect()
}

#[test]
fn a_status_that_the_caller_knows_comes_through_and_any_other_becomes_one_that_it_knows() {
    assert_eq!(seen("proxy_get_property", 4, 0..=12), [0, 1, 1, 3, 1, 1, 1, 1, 1, 1, 10, 1, 1]);
    assert_eq!(seen("proxy_set_shared_data", 5, 0..=12), [0, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8]);
    assert_eq!(seen("proxy_log", 3, 0..=12), [0; 13]);
}

#[test]
fn a_status_far_beyond_those_that_there_are_is_not_taken_for_one_of_them() {
    assert_eq!(seen("proxy_get_property", 4, [31, 32, 33, 35, 42, 64, i32::MAX, -1, i32::MIN]), [NOT_FOUND; 9]);
}

#[test]
fn every_row_substitutes_a_status_that_the_caller_knows() {
    for (name, takes) in FUNCTIONS {
        if let Only(known, otherwise) = takes {
            assert!(known.contains(&otherwise) && known.iter().all(|status| (0..32).contains(status)), "{name}");
        }
    }
}

#[test]
fn a_function_that_fails_leaves_what_its_caller_will_read() {
    let mut running = Running::new(module("env", "proxy_define_metric", &[ValType::I32; 4]), INTERNAL_FAILURE);
    assert_eq!(running.call(4), OK);
    assert_eq!(running.at(24), [0xff; 4]);
    let mut running = Running::new(module("wasi", "environ_sizes_get", &[ValType::I32; 2]), 76);
    assert_eq!(running.call(2), OK);
    assert_eq!([running.at(0), running.at(8)], [[0; 4]; 2]);
}

#[test]
fn a_function_that_succeeds_has_written_that_itself() {
    let mut running = Running::new(module("env", "proxy_define_metric", &[ValType::I32; 4]), OK);
    assert_eq!(running.call(4), OK);
    assert_eq!(running.at(24), [UNWRITTEN; 4]);
}

#[test]
fn the_import_is_called_with_the_parameters_of_the_caller() {
    let mut module = module("env", "proxy_increment_metric", &[ValType::I32, ValType::I64]);
    guard(&mut module).unwrap();
    let engine = Engine::default();
    let module = wasmi::Module::new(&engine, module.emit_wasm()).unwrap();
    let mut store = Store::new(&engine, (0, 0));
    let mut linker = Linker::new(&engine);
    let remember = |mut caller: Caller<'_, (i32, i64)>, id: i32, offset: i64| {
        *caller.data_mut() = (id, offset);
        NOT_FOUND
    };
    linker.func_wrap("env", "proxy_increment_metric", remember).unwrap();
    let instance = linker.instantiate_and_start(&mut store, &module).unwrap();
    let call = instance.get_typed_func::<(i32, i64), i32>(&store, "call").unwrap();
    assert_eq!(call.call(&mut store, (7, 1 << 40)).unwrap(), NOT_FOUND);
    assert_eq!(*store.data(), (7, 1 << 40));
}

#[test]
fn an_import_that_nobody_has_written_down_is_an_error() {
    let error = guard(&mut module("env", "proxy_teleport", &[])).unwrap_err();
    assert_eq!(
        format!("{error:#}"),
        "the filter imports proxy_teleport from env, and xtask/src/statuses.rs does not say which of its statuses the caller \
         can take: of a function of Envoy, the SDK's hostcalls.rs tells"
    );
}

#[test]
fn the_same_module_becomes_the_same_bytes() {
    let bytes = || {
        let mut module = module("env", "proxy_get_property", &[ValType::I32; 4]);
        guard(&mut module).unwrap();
        module.emit_wasm()
    };
    assert_eq!(bytes(), bytes());
}
