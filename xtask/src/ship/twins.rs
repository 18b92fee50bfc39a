//! Merges functions that stand in the module twice.
//!
//! Generic code is compiled for every type, and much of it comes out the same: the code for a `Vec` of values of eight bytes does
//! not depend on their type. The compiler sees it before it is machine code, and the linker does not compare it.

use std::collections::HashMap;
use std::fmt::Write;

use walrus::ir::{
    Const, Instr, InstrLocId, InstrSeq, InstrSeqId, Value, Visitor, VisitorMut, dfs_in_order, dfs_pre_order_mut,
};
use walrus::{ElementItems, ExportItem, FunctionId, LocalFunction, LocalId, Module, TypeId, passes};

use super::names;

/// Leaves one function of each set of twins. A function of the filter stays beside its twin when they have different names, because
/// the trace of a crash is to name the right one.
pub(super) fn merge(module: &mut Module) {
    loop {
        let twins = find(module);
        if twins.is_empty() {
            return;
        }
        replace(module, &twins);
        // Callers of twins may be twins themselves by now.
        passes::gc::run(module);
    }
}

/// Each function that stands there already, and the one that replaces it.
fn find(module: &Module) -> HashMap<FunctionId, FunctionId> {
    let mut first: HashMap<(TypeId, Option<&str>, String), FunctionId> = HashMap::new();
    let mut twins = HashMap::new();
    for (id, body) in module.funcs.iter_local() {
        let Some(text) = Text::of(module, body) else { continue };
        let name = module.funcs.get(id).name.as_deref().filter(|name| names::is_of_the_filter(name));
        let one = *first.entry((body.ty(), name, text)).or_insert(id);
        if one != id {
            twins.insert(id, one);
        }
    }
    twins
}

fn replace(module: &mut Module, twins: &HashMap<FunctionId, FunctionId>) {
    let mut replacer = Replacer(twins);
    for (_, body) in module.funcs.iter_local_mut() {
        let entry = body.entry_block();
        dfs_pre_order_mut(&mut replacer, body, entry);
    }
    for element in module.elements.iter_mut() {
        if let ElementItems::Functions(functions) = &mut element.items {
            functions.iter_mut().for_each(|function| replacer.visit_function_id_mut(function));
        }
    }
    for export in module.exports.iter_mut() {
        if let ExportItem::Function(function) = &mut export.item {
            replacer.visit_function_id_mut(function);
        }
    }
    if let Some(start) = &mut module.start {
        replacer.visit_function_id_mut(start);
    }
}

struct Replacer<'a>(&'a HashMap<FunctionId, FunctionId>);

impl VisitorMut for Replacer<'_> {
    fn visit_function_id_mut(&mut self, function: &mut FunctionId) {
        if let Some(one) = self.0.get(function) {
            *function = *one;
        }
    }
}

/// A function's instructions as text. The parts that belong to the function alone, such as locals, are numbered in their order.
struct Text<'a> {
    module: &'a Module,
    text: String,
    locals: Vec<LocalId>,
    sequences: Vec<InstrSeqId>,
    is_known: bool,
}

impl<'a> Text<'a> {
    /// `None` when it has an instruction that is not listed here.
    fn of(module: &'a Module, body: &LocalFunction) -> Option<String> {
        let (text, locals, sequences) = (String::new(), body.args.clone(), Vec::new());
        let mut text = Self { module, text, locals, sequences, is_known: true };
        dfs_in_order(&mut text, body, body.entry_block());
        text.is_known.then_some(text.text)
    }

    fn write(&mut self, what: std::fmt::Arguments<'_>) {
        self.is_known &= self.text.write_fmt(what).is_ok();
    }
}

fn number<T: PartialEq + Copy>(seen: &mut Vec<T>, one: T) -> usize {
    seen.iter().position(|other| *other == one).unwrap_or_else(|| {
        seen.push(one);
        seen.len() - 1
    })
}

