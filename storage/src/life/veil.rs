//! Hides from readers what a partition no longer keeps, wherever it still lies.

use std::collections::BTreeMap;
use std::sync::Arc;

use insighthub_model::aggregate::MinuteKey;
use insighthub_model::dead_letter::DeadLetter;
use insighthub_model::{PartitionId, Record};

use super::{Erasure, Horizon};
use crate::block::Omitted;
use crate::column_source::{
    Column, ColumnError, ColumnName, ColumnSource, FieldView, Messages, MinuteCounts, MinuteLatencies,
    PickedField, ServiceRun, Statistics, WorkedOut,
};
use crate::note::Note;

/// All that is hidden, as of one moment.
#[derive(Clone, Debug, Default)]
pub struct Veil {
    pub horizon: Arc<Horizon>,
    pub erasures: Vec<Arc<Erasure>>,
}

impl Veil {
    /// Hides nothing, whatever there is.
    pub fn is_clear(&self) -> bool {
        self.erasures.is_empty() && *self.horizon == Horizon::default()
    }

    /// False when nothing of the source is hidden; reads no column.
    pub fn may_hide_in(&self, source: &dyn ColumnSource) -> bool {
        self.horizon.may_hide_in(source) || self.erasures.iter().any(|erasure| erasure.may_hide_in(source))
    }

    /// The hidden rows, ascending.
    pub fn hidden_rows(&self, source: &dyn ColumnSource) -> Result<Vec<u32>, ColumnError> {
        if !self.may_hide_in(source) {
            return Ok(Vec::new());
        }
        let mut hidden = vec![false; source.rows()];
        self.horizon.mark(source, &mut hidden)?;
        for erasure in &self.erasures {
            for row in erasure.rows(source)? {
                if let Some(mark) = hidden.get_mut(row as usize) {
                    *mark = true;
                }
            }
        }
        Ok((0u32..).zip(hidden).filter(|(_, hidden)| *hidden).map(|(row, _)| row).collect())
    }

    pub fn hides_minute(&self, key: &MinuteKey) -> bool {
        self.horizon.hides_minute(key)
    }

    pub fn hides_letter(&self, number: u64, letter: &DeadLetter) -> bool {
        self.horizon.hides_letter(letter)
            || self.erasures.iter().any(|erasure| erasure.hides_letter(number, letter))
    }

    pub(crate) fn keeps_note(&self, note: &Note) -> bool {
        note.to >= self.horizon.kept_from(&note.service)
            && !self.erasures.iter().any(|erasure| erasure.hides_note(note))
    }

    /// What a block that is written from these sources and letters is written without, and how much of it each deletion
    /// takes.
    pub(crate) fn omitted<'a>(
        &self,
        sources: impl IntoIterator<Item = &'a dyn ColumnSource>,
        letters: &BTreeMap<u64, DeadLetter>,
    ) -> Result<(Omitted, BTreeMap<u64, u64>), ColumnError> {
        let (mut omitted, mut erased) = (Omitted::default(), BTreeMap::new());
        for source in sources {
            let rows = self.hidden_rows(source)?;
            if rows.is_empty() {
                continue;
            }
            let offsets = source.offset()?;
            omitted.offsets.extend(rows.iter().filter_map(|row| offsets.get(*row as usize)));
            for erasure in &self.erasures {
                let rows = erasure.rows(source)?.len() as u64;
                *erased.entry(erasure.id).or_default() += rows;
            }
        }
        omitted.offsets.sort_unstable();
        for (number, letter) in letters.iter().filter(|(number, letter)| self.hides_letter(**number, letter))
        {
            omitted.dead_letters.push(*number);
            for erasure in self.erasures.iter().filter(|erasure| erasure.hides_letter(*number, letter)) {
                *erased.entry(erasure.id).or_default() += 1;
            }
        }
        erased.retain(|_, count| *count > 0);
        Ok((omitted, erased))
    }
}

/// A source of which some rows may be hidden.
#[derive(Debug, Clone)]
pub struct Veiled {
    source: Arc<dyn ColumnSource>,
    veil: Arc<Veil>,
}

