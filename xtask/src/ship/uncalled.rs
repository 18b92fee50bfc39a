//! Which functions stand in the module's table, and nobody can call them?
//!
//! A trait object brings all methods of its trait along, and the SDK's traits have more than a hundred. A call through the table
//! names the type of the function, and traps at one of another type (WebAssembly core specification, `call_indirect`): where
//! no code that can be reached calls a type, no function of that type is ever entered through the table.

use std::collections::HashSet;

use walrus::ir::{CallIndirect, Visitor, dfs_in_order};
use walrus::{ElementItems, ExportItem, FunctionBuilder, FunctionId, FunctionKind, Module, TypeId, passes};

/// Takes the functions out of the module that only the table leads to, at a type that nobody calls.
pub(super) fn remove(module: &mut Module) {
    let reached = reached(module);
    let uncalled: HashSet<FunctionId> =
        module.funcs.iter().map(walrus::Function::id).filter(|function| !reached.contains(function)).collect();
    let Some(one) = uncalled.iter().min() else { return };
    // Their places in the table stay, or the others would move. What stands there now is of a type that nobody calls either.
    let ty = module.types.get(module.funcs.get(*one).ty());
    let (parameters, results) = (ty.params().to_vec(), ty.results().to_vec());
    let mut nothing = FunctionBuilder::new(&mut module.types, &parameters, &results);
    nothing.name("uncalled".to_owned()).func_body().unreachable();
    let nothing = nothing.finish(Vec::new(), &mut module.funcs);
    for function in module.elements.iter_mut().flat_map(functions_mut) {
        if uncalled.contains(function) {
            *function = nothing;
        }
    }
    passes::gc::run(module);
}

/// The functions that may be entered.
fn reached(module: &Module) -> HashSet<FunctionId> {
    let exported = module.exports.iter().filter_map(|export| match export.item {
        ExportItem::Function(function) => Some(function),
        _ => None,
    });
    let mut next: Vec<FunctionId> = exported.chain(module.start).collect();
    let in_table: Vec<FunctionId> = module.elements.iter().flat_map(functions).copied().collect();
    let mut reached = HashSet::new();
    let mut calls = Calls::default();
    loop {
        while let Some(function) = next.pop() {
            if reached.insert(function)
                && let FunctionKind::Local(body) = &module.funcs.get(function).kind
            {
                dfs_in_order(&mut calls, body, body.entry_block());
                next.append(&mut calls.functions);
            }
        }
        let of_called_type = |function: &FunctionId| calls.types.contains(&module.funcs.get(*function).ty());
        next.extend(
            in_table.iter().copied().filter(|function| of_called_type(function) && !reached.contains(function)),
        );
        if next.is_empty() {
            return reached;
        }
    }
}

/// What a function calls: these functions, and through the table those of these types.
#[derive(Default)]
struct Calls {
    functions: Vec<FunctionId>,
    types: HashSet<TypeId>,
}

impl Visitor<'_> for Calls {
    // Also of an instruction that only refers to the function.
    fn visit_function_id(&mut self, function: &FunctionId) {
        self.functions.push(*function);
    }

    fn visit_call_indirect(&mut self, call: &CallIndirect) {
        self.types.insert(call.ty);
    }
}

fn functions(element: &walrus::Element) -> &[FunctionId] {
    match &element.items {
        ElementItems::Functions(functions) => functions,
        ElementItems::Expressions(..) => &[],
    }
}

fn functions_mut(element: &mut walrus::Element) -> &mut [FunctionId] {
    match &mut element.items {
        ElementItems::Functions(functions) => functions,
        ElementItems::Expressions(..) => &mut [],
    }
}

#[cfg(test)]
mod tests {
    use walrus::ir::Value;
    use walrus::{ConstExpr, ElementKind, RefType, ValType};

    use super::*;

    const NAMES: [&str; 3] = ["of the called type", "of another type", "called directly"];

    /// A module whose table holds functions of these names. Its export calls `()` through the table, and the last one directly.
    fn module() -> Module {
        let mut module = Module::default();
        let function = |module: &mut Module, name: &str, parameters: &[ValType]| {
            let mut function = FunctionBuilder::new(&mut module.types, parameters, &[]);
            function.name(name.to_owned());
            let arguments = parameters.iter().map(|ty| module.locals.add(*ty)).collect();
            function.finish(arguments, &mut module.funcs)
        };
        let [plain, other] = [&[] as &[_], &[ValType::I64]].map(|parameters| module.types.add(parameters, &[]));
        assert_ne!(plain, other);
        let functions = [
            function(&mut module, NAMES[0], &[]),
            function(&mut module, NAMES[1], &[ValType::I64]),
            function(&mut module, NAMES[2], &[ValType::F64]),
        ];
        let table = module.tables.add_local(false, 3, Some(3), RefType::FUNCREF);
        let offset = ConstExpr::Value(Value::I32(0));
        let items = ElementItems::Functions(functions.to_vec());
        let element = module.elements.add(ElementKind::Active { table, offset }, items);
        module.tables.get_mut(table).elem_segments.insert(element);
        let mut caller = FunctionBuilder::new(&mut module.types, &[], &[]);
        caller.func_body().i32_const(0).call_indirect(plain, table).f64_const(0.0).call(functions[2]);
        let caller = caller.finish(Vec::new(), &mut module.funcs);
        module.exports.add("caller", caller);
        module
    }

    fn table(module: &Module) -> Vec<&str> {
        let functions = module.elements.iter().flat_map(functions);
        functions.filter_map(|function| module.funcs.get(*function).name.as_deref()).collect()
    }

    #[test]
    fn a_function_of_a_type_that_nobody_calls_leaves_and_its_place_stays() {
        let mut module = module();
        assert_eq!(table(&module), NAMES);
        remove(&mut module);
        assert_eq!(table(&module), [NAMES[0], "uncalled", NAMES[2]]);
        assert_eq!(module.funcs.by_name(NAMES[1]), None);
    }

    #[test]
    fn to_remove_them_twice_is_to_remove_them_once() {
        let mut module = module();
        remove(&mut module);
        let functions = module.funcs.iter().count();
        remove(&mut module);
        assert_eq!(module.funcs.iter().count(), functions);
    }
}
