//! Puts the functions and the local variables of a module in an order that compresses well. What the module does stays the
//! same: only numbers change. Knows nothing of files.
//!
//! A compressor finds what repeats, and finds it the cheaper the nearer it lies: so functions of one kind stand side by side,
//! and the local variable that a function uses most has the smallest number.

use std::collections::BTreeMap;
use std::convert::Infallible;

use anyhow::{Context, Result};
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{CodeSection, Function, FunctionSection, Instruction, MemArg, Module, ValType};
use wasmparser::{
    CodeSectionReader, CompositeInnerType, ElementItems, FunctionBody, FunctionSectionReader, Operator,
    Parser, Payload, TypeRef,
};

/// No access is promised to lie at more than a multiple of four (2^2): it is a hint that no machine for browsers heeds, and
/// one value in place of two repeats better.
const ALIGNMENT_MAX: u32 = 2;

type Encoded<T> = Result<T, Error<Infallible>>;

/// The module with its functions and variables in another order.
pub(crate) fn arrange(wasm: &[u8]) -> Result<Vec<u8>> {
    let survey = Survey::of(wasm)?;
    let mut arranged = Module::new();
    let mut arrangement = Arrangement::new(survey);
    arrangement
        .parse_core_module(&mut arranged, Parser::new(0), wasm)
        .context("cannot write the module in another order")?;
    let arranged = arranged.finish();
    wasmparser::validate(&arranged).context("the module in another order is none")?;
    Ok(arranged)
}

/// What the order follows from.
#[derive(Default)]
struct Survey {
    /// How many parameters a type of function has.
    parameters: Vec<u32>,
    imported: u32,
    functions: Vec<Surveyed>,
}

/// A function as it is sorted: with its like, by the instructions without what they are given.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Surveyed {
    type_index: u32,
    opcodes: Vec<u8>,
    /// Where it first stands in the table of functions.
    slot: Option<usize>,
}

impl Survey {
    fn of(wasm: &[u8]) -> Result<Survey> {
        let mut survey = Survey::default();
        let mut bodies = 0;
        for payload in Parser::new(0).parse_all(wasm) {
            match payload? {
                Payload::TypeSection(section) => {
                    for group in section {
                        survey.parameters.extend(group?.types().map(
                            |kind| match &kind.composite_type.inner {
                                CompositeInnerType::Func(function) => function.params().len() as u32,
                                _ => 0,
                            },
                        ));
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        survey.imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::FunctionSection(section) => {
                    for type_index in section {
                        survey.functions.push(Surveyed { type_index: type_index?, ..Surveyed::default() });
                    }
                }
                Payload::ElementSection(section) => {
                    for element in section {
                        if let ElementItems::Functions(functions) = element?.items {
                            survey.see_table(functions)?;
                        }
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    survey.see_body(bodies, wasm, &body)?;
                    bodies += 1;
                }
                _ => {}
            }
        }
        Ok(survey)
    }

    fn see_table(&mut self, functions: wasmparser::SectionLimited<'_, u32>) -> Result<()> {
        for (slot, index) in functions.into_iter().enumerate() {
            let defined = index?.checked_sub(self.imported);
            if let Some(function) = defined.and_then(|index| self.functions.get_mut(index as usize)) {
                function.slot.get_or_insert(slot);
            }
        }
        Ok(())
    }

    fn see_body(&mut self, index: usize, wasm: &[u8], body: &FunctionBody<'_>) -> Result<()> {
        let function = self.functions.get_mut(index).context("a body without a function")?;
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let (_, offset) = operators.read_with_offset()?;
            function.opcodes.extend(wasm.get(offset));
        }
        Ok(())
    }
}

/// Writes a module while it is read.
struct Arrangement {
    survey: Survey,
    /// Old places of the module's own functions, in their new order.
    order: Vec<usize>,
    /// New places of the module's own functions, by the old ones.
    places: Vec<u32>,
    /// New numbers of the variables of the function that is being written.
    variables: Vec<u32>,
    written: usize,
}

impl Arrangement {
    fn new(survey: Survey) -> Arrangement {
        let mut order: Vec<usize> = (0..survey.functions.len()).collect();
        order.sort_by(|a, b| survey.functions.get(*a).cmp(&survey.functions.get(*b)));
        let mut places = vec![0; order.len()];
        for (place, old) in order.iter().enumerate() {
            if let Some(known) = places.get_mut(*old) {
                *known = place as u32;
            }
        }
        Arrangement { survey, order, places, variables: Vec::new(), written: 0 }
    }

    fn variable(&self, old: u32) -> u32 {
        self.variables.get(old as usize).copied().unwrap_or(old)
    }

    /// Numbers the variables of a function anew, and says of which types they are in that order.
    fn arrange_variables(&mut self, parameters: u32, body: &FunctionBody<'_>) -> Encoded<Vec<ValType>> {
        let mut types = Vec::new();
        for declared in body.get_locals_reader()? {
            let (count, kind) = declared?;
            let kind = self.val_type(kind)?;
            types.extend(std::iter::repeat_n(kind, count as usize));
        }
        let mut uses = vec![0_u32; parameters as usize + types.len()];
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            if let Operator::LocalGet { local_index }
            | Operator::LocalSet { local_index }
            | Operator::LocalTee { local_index } = operators.read()?
                && let Some(count) = uses.get_mut(local_index as usize)
            {
                *count += 1;
            }
        }
        let (given, uses) = uses.split_at(parameters as usize);
        // Those of one type stand together, for they are declared by type.
        let mut by_type: BTreeMap<usize, (u32, Vec<usize>)> = BTreeMap::new();
        for (index, kind) in types.iter().enumerate() {
            let first = types.iter().position(|other| other == kind).unwrap_or(index);
            let (together, members) = by_type.entry(first).or_default();
            *together += uses.get(index).copied().unwrap_or_default();
            members.push(index);
        }
        let mut groups: Vec<(u32, Vec<usize>)> = by_type.into_values().collect();
        groups.sort_by_key(|(together, _)| std::cmp::Reverse(*together));
        let mut order: Vec<usize> = Vec::new();
        for (_, mut members) in groups {
            members.sort_by_key(|index| std::cmp::Reverse(uses.get(*index).copied()));
            order.extend(members);
        }
        self.variables = (0..given.len() as u32).chain(types.iter().map(|_| 0)).collect();
        for (place, old) in order.iter().enumerate() {
            if let Some(number) = self.variables.get_mut(given.len() + old) {
                *number = parameters + place as u32;
            }
        }
        Ok(order.iter().filter_map(|old| types.get(*old).copied()).collect())
    }
}

impl Reencode for Arrangement {
    type Error = Infallible;

