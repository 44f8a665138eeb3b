//! Rows as a Parquet file, row group by row group: columns with types, in the order of the rows.
//!
//! Which columns there are and of what type is known before the first row, so that a file can begin before its end is
//! known: fixed fields have the types they always have, all others of a record are one JSON object, and where columns are
//! chosen by name each other field is text. A table that is whole has the types of its values.

use std::sync::Arc;

use insighthub_model::Record;
use insighthub_model::query::Number;
use insighthub_model::table::{Shown, Table, Value};
use insighthub_storage::query::pipeline::Rows;
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{ColumnPath, Type};

/// A row group is closed at so many rows, or bytes of text: what is held in memory.
const GROUP_ROWS: usize = 65_536;
const GROUP_BYTES: usize = 32 << 20;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Moment,
    /// Few different values: a dictionary is worth it.
    Name,
    Text,
    Json,
    Int,
    Float,
    Bool,
}

/// Columns of records, in this order.
const OF_RECORDS: [(&str, Kind); 11] = [
    ("timestamp", Kind::Moment),
    ("service", Kind::Name),
    ("level", Kind::Name),
    ("message", Kind::Text),
    ("latency_ms", Kind::Float),
    ("anomaly_score", Kind::Float),
    ("is_anomaly", Kind::Bool),
    ("anomaly_reason", Kind::Text),
    ("created_at", Kind::Moment),
    ("log_id", Kind::Text),
    ("fields", Kind::Json),
];

/// Values of one column that are not written yet, without those that are absent.
enum Cells {
    Texts(Vec<ByteArray>),
    /// Whole numbers, and moments in nanoseconds.
    Ints(Vec<i64>),
    Floats(Vec<f64>),
    Bools(Vec<bool>),
}

struct Column {
    kind: Kind,
    cells: Cells,
    /// 1 where a row has a value, 0 where it has none.
    levels: Vec<i16>,
}

/// A file that is being written.
pub(super) struct ParquetFile {
    writer: SerializedFileWriter<Vec<u8>>,
    columns: Vec<Column>,
    rows: usize,
    text_bytes: usize,
}

/// How the types of a table's columns are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Types {
    /// By their names: rows are yet to come.
    OfNames,
    /// By their values: all rows are there.
    OfValues,
}

impl ParquetFile {
    /// A file for rows like these, with none of them in it yet.
    pub(super) fn new(rows: &Rows, types: Types) -> Result<ParquetFile> {
        let kinds: Vec<(String, Kind)> = match rows {
            Rows::Records(_) => OF_RECORDS.map(|(name, kind)| (name.to_owned(), kind)).into(),
            Rows::Table(table) => kinds_of(table, types),
        };
        let fields: Result<Vec<_>> =
            kinds.iter().map(|(name, kind)| kind.field(name).map(Arc::new)).collect();
        let schema = Type::group_type_builder("logs").with_fields(fields?).build()?;
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
            .set_dictionary_enabled(false)
            .set_created_by(concat!("InsightHub ", env!("CARGO_PKG_VERSION")).to_owned());
        for (name, _) in kinds.iter().filter(|(_, kind)| *kind == Kind::Name) {
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(name.as_str()), true);
        }
        let writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties.build()))?;
        let columns = kinds.into_iter().map(|(_, kind)| Column::new(kind)).collect();
        Ok(ParquetFile { writer, columns, rows: 0, text_bytes: 0 })
    }

    /// Takes rows; answers what of the file is ready.
    pub(super) fn part(&mut self, rows: &Rows) -> Result<Vec<u8>> {
        match rows {
            Rows::Records(records) => {
                for record in records {
                    self.push(values_of(record))?;
                }
            }
            Rows::Table(table) => {
                for row in &table.rows {
                    self.push(row.iter().cloned())?;
                }
            }
        }
        self.take_ready()
    }

    /// Writes what is left; answers the rest of the file.
    pub(super) fn end(mut self) -> Result<Vec<u8>> {
        self.close_group()?;
        self.writer.into_inner()
    }

    fn push(&mut self, values: impl Iterator<Item = Value>) -> Result<()> {
        for (column, value) in self.columns.iter_mut().zip(values) {
            self.text_bytes += column.push(value);
        }
        self.rows += 1;
        if self.rows >= GROUP_ROWS || self.text_bytes >= GROUP_BYTES { self.close_group() } else { Ok(()) }
    }

    fn close_group(&mut self) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            if let Some(writer) = group.next_column()? {
                column.write(writer)?;
            }
        }
        group.close()?;
        (self.rows, self.text_bytes) = (0, 0);
        Ok(())
    }

    fn take_ready(&mut self) -> Result<Vec<u8>> {
        self.writer.flush()?;
        // The writer counts what it has written by itself; where that lies is ours.
        Ok(std::mem::take(self.writer.inner_mut()))
    }
}

