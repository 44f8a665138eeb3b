//! Which template each message of a column has, and what stands in its slots.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use insighthub_model::batch::TextColumn;
use xxhash_rust::xxh3::xxh3_64;

use super::super::encoding::HashedKey;
use super::tokens::for_each_variable;
use crate::column_source::SLOT;

/// A template costs its text and a few bytes a slot: fewer rows than this do not pay for them.
const TEMPLATE_ROWS_MIN: u32 = 8;
/// Messages with more slots are lists or dumps that no other repeats.
const SLOTS_MAX: usize = 48;
/// Longer messages are kept as they are.
const MESSAGE_BYTES_MAX: usize = 8 * 1024;
/// After this many rows a column of mostly different templates is taken to go on like that.
const SAMPLE_ROWS: usize = 2_048;
/// Most templates of a block: a template's number is looked up in tables by row.
const TEMPLATES_MAX: usize = 1 << 14;
/// A row without a template.
const FREE: u32 = u32::MAX;

/// Messages cut into templates and variables.
#[derive(Debug)]
pub(in crate::block) struct Draft {
    /// Template by template its literals.
    pub(in crate::block) literals: Vec<Vec<String>>,
    /// The template without literals for messages that have none, if there are such; the last one.
    pub(in crate::block) free: Option<u32>,
    /// Row by row the number of its template.
    pub(in crate::block) codes: Vec<u32>,
    /// Template by template and slot by slot the values.
    pub(in crate::block) slots: Vec<Vec<TextColumn>>,
}

/// Templates as they are found, before it is known which have enough rows.
#[derive(Default)]
struct Found {
    known: HashMap<u64, u32, BuildHasherDefault<HashedKey>>,
    /// Literals with [`SLOT`] between them, one template after another, and where each ends.
    keys: Vec<u8>,
    key_ends: Vec<usize>,
    rows: Vec<u32>,
    codes: Vec<u32>,
    /// Start and end of all variables, and where those of each row end.
    spans: Vec<(u32, u32)>,
    span_ends: Vec<u32>,
}

/// Cuts the messages; `None` where they have too little in common.
pub(in crate::block) fn cut(messages: &TextColumn) -> Option<Draft> {
    let found = Found::of(messages)?;
    let mut numbers: Vec<u32> = Vec::with_capacity(found.rows.len());
    let mut literals = Vec::new();
    let mut free_rows = found.codes.iter().filter(|code| **code == FREE).count();
    for (at, rows) in found.rows.iter().enumerate() {
        let is_kept = *rows >= TEMPLATE_ROWS_MIN && literals.len() < TEMPLATES_MAX;
        numbers.push(if is_kept { literals.len() as u32 } else { FREE });
        if is_kept {
            literals.push(found.literals(at));
        } else {
            free_rows += *rows as usize;
        }
    }
    if free_rows * 2 > messages.len() {
        return None;
    }
    let free = (free_rows > 0).then_some(literals.len() as u32);
    if free.is_some() {
        literals.push(vec![String::new(); 2]);
    }
    let number = |code: &u32| numbers.get(*code as usize).copied().filter(|number| *number != FREE);
    let codes: Vec<u32> = found.codes.iter().map(|code| number(code).or(free).unwrap_or(0)).collect();
    let slots = found.slots(messages, &codes, &literals, free);
    Some(Draft { literals, free, codes, slots })
}

impl Found {
    fn of(messages: &TextColumn) -> Option<Found> {
        let mut found = Found::default();
        let mut key = Vec::new();
        for (row, message) in messages.iter().enumerate() {
            let code = found.add(message, &mut key);
            found.codes.push(code);
            found.span_ends.push(found.spans.len() as u32);
            if row == SAMPLE_ROWS && found.rows.len() > SAMPLE_ROWS / 2 {
                return None;
            }
        }
        Some(found)
    }

    /// The template of a message, whose variables are added.
    fn add(&mut self, message: &str, key: &mut Vec<u8>) -> u32 {
        if message.len() > MESSAGE_BYTES_MAX {
            return FREE;
        }
        let bytes = message.as_bytes();
        let first = self.spans.len();
        let mut before = 0;
        key.clear();
        for_each_variable(message, |start, end| {
            key.extend_from_slice(bytes.get(before..start).unwrap_or(&[]));
            key.push(SLOT);
            before = end;
            self.spans.push((start as u32, end as u32));
        });
        key.extend_from_slice(bytes.get(before..).unwrap_or(&[]));
        let next = self.rows.len() as u32;
        let code = match self.spans.len() - first {
            0..=SLOTS_MAX => *self.known.entry(xxh3_64(key)).or_insert(next),
            _ => FREE,
        };
        if code == next {
            self.keys.extend_from_slice(key);
            self.key_ends.push(self.keys.len());
            self.rows.push(0);
        }
        // Two templates of one hash: vanishingly rare, and rows would be mixed up.
        if code == FREE || self.key(code as usize) != key.as_slice() {
            self.spans.truncate(first);
            return FREE;
        }
        if let Some(rows) = self.rows.get_mut(code as usize) {
            *rows += 1;
        }
        code
    }

    fn key(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).and_then(|before| self.key_ends.get(before)).copied().unwrap_or(0);
        let end = self.key_ends.get(at).copied().unwrap_or(start);
        self.keys.get(start..end).unwrap_or(&[])
    }

    fn literals(&self, at: usize) -> Vec<String> {
        let parts = self.key(at).split(|byte| *byte == SLOT);
        parts.map(|part| String::from_utf8_lossy(part).into_owned()).collect()
    }

    fn slots(
        &self,
        messages: &TextColumn,
        codes: &[u32],
        literals: &[Vec<String>],
        free: Option<u32>,
    ) -> Vec<Vec<TextColumn>> {
        let mut slots: Vec<Vec<TextColumn>> =
            literals.iter().map(|literals| vec![TextColumn::default(); literals.len() - 1]).collect();
        let mut start = 0;
        for ((row, code), end) in codes.iter().enumerate().zip(&self.span_ends) {
            let spans = self.spans.get(start..*end as usize).unwrap_or(&[]);
            start = *end as usize;
            let message = messages.get(row);
            let Some(columns) = slots.get_mut(*code as usize) else { continue };
            if Some(*code) == free {
                columns.iter_mut().for_each(|column| column.push(message));
                continue;
            }
            for (column, (start, end)) in columns.iter_mut().zip(spans) {
                column.push(message.get(*start as usize..*end as usize).unwrap_or(""));
            }
        }
        slots
    }
}
