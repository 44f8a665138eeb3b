//! The messages of a source: as they are, or as templates with what differs from row to row.
//!
//! A template is literal text with slots. Whatever stands in a slot is at least one byte of ASCII letters,
//! digits, dots and dashes and begins and ends with a letter or digit; its maximal runs of letters and digits
//! hold a digit or are made of `a` to `f` alone. Right beside a slot there is no ASCII letter or digit. So an
//! ordinary word never lies in one, and a number lies in one slot alone. Only the slot of the free template,
//! which is a whole message, may hold anything.

use std::sync::Arc;

use insighthub_model::batch::TextColumn;
use insighthub_model::query::token::fold;

use super::{Codes, Column, ColumnError, Texts};

/// Stands for a slot in [`Template::folded`]: no byte of UTF-8.
pub const SLOT: u8 = 0xff;
/// Stands for a slot in a pattern that is shown.
pub const SLOT_SHOWN: &str = "<*>";

/// The messages of a source, one a row.
#[derive(Clone, Debug)]
pub enum Messages<'a> {
    Plain(Column<'a, TextColumn>),
    Templated(TemplatedMessages<'a>),
}

/// Messages as templates. Rows with the same template take their variables in the order of the rows.
#[derive(Clone, Debug)]
pub struct TemplatedMessages<'a> {
    pub templates: Arc<Templates>,
    /// Row by row, the number of its template.
    pub codes: Arc<[u32]>,
    pub variables: &'a dyn Variables,
}

/// Reads what stands in the slots of a template: slot by slot, and in each a text per row of the template.
pub trait Variables: Send + Sync + std::fmt::Debug {
    fn variables(&self, templates: &Templates, template: u32) -> Result<Arc<[Texts<'static>]>, ColumnError>;

    /// What stands in one of its slots, where the others are not wanted.
    fn variable(
        &self,
        templates: &Templates,
        template: u32,
        slot: usize,
    ) -> Result<Option<Texts<'static>>, ColumnError> {
        Ok(self.variables(templates, template)?.get(slot).cloned())
    }
}

/// The templates of a source.
#[derive(Debug, Default)]
pub struct Templates {
    list: Vec<Template>,
    /// With [`SLOT_SHOWN`] for the slots.
    patterns: TextColumn,
    free: Option<u32>,
    /// Template by template, the slots of those before it.
    slots_before: Vec<usize>,
}

/// One template.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// One more than there are slots.
    pub literals: Vec<String>,
    /// Slot by slot, the folded characters that occur in it: see [`slot_character`].
    pub characters: Vec<u64>,
    /// Rows that have it.
    pub rows: u32,
    /// The literals folded, with [`SLOT`] between them.
    pub folded: Vec<u8>,
}

/// The bit of a folded character that may stand in a slot; 0 for any other.
pub fn slot_character(byte: u8) -> u64 {
    match byte {
        b'0'..=b'9' => 1 << (byte - b'0'),
        b'a'..=b'z' => 1 << (byte - b'a' + 10),
        b'.' => 1 << 36,
        b'-' => 1 << 37,
        _ => 0,
    }
}

impl Template {
    pub fn new(literals: Vec<String>, characters: Vec<u64>, rows: u32) -> Template {
        let mut folded = Vec::new();
        for (at, literal) in literals.iter().enumerate() {
            if at > 0 {
                folded.push(SLOT);
            }
            folded.extend_from_slice(fold(literal).as_bytes());
        }
        Template { literals, characters, rows, folded }
    }

    /// Slot by slot the values at one place, put between the literals.
    fn print(&self, slots: &[Texts<'_>], at: usize, out: &mut String) {
        let mut slots = slots.iter();
        for (number, literal) in self.literals.iter().enumerate() {
            if number > 0
                && let Some(slot) = slots.next()
            {
                slot.push(at, out);
            }
            out.push_str(literal);
        }
    }

    /// The text with `filling` in each slot.
    pub fn filled(&self, filling: &str) -> String {
        self.literals.join(filling)
    }
}

impl Templates {
    /// `free` is the template that has one slot and nothing else, where there is one.
    pub fn new(list: Vec<Template>, free: Option<u32>) -> Templates {
        let patterns: Vec<String> = list.iter().map(|template| template.filled(SLOT_SHOWN)).collect();
        let slots_before = list
            .iter()
            .scan(0, |slots, template| Some(std::mem::replace(slots, *slots + template.characters.len())))
            .collect();
        Templates { list, patterns: patterns.iter().map(String::as_str).collect(), free, slots_before }
    }