impl Kind {
    fn field(self, name: &str) -> Result<Type> {
        let (physical, logical) = match self {
            Kind::Moment => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::NANOS))),
            Kind::Name | Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Kind::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
            Kind::Int => (Physical::INT64, None),
            Kind::Float => (Physical::DOUBLE, None),
            Kind::Bool => (Physical::BOOLEAN, None),
        };
        let field = Type::primitive_type_builder(name, physical).with_logical_type(logical);
        field.with_repetition(Repetition::OPTIONAL).build()
    }

    fn of(value: &Value) -> Option<Kind> {
        match value {
            Value::Int(_) => Some(Kind::Int),
            Value::Float(_) => Some(Kind::Float),
            Value::Bool(_) => Some(Kind::Bool),
            Value::Time(_) => Some(Kind::Moment),
            Value::Text(_) | Value::Json(_) => Some(Kind::Text),
            Value::Null => None,
        }
    }

    /// What holds both.
    fn and(self, other: Kind) -> Kind {
        match (self, other) {
            (one, other) if one == other => one,
            (Kind::Int, Kind::Float) | (Kind::Float, Kind::Int) => Kind::Float,
            _ => Kind::Text,
        }
    }
}

fn kinds_of(table: &Table, types: Types) -> Vec<(String, Kind)> {
    let by_name = |name: &str| OF_RECORDS.iter().find(|(fixed, _)| *fixed == name).map(|(_, kind)| *kind);
    let by_values = |column: usize| {
        let kinds = table.rows.iter().filter_map(|row| row.get(column).and_then(Kind::of));
        kinds.reduce(Kind::and).unwrap_or(Kind::Text)
    };
    let kind = |(column, name): (usize, &String)| match types {
        Types::OfNames => by_name(name).filter(|kind| *kind != Kind::Json).unwrap_or(Kind::Text),
        Types::OfValues => by_values(column),
    };
    table.columns.iter().enumerate().map(|column| (column.1.clone(), kind(column))).collect()
}

/// In the order of the columns of records.
fn values_of(record: &Record) -> impl Iterator<Item = Value> {
    let fields: serde_json::Map<String, serde_json::Value> = record
        .fields
        .iter()
        .filter_map(|(name, value)| {
            Some((name.clone(), serde_json::to_value(Shown(&Value::from(value.clone()))).ok()?))
        })
        .collect();
    let float = |value: Option<f64>| value.map_or(Value::Null, Value::Float);
    [
        Value::Time(record.timestamp),
        Value::Text(record.service.clone()),
        Value::Text(record.level.to_string()),
        Value::Text(record.message.clone()),
        float(record.latency_ms),
        float(record.anomaly_score.map(f64::from)),
        Value::Bool(record.is_anomaly),
        record.anomaly_reason.clone().map_or(Value::Null, Value::Text),
        Value::Time(record.created_at),
        Value::Text(record.log_id.to_string()),
        Value::Json(serde_json::Value::Object(fields).to_string()),
    ]
    .into_iter()
}

impl Column {
    fn new(kind: Kind) -> Column {
        let cells = match kind {
            Kind::Name | Kind::Text | Kind::Json => Cells::Texts(Vec::new()),
            Kind::Moment | Kind::Int => Cells::Ints(Vec::new()),
            Kind::Float => Cells::Floats(Vec::new()),
            Kind::Bool => Cells::Bools(Vec::new()),
        };
        Column { kind, cells, levels: Vec::new() }
    }

    /// Takes the value of the next row; answers the bytes of its text. What is of another type than the column is absent:
    /// that happens where a fixed field was made anew by a stage.
    fn push(&mut self, value: Value) -> usize {
        let mut bytes = 0;
        let is_there = match (&mut self.cells, value, self.kind) {
            (_, Value::Null, _) => false,
            (Cells::Texts(texts), value, _) => {
                let text = text_of(value);
                bytes = text.len();
                texts.push(ByteArray::from(text.into_bytes()));
                true
            }
            (Cells::Ints(ints), Value::Time(moment), Kind::Moment) => {
                ints.push(moment.0);
                true
            }
            (Cells::Ints(ints), Value::Int(value), Kind::Int) => {
                ints.push(value);
                true
            }
            (Cells::Floats(floats), value, _) => match value.as_number() {
                Some(number) => {
                    floats.push(match number {
                        Number::Int(value) => value as f64,
                        Number::Float(value) => value,
                    });
                    true
                }
                None => false,
            },
            (Cells::Bools(bools), Value::Bool(value), _) => {
                bools.push(value);
                true
            }
            _ => false,
        };
        self.levels.push(i16::from(is_there));
        bytes
    }