impl<'instr> Visitor<'instr> for Text<'_> {
    fn start_instr_seq(&mut self, sequence: &'instr InstrSeq) {
        let number = number(&mut self.sequences, sequence.id());
        self.write(format_args!("begin {number} {:?}\n", sequence.ty));
    }

    fn end_instr_seq(&mut self, _: &'instr InstrSeq) {
        self.write(format_args!("end\n"));
    }

    fn visit_instr(&mut self, instr: &'instr Instr, _: &'instr InstrLocId) {
        match instr {
            // The functions below write the locals and the blocks that these name.
            Instr::LocalGet(_) => self.write(format_args!("get ")),
            Instr::LocalSet(_) => self.write(format_args!("set ")),
            Instr::LocalTee(_) => self.write(format_args!("tee ")),
            Instr::Block(_) => self.write(format_args!("block ")),
            Instr::Loop(_) => self.write(format_args!("loop ")),
            Instr::IfElse(_) => self.write(format_args!("if ")),
            Instr::Br(_) => self.write(format_args!("br ")),
            Instr::BrIf(_) => self.write(format_args!("br_if ")),
            Instr::BrTable(table) => self.write(format_args!("br_table {} ", table.blocks.len())),
            // Not every NaN is the same, though all are written as one.
            Instr::Const(Const { value: Value::F32(value) }) => self.write(format_args!("f32 {:x}\n", value.to_bits())),
            Instr::Const(Const { value: Value::F64(value) }) => self.write(format_args!("f64 {:x}\n", value.to_bits())),
            // These name parts of the module only.
            Instr::Binop(_)
            | Instr::Call(_)
            | Instr::CallIndirect(_)
            | Instr::Const(_)
            | Instr::Drop(_)
            | Instr::GlobalGet(_)
            | Instr::GlobalSet(_)
            | Instr::Load(_)
            | Instr::MemoryCopy(_)
            | Instr::MemoryFill(_)
            | Instr::MemoryGrow(_)
            | Instr::MemorySize(_)
            | Instr::Return(_)
            | Instr::Select(_)
            | Instr::Store(_)
            | Instr::Unop(_)
            | Instr::Unreachable(_) => self.write(format_args!("{instr:?}\n")),
            _ => self.is_known = false,
        }
    }

    fn visit_local_id(&mut self, local: &LocalId) {
        let number = number(&mut self.locals, *local);
        let ty = self.module.locals.get(*local).ty();
        self.write(format_args!("{number} {ty:?}\n"));
    }

    fn visit_instr_seq_id(&mut self, sequence: &InstrSeqId) {
        let number = number(&mut self.sequences, *sequence);
        self.write(format_args!("{number}\n"));
    }
}

#[cfg(test)]
mod tests {
    use walrus::{FunctionBuilder, ValType};

    use super::*;

    /// Adds a function that adds this number to its argument, and exports it under its name.
    fn add(module: &mut Module, name: &str, number: i32) -> FunctionId {
        let mut function = FunctionBuilder::new(&mut module.types, &[ValType::I32], &[ValType::I32]);
        let argument = module.locals.add(ValType::I32);
        let result = module.locals.add(ValType::I32);
        function.name(name.to_owned());
        let mut body = function.func_body();
        body.block(None, |inner| {
            inner.local_get(argument).i32_const(number).binop(walrus::ir::BinaryOp::I32Add).local_set(result);
        });
        body.local_get(result);
        let id = function.finish(vec![argument], &mut module.funcs);
        module.exports.add(name, id);
        id
    }

    /// Adds a function that calls another one, and exports it under its name.
    fn call(module: &mut Module, name: &str, called: FunctionId) {
        let mut function = FunctionBuilder::new(&mut module.types, &[ValType::I32], &[ValType::I32]);
        let argument = module.locals.add(ValType::I32);
        function.name(name.to_owned()).func_body().local_get(argument).call(called);
        let id = function.finish(vec![argument], &mut module.funcs);
        module.exports.add(name, id);
    }

    /// The names of the functions behind these exports.
    fn behind<'a>(module: &'a Module, exports: &[&str]) -> Vec<&'a str> {
        let behind = |name: &&str| module.funcs.get(module.exports.get_func(name).unwrap()).name.as_deref().unwrap();
        exports.iter().map(behind).collect()
    }

    #[test]
    fn of_twins_one_is_left_and_of_their_callers_too() {
        let mut module = Module::default();
        let one = add(&mut module, "alloc::one", 1);
        let other = add(&mut module, "alloc::other", 1);
        call(&mut module, "core::caller", one);
        call(&mut module, "core::other_caller", other);
        merge(&mut module);
        assert_eq!(behind(&module, &["alloc::one", "alloc::other"]), ["alloc::one"; 2]);
        assert_eq!(behind(&module, &["core::caller", "core::other_caller"]), ["core::caller"; 2]);
        assert_eq!(module.funcs.iter().count(), 2);
    }

    #[test]
    fn functions_that_differ_in_a_number_stay() {
        let mut module = Module::default();
        add(&mut module, "alloc::one", 1);
        add(&mut module, "alloc::other", 2);
        merge(&mut module);
        assert_eq!(module.funcs.iter().count(), 2);
    }

    #[test]
    fn a_function_of_the_filter_stays_under_its_own_name() {
        let mut module = Module::default();
        add(&mut module, "stickiness::one", 1);
        add(&mut module, "stickiness::other", 1);
        add(&mut module, "alloc::one", 1);
        merge(&mut module);
        let names = ["stickiness::one", "stickiness::other", "alloc::one"];
        assert_eq!(behind(&module, &names), names);
    }

    #[test]
    fn numbers_that_are_not_a_number_differ_in_their_bits() {
        let mut module = Module::default();
        for (name, bits) in [("core::one", 0x7ff8_0000_0000_0000), ("core::other", 0x7ff8_0000_0000_0001)] {
            let mut function = FunctionBuilder::new(&mut module.types, &[], &[ValType::F64]);
            function.func_body().f64_const(f64::from_bits(bits));
            let id = function.finish(Vec::new(), &mut module.funcs);
            module.exports.add(name, id);
        }
        merge(&mut module);
        assert_eq!(module.funcs.iter().count(), 2);
    }
}
