//! A source that takes note of which columns are asked for, and remembers what is asked for again and again.

use std::sync::{Arc, OnceLock};

use insighthub_model::{PartitionId, Record};
use parking_lot::Mutex;

use super::budget::Spending;
use super::effort::PrunedBy;
use super::filter::Filter;
use crate::column_source::{
    Column, ColumnError, ColumnName, ColumnSource, FieldView, Messages, MinuteCounts, MinuteLatencies,
    PickedField, ServiceRun, Statistics, TemplatedMessages, Templates, Texts, Variables, WorkedOut,
};

type Read<'a, T> = Result<Column<'a, T>, ColumnError>;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Watched<'a> {
    source: &'a dyn ColumnSource,
    spending: &'a Spending<'a>,
    /// Templates whose variables were asked for, ascending. They are counted once, together.
    variables_noted: Mutex<Vec<u32>>,
    /// It lies on a disk.
    is_stored: bool,
    ruled_out: OnceLock<Option<PrunedBy>>,
}

impl<'a> Watched<'a> {
    /// All of them; sources without rows have nothing to say.
    pub(super) fn all(sources: &[&'a dyn ColumnSource], spending: &'a Spending<'a>) -> Vec<Watched<'a>> {
        let watched = |source: &&'a dyn ColumnSource| Watched {
            source: *source,
            spending,
            variables_noted: Mutex::default(),
            is_stored: source.stored_bytes(ColumnName::Records) > 0,
            ruled_out: OnceLock::new(),
        };
        sources.iter().filter(|source| source.rows() > 0).map(watched).collect()
    }

    fn note(&self, column: ColumnName<'_>) {
        self.spending.read(self.source, column);
        if self.is_stored {
            self.spending.asked.note(column);
        }
    }

    pub(super) fn is_stored(&self) -> bool {
        self.is_stored
    }

    /// What says that no row is meant by the query's one filter, if anything does; asked of the source once.
    pub(super) fn ruled_out(&self, filter: &Filter) -> Option<PrunedBy> {
        *self.ruled_out.get_or_init(|| filter.ruled_out(self))
    }

    fn note_variables(&self, templates: &Templates, template: u32) {
        let is_first = {
            let mut noted = self.variables_noted.lock();
            match noted.binary_search(&template) {
                Ok(_) => return,
                Err(place) => noted.insert(place, template),
            }
            noted.len() == 1
        };
        if is_first {
            self.note(ColumnName::MessageVariables);
        }
        if self.is_stored {
            self.spending.asked.note_variables(templates.get(template).map_or(0, |template| template.rows));
        }
    }
}

impl Variables for Watched<'_> {
    fn variables(&self, templates: &Templates, template: u32) -> Result<Arc<[Texts<'static>]>, ColumnError> {
        self.note_variables(templates, template);
        match self.source.message()? {
            Messages::Templated(messages) => messages.variables.variables(templates, template),
            Messages::Plain(_) => Ok(Arc::new([])),
        }
    }

    fn variable(
        &self,
        templates: &Templates,
        template: u32,
        slot: usize,
    ) -> Result<Option<Texts<'static>>, ColumnError> {
        self.note_variables(templates, template);
        match self.source.message()? {
            Messages::Templated(messages) => messages.variables.variable(templates, template, slot),
            Messages::Plain(_) => Ok(None),
        }
    }
}

#[deny(clippy::missing_trait_methods, reason = "what the source behind it can do better must not get lost")]
impl ColumnSource for Watched<'_> {
    fn hidden(&self) -> Result<Vec<u32>, ColumnError> {
        self.source.hidden()
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

    fn remembered(
        &self,
        column: ColumnName<'_>,
        is_of_use: &dyn Fn(&WorkedOut) -> bool,
    ) -> Option<WorkedOut> {
        let remembered = self.source.remembered(column, is_of_use);
        if remembered.is_some() {
            // It costs what reading costs, so that the same question meets the same bound; but nothing is read.
            self.spending.read(self.source, column);
        }
        remembered
    }

    fn remember(&self, column: ColumnName<'_>, worked_out: WorkedOut, bytes: usize) {
        self.source.remember(column, worked_out, bytes);
    }

    fn stored_bytes(&self, column: ColumnName<'_>) -> u64 {
        self.source.stored_bytes(column)
    }

    fn minute_counts(&self) -> Result<Option<Arc<MinuteCounts>>, ColumnError> {
        let counts = self.source.minute_counts()?;
        if counts.is_some() {
            self.note(ColumnName::MinuteCounts);
        }
        Ok(counts)
    }

    fn minute_latencies(&self) -> Result<Option<Arc<MinuteLatencies>>, ColumnError> {
        let latencies = self.source.minute_latencies()?;
        if latencies.is_some() {
            self.note(ColumnName::MinuteLatencies);
        }
        Ok(latencies)
    }

    fn service(&self) -> Read<'_, [u16]> {
        self.source.service()
    }

    fn timestamp(&self) -> Read<'_, [i64]> {
        self.note(ColumnName::Timestamp);
        self.source.timestamp()
    }

    fn level(&self) -> Read<'_, [u8]> {
        self.note(ColumnName::Level);
        self.source.level()
    }

    fn message(&self) -> Result<Messages<'_>, ColumnError> {
        self.note(ColumnName::Message);
        Ok(match self.source.message()? {
            Messages::Plain(texts) => Messages::Plain(texts),
            Messages::Templated(TemplatedMessages { templates, codes, .. }) => {
                Messages::Templated(TemplatedMessages { templates, codes, variables: self })
            }
        })
    }

    fn latency_ms(&self) -> Read<'_, [f64]> {
        self.note(ColumnName::LatencyMs);
        self.source.latency_ms()
    }

    fn offset(&self) -> Read<'_, [u64]> {
        self.note(ColumnName::Offset);
        self.source.offset()
    }

    fn anomaly_score(&self) -> Read<'_, [f32]> {
        self.note(ColumnName::AnomalyScore);
        self.source.anomaly_score()
    }

    fn anomalies(&self) -> Read<'_, [(u32, String)]> {
        self.note(ColumnName::Anomalies);
        self.source.anomalies()
    }

    fn field(&self, name: &str) -> Result<Vec<FieldView<'_>>, ColumnError> {
        self.note(ColumnName::Field(name));
        self.source.field(name)
    }

    fn field_once(&self, name: &str) -> Result<Vec<FieldView<'_>>, ColumnError> {
        self.note(ColumnName::Field(name));
        self.source.field_once(name)
    }

    fn picked_fields(
        &self,
        wanted: &dyn Fn(&str) -> bool,
        rows: &[usize],
    ) -> Result<Option<Vec<PickedField<'_>>>, ColumnError> {
        let fields = self.source.picked_fields(wanted, rows)?;
        fields.iter().flatten().for_each(|(name, _)| self.note(ColumnName::Field(name)));
        Ok(fields)
    }

    fn records(&self, rows: &[u32]) -> Result<Vec<Record>, ColumnError> {
        self.note(ColumnName::Records);
        self.source.records(rows)
    }
}
