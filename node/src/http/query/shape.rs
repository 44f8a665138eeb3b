//! Answers as clients read them.

use insighthub_model::Record;
use insighthub_model::api::answer::Coverage;
use insighthub_model::api::query::QueryStats;
use insighthub_model::table::{Shown, Table, Value};
use insighthub_storage::query::pipeline::{Counts, Rows};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

/// Columns of records in CSV; their own fields stand behind them as one JSON object.
pub(super) const RECORD_COLUMNS: [&str; 9] = [
    "timestamp",
    "service",
    "level",
    "message",
    "latency_ms",
    "anomaly_score",
    "is_anomaly",
    "log_id",
    "fields",
];

/// The JSON answer.
pub(super) struct Shape<'a> {
    pub(super) rows: &'a Rows,
    pub(super) coverage: Coverage,
    pub(super) stats: QueryStats,
    pub(super) explain: Option<serde_json::Value>,
}

pub(super) fn stats_of(counts: &Counts, elapsed_ms: f64) -> QueryStats {
    QueryStats {
        scanned_records: counts.scanned_records,
        matched_records: counts.matched_records,
        matched_is_lower_bound: counts.matched_is_lower_bound,
        pruned_sources: counts.pruned_sources,
        elapsed_ms,
    }
}

impl Serialize for Shape<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.rows {
            Rows::Records(records) => map.serialize_entry("records", records)?,
            Rows::Table(table) => {
                map.serialize_entry("columns", &table.columns)?;
                map.serialize_entry("rows", &ShownRows(&table.rows))?;
            }
        }
        map.serialize_entry("coverage", &self.coverage)?;
        map.serialize_entry("stats", &self.stats)?;
        if let Some(explain) = &self.explain {
            map.serialize_entry("explain", explain)?;
        }
        map.end()
    }
}

struct ShownRows<'a>(&'a [Vec<Value>]);

impl Serialize for ShownRows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rows = serializer.serialize_seq(Some(self.0.len()))?;
        for row in self.0 {
            rows.serialize_element(&ShownCells(row))?;
        }
        rows.end()
    }
}

struct ShownCells<'a>(&'a [Value]);

impl Serialize for ShownCells<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Shown))
    }
}

struct ShownRow<'a>(&'a [String], &'a [Value]);

impl Serialize for ShownRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (column, value) in self.0.iter().zip(self.1) {
            map.serialize_entry(column, &Shown(value))?;
        }
        map.end()
    }
}

/// One object a line.
pub(super) fn ndjson(rows: &Rows) -> Vec<u8> {
    let mut lines = Vec::new();
    for object in objects(rows) {
        lines.extend_from_slice(&object);
        lines.push(b'\n');
    }
    lines
}

/// Each row as a JSON object.
pub(super) fn objects(rows: &Rows) -> Vec<Vec<u8>> {
    let shown = |row: serde_json::Result<Vec<u8>>| {
        row.inspect_err(|error| tracing::error!(%error, "a row cannot be shown")).ok()
    };
    match rows {
        Rows::Records(records) => {
            records.iter().filter_map(|record| shown(serde_json::to_vec(record))).collect()
        }
        Rows::Table(Table { columns, rows }) => {
            rows.iter().filter_map(|row| shown(serde_json::to_vec(&ShownRow(columns, row)))).collect()
        }
    }
}

/// The first line of comma-separated values (RFC 4180): names.
pub(super) fn csv_head(rows: &Rows) -> Vec<u8> {
    let mut text = Vec::new();
    match rows {
        Rows::Records(_) => csv_line(RECORD_COLUMNS.iter().copied().map(str::to_owned), &mut text),
        Rows::Table(table) => csv_line(table.columns.iter().cloned(), &mut text),
    }
    text
}

pub(super) fn csv_rows(rows: &Rows, text: &mut Vec<u8>) {
    match rows {
        Rows::Records(records) => records.iter().for_each(|record| csv_line(record_cells(record), text)),
        Rows::Table(table) => table.rows.iter().for_each(|row| csv_line(row.iter().map(plain), text)),
    }
}

fn record_cells(record: &Record) -> impl Iterator<Item = String> {
    let fields: serde_json::Map<String, serde_json::Value> = record
        .fields
        .iter()
        .filter_map(|(name, value)| {
            let value = Value::from(value.clone());
            Some((name.clone(), serde_json::to_value(Shown(&value)).ok()?))
        })
        .collect();
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    [
        record.timestamp.to_string(),
        record.service.clone(),
        record.level.to_string(),
        record.message.clone(),
        number(record.latency_ms),
        number(record.anomaly_score.map(f64::from)),
        record.is_anomaly.to_string(),
        record.log_id.to_string(),
        serde_json::Value::Object(fields).to_string(),
    ]
    .into_iter()
}

fn plain(value: &Value) -> String {
    match value {
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Text(text) | Value::Json(text) => text.clone(),
        Value::Time(moment) => moment.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Null => String::new(),
    }
}

fn csv_line(cells: impl Iterator<Item = String>, text: &mut Vec<u8>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            text.push(b',');
        }
        // A cell that a spreadsheet would run as a formula is text.
        let is_formula = cell.starts_with(['=', '+', '@', '\t'])
            || (cell.starts_with('-') && cell.parse::<f64>().is_err());
        let guard = if is_formula { "'" } else { "" };
        if is_formula || cell.contains([',', '"', '\n', '\r']) {
            text.extend_from_slice(format!("\"{guard}{}\"", cell.replace('"', "\"\"")).as_bytes());
        } else {
            text.extend_from_slice(cell.as_bytes());
        }
    }
    text.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_where_it_must_be() {
        let mut text = Vec::new();
        let cells = ["a", "b,c", "say \"hi\"", "two\nlines", "=1+1", "-5", "-x"];
        csv_line(cells.into_iter().map(str::to_owned), &mut text);
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "a,\"b,c\",\"say \"\"hi\"\"\",\"two\nlines\",\"'=1+1\",-5,\"'-x\"\r\n"
        );
    }

    #[test]
    fn a_table_is_shown_in_each_form() {
        let columns = vec!["service".to_owned(), "n".to_owned()];
        let rows = Rows::Table(Table {
            columns,
            rows: vec![vec![Value::Text("api".into()), Value::Int(3)], vec![Value::Null, Value::Float(0.5)]],
        });
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        assert_eq!(text(ndjson(&rows)), "{\"service\":\"api\",\"n\":3}\n{\"service\":null,\"n\":0.5}\n");
        let mut csv = csv_head(&rows);
        csv_rows(&rows, &mut csv);
        assert_eq!(text(csv), "service,n\r\napi,3\r\n,0.5\r\n");
    }
}