    pub fn list(&self) -> &[Template] {
        &self.list
    }

    pub fn get(&self, number: u32) -> Option<&Template> {
        self.list.get(number as usize)
    }

    /// The number of a slot among those of all templates.
    pub fn slot_number(&self, template: u32, slot: usize) -> usize {
        self.slots_before.get(template as usize).map_or(slot, |before| before + slot)
    }

    /// The number of the template whose rows have nothing in common.
    pub fn free(&self) -> Option<u32> {
        self.free
    }

    pub fn bytes_held(&self) -> usize {
        let held = |template: &Template| {
            size_of::<Template>()
                + template.folded.len() * 2
                + template.literals.len() * (size_of::<String>() + size_of::<u64>())
                + size_of::<usize>()
        };
        self.patterns.bytes_held() + self.list.iter().map(held).sum::<usize>()
    }
}

impl TemplatedMessages<'_> {
    /// Patterns by number; rows of [`Templates::free`] have none in common.
    pub fn patterns(&self) -> Codes<'_> {
        Codes { values: &self.templates.patterns, codes: &self.codes }
    }
}

impl TemplatedMessages<'_> {
    /// Visits these rows, which must ascend, with their template and how many rows of it lie before: the place of
    /// the row's variables.
    pub fn for_each_place(
        &self,
        rows: impl IntoIterator<Item = usize>,
        mut visit: impl FnMut(usize, u32, usize) -> Result<(), ColumnError>,
    ) -> Result<(), ColumnError> {
        let mut before = vec![0usize; self.templates.list.len()];
        let mut next = 0;
        for row in rows {
            for code in self.codes.get(next..row).unwrap_or(&[]) {
                if let Some(count) = before.get_mut(*code as usize) {
                    *count += 1;
                }
            }
            next = next.max(row);
            if let Some(code) = self.codes.get(row)
                && let Some(count) = before.get(*code as usize)
            {
                visit(row, *code, *count)?;
            }
        }
        Ok(())
    }
}

impl Messages<'_> {
    pub fn len(&self) -> usize {
        match self {
            Messages::Plain(texts) => texts.len(),
            Messages::Templated(messages) => messages.codes.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Visits the messages of these rows, which must ascend. Variables are read for their templates alone.
    pub fn for_each(
        &self,
        rows: impl IntoIterator<Item = usize>,
        mut visit: impl FnMut(usize, &str),
    ) -> Result<(), ColumnError> {
        let messages = match self {
            Messages::Plain(texts) => {
                rows.into_iter().for_each(|row| visit(row, texts.get(row)));
                return Ok(());
            }
            Messages::Templated(messages) => messages,
        };
        let templates = &*messages.templates;
        let mut read: Vec<Option<Arc<[Texts<'static>]>>> = vec![None; templates.list.len()];
        let mut text = String::new();
        messages.for_each_place(rows, |row, code, at| {
            let (Some(template), Some(slots)) = (templates.get(code), read.get_mut(code as usize)) else {
                return Ok(());
            };
            let slots = match slots {
                Some(slots) => slots,
                None => slots.insert(messages.variables.variables(templates, code)?),
            };
            text.clear();
            template.print(slots, at, &mut text);
            visit(row, &text);
            Ok(())
        })
    }

    /// All of them as a column.
    pub fn to_column(&self) -> Result<TextColumn, ColumnError> {
        if let Messages::Plain(texts) = self {
            return Ok(TextColumn::clone(texts));
        }
        let mut column = TextColumn::default();
        self.for_each(0..self.len(), |_, text| column.push(text))?;
        Ok(column)
    }
}
