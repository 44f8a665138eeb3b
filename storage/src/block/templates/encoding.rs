//! From cut messages to chunks: the templates with their codes, and their variables in groups of templates,
//! so that the rows of one template are read without those of all others.

use insighthub_model::batch::TextColumn;

use super::super::encoding::{Encoder, put_varint};
use super::Draft;
use crate::column_source::slot_character;

/// A group of templates ends where it has so many rows: few enough to be decoded for one row, many enough to
/// keep the list of chunks short.
pub(in crate::block) const GROUP_ROWS: usize = 4_096;

impl Draft {
    /// Appends templates and codes.
    pub(in crate::block) fn encode_templates(&self, encoder: &mut Encoder, out: &mut Vec<u8>) {
        put_varint(out, self.literals.len() as u64);
        out.push(u8::from(self.free.is_some()));
        let literals: TextColumn = self.literals.iter().flatten().map(String::as_str).collect();
        let slots: Vec<i64> = self.slots.iter().map(|slots| slots.len() as i64).collect();
        encoder.integers(&slots, out);
        encoder.texts(&literals, None, out);
        let characters: Vec<i64> = self.slots.iter().flatten().map(|slot| characters(slot) as i64).collect();
        encoder.integers(&characters, out);
        let codes: Vec<i64> = self.codes.iter().map(|code| i64::from(*code)).collect();
        encoder.integers(&codes, out);
    }

    /// The groups: first template, the one after the last, and rows.
    pub(in crate::block) fn groups(&self) -> Vec<(u32, u32, usize)> {
        let mut rows_of = vec![0usize; self.literals.len()];
        for code in &self.codes {
            if let Some(rows) = rows_of.get_mut(*code as usize) {
                *rows += 1;
            }
        }
        let (mut groups, mut first, mut rows) = (Vec::new(), 0, 0);
        for (number, own) in (0u32..).zip(rows_of) {
            rows += own;
            if rows >= GROUP_ROWS || number as usize + 1 == self.literals.len() {
                groups.push((first, number + 1, rows));
                (first, rows) = (number + 1, 0);
            }
        }
        groups
    }

    /// Appends the variables of a group.
    pub(in crate::block) fn encode_group(
        &self,
        first: u32,
        end: u32,
        encoder: &mut Encoder,
        out: &mut Vec<u8>,
    ) {
        let templates = self.slots.get(first as usize..end as usize).unwrap_or(&[]);
        templates.iter().flatten().for_each(|slot| encoder.variables(slot, out));
    }
}

/// The folded characters of a slot; those of a free one are of no use, for it may hold others.
fn characters(slot: &TextColumn) -> u64 {
    let mut seen = [false; 256];
    for byte in slot.arena_text().bytes() {
        if let Some(seen) = seen.get_mut(usize::from(byte)) {
            *seen = true;
        }
    }
    let occurring = (0u8..=u8::MAX).zip(seen).filter(|(_, seen)| *seen);
    occurring.fold(0, |set, (byte, _)| set | slot_character(byte.to_ascii_lowercase()))
}
