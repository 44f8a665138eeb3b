//! The fields of records: who has them, of which types, with which values.

use std::collections::BTreeMap;

use insighthub_model::Level;
use insighthub_model::api::fields::FieldType;
use insighthub_model::limits::FIELDS_SEEN_MAX;
use insighthub_model::query::system_field::NAMES as SYSTEM_FIELDS;
use serde::{Deserialize, Serialize};

use super::counted_columns::{column_of, take_in_column};
use super::value_counts::{Tally, ValueCounts};
use crate::column_source::{Codes, ColumnError, ColumnSource, FieldView, Texts, Values};
use crate::query::bitmap::Bitmap;
use crate::query::error::QueryError;
use crate::query::pipeline::cells::{self, Cell};

/// Memory of the values of one part, bytes.
const BYTES_MAX: usize = 128 << 20;
/// Fields that every record may have and whose values are worth counting; times, ids and messages hardly repeat.
const LISTED: [&str; 6] = ["service", "level", "is_anomaly", "anomaly_reason", "latency_ms", "anomaly_score"];

/// Which fields are looked into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WantedFields {
    /// None: all.
    pub names: Vec<String>,
    /// Different values of one field that are counted one by one.
    pub values_max: u32,
}

/// Fields by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FieldCounts {
    pub fields: BTreeMap<String, FieldSeen>,
}

/// One field.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FieldSeen {
    /// Records that have it.
    pub records: u64,
    /// Bit n: values of type n of `TYPES` occur.
    pub(super) types: u8,
    pub values: ValueCounts,
}

const TYPES: [FieldType; 6] =
    [FieldType::Bool, FieldType::Int, FieldType::Float, FieldType::Text, FieldType::Json, FieldType::Time];

impl FieldCounts {
    pub(super) fn take_in(
        &mut self,
        source: &dyn ColumnSource,
        rows: &Bitmap,
        wanted: &WantedFields,
    ) -> Result<(), QueryError> {
        let mut names: Vec<&str> = match wanted.names.as_slice() {
            [] => LISTED.into_iter().chain(source.field_names()).collect(),
            names => names.iter().map(String::as_str).collect(),
        };
        // A field has a column for each of its types.
        names.sort_unstable();
        names.dedup();
        let values_max = wanted.values_max as usize;
        let is_own = |name: &str| !SYSTEM_FIELDS.contains(&name) && names.binary_search(&name).is_ok();
        let count = rows.count();
        let are_all = count == source.rows();
        // Each of them would be seen; to look first costs the square of their number.
        if are_all && names.len() > FIELDS_SEEN_MAX + LISTED.len() {
            return Err(QueryError::TooManyFields { fields_max: FIELDS_SEEN_MAX });
        }
        let picked = match are_all {
            true => None,
            false => source.picked_fields(&is_own, &rows.iter().collect::<Vec<usize>>())?,
        };
        let all_picked = Bitmap::full(count);
        for (name, values) in picked.iter().flatten() {
            self.see(name, |seen| {
                seen.take_in_picked(values, &all_picked, values_max);
                Ok(())
            })?;
        }
        let read = |name: &&str| picked.is_none() || SYSTEM_FIELDS.contains(name);
        for name in names.into_iter().filter(read) {
            self.check_number()?;
            self.see(name, |seen| match column_of(name).filter(|_| are_all) {
                Some(column) => take_in_column(seen, source, (name, column), rows, values_max),
                None => seen.take_in(source, name, rows, values_max),
            })?;
        }
        self.check()
    }

    /// A field that no record has is not there.
    fn see(
        &mut self,
        name: &str,
        see: impl FnOnce(&mut FieldSeen) -> Result<(), ColumnError>,
    ) -> Result<(), ColumnError> {
        let mut seen = self.fields.remove(name).unwrap_or_default();
        see(&mut seen)?;
        if seen.records > 0 {
            self.fields.insert(name.to_owned(), seen);
        }
        Ok(())
    }

    pub(super) fn merge(&mut self, other: FieldCounts, wanted: &WantedFields) -> Result<(), QueryError> {
        for (name, part) in other.fields {
            let seen = self.fields.entry(name).or_default();
            seen.records += part.records;
            seen.types |= part.types;
            seen.values.merge(part.values, wanted.values_max as usize);
        }
        self.check()
    }

    fn check_number(&self) -> Result<(), QueryError> {
        if self.fields.len() > FIELDS_SEEN_MAX {
            return Err(QueryError::TooManyFields { fields_max: FIELDS_SEEN_MAX });
        }
        Ok(())
    }

    fn check(&self) -> Result<(), QueryError> {
        self.check_number()?;
        if self.fields.values().map(|seen| seen.values.bytes_held()).sum::<usize>() > BYTES_MAX {
            return Err(QueryError::TooMuchMemory { bytes_max: BYTES_MAX });
        }
        Ok(())
    }
}

impl FieldSeen {
    /// In the order of [`FieldType`].
    pub fn types(&self) -> Vec<FieldType> {
        TYPES
            .into_iter()
            .enumerate()
            .filter(|(at, _)| self.types >> at & 1 == 1)
            .map(|(_, kind)| kind)
            .collect()
    }