    fn function_index(&mut self, old: u32) -> Encoded<u32> {
        let imported = self.survey.imported;
        let place = old.checked_sub(imported).and_then(|own| self.places.get(own as usize));
        Ok(place.map_or(old, |place| imported + place))
    }

    fn mem_arg(&mut self, argument: wasmparser::MemArg) -> Encoded<MemArg> {
        let argument = utils::mem_arg(self, argument)?;
        Ok(MemArg { align: argument.align.min(ALIGNMENT_MAX), ..argument })
    }

    fn instruction<'a>(&mut self, operator: Operator<'a>) -> Encoded<Instruction<'a>> {
        Ok(match utils::instruction(self, operator)? {
            Instruction::LocalGet(variable) => Instruction::LocalGet(self.variable(variable)),
            Instruction::LocalSet(variable) => Instruction::LocalSet(self.variable(variable)),
            Instruction::LocalTee(variable) => Instruction::LocalTee(self.variable(variable)),
            other => other,
        })
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        _section: FunctionSectionReader<'_>,
    ) -> Encoded<()> {
        for old in &self.order {
            if let Some(function) = self.survey.functions.get(*old) {
                functions.function(function.type_index);
            }
        }
        Ok(())
    }

    fn parse_code_section(&mut self, code: &mut CodeSection, section: CodeSectionReader<'_>) -> Encoded<()> {
        let bodies = section.into_iter().collect::<Result<Vec<_>, _>>()?;
        for body in self.order.clone().into_iter().filter_map(|old| bodies.get(old)) {
            self.parse_function_body(code, body.clone())?;
            self.written += 1;
        }
        Ok(())
    }

    fn new_function_with_parsed_locals(&mut self, body: &FunctionBody<'_>) -> Encoded<Function> {
        let function = self.order.get(self.written).and_then(|old| self.survey.functions.get(*old));
        let type_index = function.map_or(0, |function| function.type_index as usize);
        let parameters = self.survey.parameters.get(type_index).copied().unwrap_or_default();
        Ok(Function::new_with_locals_types(self.arrange_variables(parameters, body)?))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use wasm_encoder::{
        ConstExpr, ElementSection, Elements, ExportKind, ExportSection, ImportSection, RefType, TableSection,
        TableType, TypeSection,
    };
    use wasmparser::ExternalKind;

    use super::*;

    /// One imported function and three of its own, of two types, one of them in a table.
    fn module() -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([ValType::I64], [ValType::I64]);
        types.ty().function([], []);
        let mut imports = ImportSection::new();
        imports.import("outside", "tell", wasm_encoder::EntityType::Function(1));
        let mut functions = FunctionSection::new();
        for kind in [1, 0, 1] {
            functions.function(kind);
        }
        let mut tables = TableSection::new();
        let table = TableType {
            element_type: RefType::FUNCREF,
            table64: false,
            minimum: 1,
            maximum: None,
            shared: false,
        };
        tables.table(table);
        let mut exports = ExportSection::new();
        for (name, index) in [("first", 1), ("second", 2), ("third", 3)] {
            exports.export(name, ExportKind::Func, index);
        }
        let mut elements = ElementSection::new();
        elements.active(None, &ConstExpr::i32_const(0), Elements::Functions(vec![3].into()));
        let mut code = CodeSection::new();
        code.function(body(
            [],
            &[Instruction::I64Const(1), Instruction::Call(2), Instruction::Drop, Instruction::Call(0)],
        ));
        // The third variable is used most, and the first of them not at all.
        code.function(body(
            [(2, ValType::I32), (1, ValType::I64)],
            &[
                Instruction::LocalGet(0),
                Instruction::LocalTee(3),
                Instruction::LocalGet(3),
                Instruction::I64Add,
                Instruction::I32Const(5),
                Instruction::LocalSet(2),
            ],
        ));
        code.function(body([], &[Instruction::Call(1)]));
        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions).section(&tables).section(&exports);
        module.section(&elements).section(&code);
        module.finish()
    }

    fn body<const N: usize>(
        variables: [(u32, ValType); N],
        instructions: &[Instruction<'_>],
    ) -> &'static Function {
        let mut function = Function::new(variables);
        for instruction in instructions {
            function.instruction(instruction);
        }
        function.instruction(&Instruction::End);
        Box::leak(Box::new(function))
    }

    /// What each exported function calls, by the names of the exports, and what variables it uses.
    fn meaning(wasm: &[u8]) -> BTreeMap<String, (Vec<String>, Vec<u32>)> {
        let (mut names, mut bodies) = (BTreeMap::new(), Vec::new());
        names.insert(0, "tell".to_owned());
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.unwrap() {
                Payload::ExportSection(section) => {
                    for export in section.into_iter().map(Result::unwrap) {
                        assert_eq!(export.kind, ExternalKind::Func);
                        names.insert(export.index, export.name.to_owned());
                    }
                }
                Payload::CodeSectionEntry(body) => bodies.push(body),
                _ => {}
            }
        }
        let mut found = BTreeMap::new();
        for (index, body) in bodies.iter().enumerate() {
            let (mut calls, mut variables) = (Vec::new(), Vec::new());
            for operator in body.get_operators_reader().unwrap().into_iter().map(Result::unwrap) {
                match operator {
                    Operator::Call { function_index } => calls.push(name(&names, function_index)),
                    Operator::LocalGet { local_index }
                    | Operator::LocalTee { local_index }
                    | Operator::LocalSet { local_index } => variables.push(local_index),
                    _ => {}
                }
            }
            found.insert(name(&names, index as u32 + 1), (calls, variables));
        }
        found
    }

    fn name(names: &BTreeMap<u32, String>, index: u32) -> String {
        names.get(&index).cloned().unwrap_or_default()
    }

    fn variables_of_second(wasm: &[u8]) -> Vec<u32> {
        meaning(wasm).remove("second").unwrap_or_default().1
    }

    #[test]
    fn functions_move_and_call_whom_they_called() {
        let (before, after) = (module(), arrange(&module()).unwrap());
        let calls = |wasm: &[u8]| {
            meaning(wasm).into_iter().map(|(name, (calls, _))| (name, calls)).collect::<BTreeMap<_, _>>()
        };
        assert_eq!(calls(&after), calls(&before));
        assert_ne!(after, before);
        // Those of one type stand together.
        let kinds: Vec<u32> =
            Survey::of(&after).unwrap().functions.iter().map(|one| one.type_index).collect();
        assert_eq!(kinds, [0, 1, 1]);
    }

    #[test]
    fn the_variable_that_is_used_most_has_the_smallest_number() {
        assert_eq!(variables_of_second(&module()), [0, 3, 3, 2]);
        // The parameter keeps its place.
        assert_eq!(variables_of_second(&arrange(&module()).unwrap()), [0, 1, 1, 2]);
    }

    #[test]
    fn what_is_arranged_stays_as_it_is() {
        let once = arrange(&module()).unwrap();
        assert_eq!(arrange(&once).unwrap(), once);
    }
}