impl Veiled {
    pub fn new(source: Arc<dyn ColumnSource>, veil: Arc<Veil>) -> Veiled {
        Veiled { source, veil }
    }
}

type Read<'a, T> = Result<Column<'a, T>, ColumnError>;

#[deny(clippy::missing_trait_methods, reason = "what the source behind it can do better must not get lost")]
impl ColumnSource for Veiled {
    fn hidden(&self) -> Result<Vec<u32>, ColumnError> {
        self.veil.hidden_rows(self.source.as_ref())
    }

    fn partition(&self) -> PartitionId {
        self.source.partition()
    }

    fn rows(&self) -> usize {
        self.source.rows()
    }

    fn time_range(&self) -> (i64, i64) {
        self.source.time_range()
    }

    fn offset_range(&self) -> (u64, u64) {
        self.source.offset_range()
    }

    fn services(&self) -> &[String] {
        self.source.services()
    }

    fn service_runs(&self) -> Option<&[ServiceRun]> {
        self.source.service_runs()
    }

    fn level_mask(&self) -> u8 {
        self.source.level_mask()
    }

    fn may_hold_token(&self, token: &str) -> bool {
        self.source.may_hold_token(token)
    }

    fn field_names(&self) -> Vec<&str> {
        self.source.field_names()
    }

    fn may_hold_field(&self, name: &str) -> bool {
        self.source.may_hold_field(name)
    }

    fn may_hold_value(&self, name: &str, value: &str) -> bool {
        self.source.may_hold_value(name, value)
    }

    fn statistics(&self, column: ColumnName<'_>) -> Option<Vec<Statistics>> {
        self.source.statistics(column)
    }

    fn announce(&self, column: ColumnName<'_>) {
        self.source.announce(column);
    }

    fn announce_words(&self) {
        self.source.announce_words();
    }

    /// Of all rows, the hidden ones as well: who asks knows whether all are meant.
    fn remembered(
        &self,
        column: ColumnName<'_>,
        is_of_use: &dyn Fn(&WorkedOut) -> bool,
    ) -> Option<WorkedOut> {
        self.source.remembered(column, is_of_use)
    }

    fn remember(&self, column: ColumnName<'_>, worked_out: WorkedOut, bytes: usize) {
        self.source.remember(column, worked_out, bytes);
    }

    fn stored_bytes(&self, column: ColumnName<'_>) -> u64 {
        self.source.stored_bytes(column)
    }

    /// The source's own count what is hidden.
    fn minute_counts(&self) -> Result<Option<Arc<MinuteCounts>>, ColumnError> {
        Ok(None)
    }

    fn minute_latencies(&self) -> Result<Option<Arc<MinuteLatencies>>, ColumnError> {
        Ok(None)
    }

    fn service(&self) -> Read<'_, [u16]> {
        self.source.service()
    }

    fn timestamp(&self) -> Read<'_, [i64]> {
        self.source.timestamp()
    }

    fn level(&self) -> Read<'_, [u8]> {
        self.source.level()
    }

    fn message(&self) -> Result<Messages<'_>, ColumnError> {
        self.source.message()
    }

    fn latency_ms(&self) -> Read<'_, [f64]> {
        self.source.latency_ms()
    }

    fn offset(&self) -> Read<'_, [u64]> {
        self.source.offset()
    }

    fn anomaly_score(&self) -> Read<'_, [f32]> {
        self.source.anomaly_score()
    }

    fn anomalies(&self) -> Read<'_, [(u32, String)]> {
        self.source.anomalies()
    }

    fn field(&self, name: &str) -> Result<Vec<FieldView<'_>>, ColumnError> {
        self.source.field(name)
    }

    fn field_once(&self, name: &str) -> Result<Vec<FieldView<'_>>, ColumnError> {
        self.source.field_once(name)
    }

    fn picked_fields(
        &self,
        wanted: &dyn Fn(&str) -> bool,
        rows: &[usize],
    ) -> Result<Option<Vec<PickedField<'_>>>, ColumnError> {
        self.source.picked_fields(wanted, rows)
    }

    fn records(&self, rows: &[u32]) -> Result<Vec<Record>, ColumnError> {
        self.source.records(rows)
    }
}