    fn write(&mut self, mut writer: SerializedColumnWriter<'_>) -> Result<()> {
        let levels = std::mem::take(&mut self.levels);
        let levels = Some(levels.as_slice());
        match &mut self.cells {
            Cells::Texts(cells) => {
                writer.typed::<ByteArrayType>().write_batch(cells, levels, None)?;
                cells.clear();
            }
            Cells::Ints(cells) => {
                writer.typed::<Int64Type>().write_batch(cells, levels, None)?;
                cells.clear();
            }
            Cells::Floats(cells) => {
                writer.typed::<DoubleType>().write_batch(cells, levels, None)?;
                cells.clear();
            }
            Cells::Bools(cells) => {
                writer.typed::<BoolType>().write_batch(cells, levels, None)?;
                cells.clear();
            }
        }
        writer.close()
    }
}

fn text_of(value: Value) -> String {
    match value {
        Value::Text(text) | Value::Json(text) => text,
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Bool(value) => value.to_string(),
        Value::Time(moment) => moment.to_string(),
        Value::Null => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use insighthub_model::Timestamp;
    use parquet::file::reader::{FileReader, SerializedFileReader};

    fn file(types: Types, parts: &[Table]) -> SerializedFileReader<Bytes> {
        let parts: Vec<Rows> = parts.iter().cloned().map(Rows::Table).collect();
        let mut file = ParquetFile::new(&parts[0], types).unwrap();
        let mut bytes: Vec<u8> = parts.iter().flat_map(|rows| file.part(rows).unwrap()).collect();
        bytes.extend(file.end().unwrap());
        SerializedFileReader::new(Bytes::from(bytes)).unwrap()
    }

    fn table(columns: &[&str], rows: Vec<Vec<Value>>) -> Table {
        Table { columns: columns.iter().map(|name| (*name).to_owned()).collect(), rows }
    }

    fn lines(reader: &SerializedFileReader<Bytes>) -> Vec<String> {
        reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect()
    }

    #[test]
    fn a_table_has_the_types_of_its_values() {
        let moment = Timestamp::parse("2026-01-31T10:00:00.000000001Z").unwrap();
        let rows = vec![
            vec![Value::Text("api".into()), Value::Int(3), Value::Int(1), Value::Time(moment), Value::Null],
            vec![Value::Null, Value::Int(4), Value::Float(0.5), Value::Time(moment), Value::Null],
        ];
        let reader = file(Types::OfValues, &[table(&["service", "n", "mixed", "at", "nothing"], rows)]);
        let columns: Vec<_> = reader
            .metadata()
            .file_metadata()
            .schema_descr()
            .columns()
            .iter()
            .map(|c| c.physical_type())
            .collect();
        let expected =
            [Physical::BYTE_ARRAY, Physical::INT64, Physical::DOUBLE, Physical::INT64, Physical::BYTE_ARRAY];
        assert_eq!(columns, expected);
        let lines = lines(&reader);
        assert!(lines[0].contains("n: 3") && lines[0].contains("mixed: 1.0"), "{lines:?}");
        assert!(lines[1].contains("service: null") && lines[1].contains("mixed: 0.5"), "{lines:?}");
    }

    #[test]
    fn a_file_that_is_written_in_parts_has_all_rows_in_row_groups() {
        let part = |from: i64| {
            let rows = (from..from + 30_000).map(|n| vec![Value::Int(n), Value::Float(1.5)]).collect();
            table(&["n", "latency_ms"], rows)
        };
        let reader = file(Types::OfNames, &[part(0), part(30_000), part(60_000)]);
        assert_eq!(reader.metadata().file_metadata().num_rows(), 90_000);
        assert_eq!(reader.num_row_groups(), 2);
        // By its name alone nobody knows what `n` holds.
        let last = lines(&reader).pop().unwrap();
        assert_eq!(last, "{n: \"89999\", latency_ms: 1.5}");
    }

    #[test]
    fn a_file_without_rows_is_one_as_well() {
        let reader = file(Types::OfNames, &[table(&["service"], Vec::new())]);
        assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
    }
}
