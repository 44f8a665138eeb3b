//! Several neighbouring blocks become one, without what is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::checksum::Sections;
use super::sorted::SortedRows;
use super::writer::write_rows;
use super::{BlockError, BlockId, BlockMeta, BlockReader, Omitted};
use crate::column_source::ColumnSource;
use crate::fs::Fs;
use crate::note::Note;

/// A block to be merged.
#[derive(Clone, Debug)]
pub struct MergeInput {
    pub block: Arc<BlockReader>,
    pub omitted: Omitted,
    /// Those that are kept.
    pub notes: Vec<Note>,
}

/// Writes what is left of neighbouring blocks (oldest first, at least one) as one block and makes it durable; `None` when
/// nothing is left. Writing it again replaces the file by an equal one.
pub fn write_merged(
    fs: &dyn Fs,
    directory: &Path,
    written_by: u64,
    inputs: &[MergeInput],
) -> Result<Option<BlockMeta>, BlockError> {
    let Some(last) = inputs.last() else { return Ok(None) };
    let id = BlockId { seal_index: last.block.seal_index(), written_by };
    let mut omitted: Vec<u64> =
        inputs.iter().flat_map(|input| input.omitted.offsets.iter().copied()).collect();
    omitted.sort_unstable();
    let parts = inputs.iter().map(|input| input.block.sorted_rows()).collect::<Result<Vec<_>, _>>()?;
    let rows = SortedRows::merged(&parts, &omitted);
    drop(parts);

    let mut letters = BTreeMap::new();
    let mut resolved = BTreeSet::new();
    for input in inputs {
        letters.extend(input.block.dead_letters()?);
        // What one of these blocks resolves and another holds is settled among them.
        for number in input.block.resolved_dead_letters()? {
            if letters.remove(&number).is_none() {
                resolved.insert(number);
            }
        }
        letters.retain(|number, _| input.omitted.dead_letters.binary_search(number).is_err());
    }
    let resolved: Vec<u64> = resolved.into_iter().collect();
    let mut notes: Vec<Note> = inputs.iter().flat_map(|input| input.notes.iter().cloned()).collect();
    notes.sort_unstable();
    if rows.len() == 0 && letters.is_empty() && resolved.is_empty() && notes.is_empty() {
        return Ok(None);
    }
    let minutes = rows.minutes();
    let sections = Sections {
        minutes: &minutes,
        dead_letters: &letters,
        resolved_dead_letters: &resolved,
        notes: &notes,
    };
    write_rows(fs, directory, (last.block.partition(), id), &rows, sections).map(Some)
}