    fn take_in_picked(&mut self, values: &FieldView<'_>, all: &Bitmap, values_max: usize) {
        let mut tally = Tally::new(&self.values);
        tally_view(values, Chosen { rows: all, are_all: true }, &mut self.types, &mut tally);
        self.records += tally.records;
        tally.move_into(&mut self.values, values_max);
    }

    pub(super) fn take_in(
        &mut self,
        source: &dyn ColumnSource,
        name: &str,
        rows: &Bitmap,
        values_max: usize,
    ) -> Result<(), ColumnError> {
        let mut tally = Tally::new(&self.values);
        let types = &mut self.types;
        match name {
            "service" => {
                let (services, codes) = (source.services(), source.service()?);
                let service = |code: usize| services.get(code).map(|service| Cell::Text(service));
                let of_row = |row: usize| codes.get(row).map(|code| usize::from(*code));
                tally_codes(services.len(), rows.iter().filter_map(of_row), service, types, &mut tally);
            }
            "level" => {
                let levels = source.level()?;
                let level = |code: usize| Level::from_number(code as u8).map(Cell::Level);
                let of_row = |row: usize| levels.get(row).map(|level| usize::from(*level));
                tally_codes(Level::ALL.len(), rows.iter().filter_map(of_row), level, types, &mut tally);
            }
            "is_anomaly" => {
                let anomalies = source.anomalies()?;
                let odd = anomalies.iter().filter(|(row, _)| rows.contains(*row as usize)).count();
                let counts = [(false, rows.count() - odd), (true, odd)];
                for (value, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
                    *types |= type_bit(Cell::Bool(value));
                    tally.add(Cell::Bool(value), count as u64);
                }
            }
            own if !SYSTEM_FIELDS.contains(&own) => {
                let chosen = Chosen { rows, are_all: rows.count() == source.rows() };
                let views = match chosen.are_all && source.may_hold_field(own) {
                    true => source.field_once(own)?,
                    false => cells::own_columns(source, own)?,
                };
                for view in views {
                    tally_view(&view, chosen, types, &mut tally);
                }
            }
            system => cells::visit(source, system, rows, &mut |_, cell| {
                *types |= type_bit(cell);
                tally.add(cell, 1);
            })?,
        }
        self.records += tally.records;
        tally.move_into(&mut self.values, values_max);
        Ok(())
    }
}

/// Rows of a source.
#[derive(Clone, Copy)]
struct Chosen<'a> {
    rows: &'a Bitmap,
    /// They are all there are, and none need be asked about.
    are_all: bool,
}

impl Chosen<'_> {
    fn contains(self, row: usize) -> bool {
        self.are_all || self.rows.contains(row)
    }
}

fn tally_view(view: &FieldView<'_>, chosen: Chosen<'_>, types: &mut u8, tally: &mut Tally) {
    if let Values::Text(texts) = &view.values
        && let Some(Codes { values, codes }) = texts.codes()
    {
        // Each different text is looked at once.
        let text = |code: usize| Some(Cell::Text(values.get(code)));
        if chosen.are_all {
            return tally_codes(values.len(), codes.iter().map(|code| *code as usize), text, types, tally);
        }
        let wanted = view.rows.iter().zip(codes).filter(|(row, _)| chosen.contains(*row));
        return tally_codes(values.len(), wanted.map(|(_, code)| *code as usize), text, types, tally);
    }
    if let Values::Text(Texts::Printed(printed)) = &view.values {
        let places = view.rows.iter().enumerate().filter(|(_, row)| chosen.contains(*row));
        let before = tally.records;
        places.for_each(|(at, _)| tally.add_printed(printed, at));
        *types |= if tally.records > before { type_bit(Cell::Text("")) } else { 0 };
        return;
    }
    cells::visit_view(view, chosen.rows, &mut |_, cell| {
        *types |= type_bit(cell);
        tally.add(cell, 1);
    });
}

fn tally_codes<'a>(
    codes: usize,
    of_rows: impl Iterator<Item = usize>,
    cell: impl Fn(usize) -> Option<Cell<'a>>,
    types: &mut u8,
    tally: &mut Tally,
) {
    let mut counts = vec![0; codes];
    for code in of_rows {
        if let Some(count) = counts.get_mut(code) {
            *count += 1;
        }
    }
    for (code, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
        if let Some(cell) = cell(code) {
            *types |= type_bit(cell);
            tally.add(cell, count);
        }
    }
}

fn type_bit(cell: Cell<'_>) -> u8 {
    let kind = match cell {
        Cell::Bool(_) => FieldType::Bool,
        Cell::Int(_) => FieldType::Int,
        Cell::Float(_) => FieldType::Float,
        Cell::Text(_) | Cell::Level(_) | Cell::Id(_) => FieldType::Text,
        Cell::Json(_) => FieldType::Json,
        Cell::Time(_) => FieldType::Time,
    };
    1 << kind as u8
}
