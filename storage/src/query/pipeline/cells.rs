//! The values of a field, row by row, whatever column they are in. The only place that knows how system fields
//! and a record's own fields are kept.

use insighthub_model::table::Value;
use insighthub_model::{Level, LogId, Timestamp};

use crate::column_source::{ColumnError, ColumnSource, FieldView, Texts, Values};
use crate::query::bitmap::Bitmap;

/// A value as it lies in its column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::query) enum Cell<'a> {
    Int(i64),
    Float(f64),
    Text(&'a str),
    Json(&'a str),
    Bool(bool),
    Time(i64),
    Level(Level),
    Id(LogId),
}

impl Cell<'_> {
    pub(in crate::query) fn to_value(self) -> Value {
        match self {
            Cell::Int(value) => Value::Int(value),
            Cell::Float(value) => Value::Float(value),
            Cell::Text(text) => Value::Text(text.to_owned()),
            Cell::Json(text) => Value::Json(text.to_owned()),
            Cell::Bool(value) => Value::Bool(value),
            Cell::Time(nanos) => Value::Time(Timestamp(nanos)),
            Cell::Level(level) => Value::Text(level.to_string()),
            Cell::Id(id) => Value::Text(id.to_string()),
        }
    }
}

/// Calls `visit` with each wanted row that has the field, in ascending order of rows within each type.
pub(in crate::query) fn visit(
    source: &dyn ColumnSource,
    name: &str,
    rows: &Bitmap,
    visit: &mut impl FnMut(usize, Cell<'_>),
) -> Result<(), ColumnError> {
    match name {
        "timestamp" => {
            let times = source.timestamp()?;
            each(rows, |row| times.get(row).map(|time| Cell::Time(*time)), visit);
        }
        "latency_ms" => {
            let values = source.latency_ms()?;
            each(
                rows,
                |row| values.get(row).filter(|value| !value.is_nan()).map(|value| Cell::Float(*value)),
                visit,
            );
        }
        "anomaly_score" => {
            let values = source.anomaly_score()?;
            let score = |row| values.get(row).filter(|value: &&f32| !value.is_nan());
            each(rows, |row| score(row).map(|value| Cell::Float(f64::from(*value))), visit);
        }
        "service" => {
            let (services, codes) = (source.services(), source.service()?);
            let service = |row| services.get(usize::from(*codes.get(row)?));
            each(rows, |row| service(row).map(|service| Cell::Text(service)), visit);
        }
        "level" => {
            let levels = source.level()?;
            each(
                rows,
                |row| levels.get(row).and_then(|level| Level::from_number(*level)).map(Cell::Level),
                visit,
            );
        }
        "message" => {
            source.message()?.for_each(rows.iter(), |row, text| visit(row, Cell::Text(text)))?;
        }
        "log_id" => {
            let (partition, offsets) = (source.partition(), source.offset()?);
            let id = |offset: &u64| Cell::Id(LogId { partition, offset: *offset });
            each(rows, |row| offsets.get(row).map(id), visit);
        }
        "is_anomaly" => {
            let anomalies = source.anomalies()?;
            let is_anomaly =
                |row: usize| anomalies.binary_search_by_key(&row, |(row, _)| *row as usize).is_ok();
            each(rows, |row| Some(Cell::Bool(is_anomaly(row))), visit);
        }
        "anomaly_reason" => {
            for (row, reason) in source.anomalies()?.iter() {
                if rows.contains(*row as usize) {
                    visit(*row as usize, Cell::Text(reason));
                }
            }
        }
        own => {
            for view in own_columns(source, own)? {
                visit_view(&view, rows, visit);
            }
        }
    }
    Ok(())
}

/// The columns of a record's own field, one for each type it has here.
pub(in crate::query) fn own_columns<'a>(
    source: &'a dyn ColumnSource,
    name: &str,
) -> Result<Vec<FieldView<'a>>, ColumnError> {
    if source.may_hold_field(name) { source.field(name) } else { Ok(Vec::new()) }
}

pub(in crate::query) fn visit_view(
    view: &FieldView<'_>,
    rows: &Bitmap,
    visit: &mut impl FnMut(usize, Cell<'_>),
) {
    let places = view.rows.iter().enumerate().filter(|(_, row)| rows.contains(*row));
    match &view.values {
        Values::Int(values) => places.for_each(|(at, row)| give(row, values.get(at), Cell::Int, visit)),
        Values::Float(values) => places.for_each(|(at, row)| give(row, values.get(at), Cell::Float, visit)),
        Values::Bool(values) => places.for_each(|(at, row)| give(row, values.get(at), Cell::Bool, visit)),
        Values::Text(texts) => visit_texts(texts, places, |row, text| visit(row, Cell::Text(text))),
        // An explicit null is as good as no value.
        Values::Json(texts) => visit_texts(texts, places, |row, text| {
            if text != "null" {
                visit(row, Cell::Json(text));
            }
        }),
    }
}

fn visit_texts(
    texts: &Texts<'_>,
    places: impl Iterator<Item = (usize, usize)>,
    mut visit: impl FnMut(usize, &str),
) {
    let mut scratch = String::new();
    places.for_each(|(at, row)| visit(row, texts.get(at, &mut scratch)));
}

fn give<T: Copy>(
    row: usize,
    value: Option<&T>,
    cell: impl Fn(T) -> Cell<'static>,
    visit: &mut impl FnMut(usize, Cell<'_>),
) {
    if let Some(value) = value {
        visit(row, cell(*value));
    }
}

fn each<'a>(
    rows: &Bitmap,
    cell: impl Fn(usize) -> Option<Cell<'a>>,
    visit: &mut impl FnMut(usize, Cell<'a>),
) {
    for row in rows.iter() {
        if let Some(cell) = cell(row) {
            visit(row, cell);
        }
    }
}
