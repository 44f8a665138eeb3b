//! Rows as the bytes of a file, part by part: what stands before the first, between them and behind the last.

use insighthub_storage::query::pipeline::Rows;

use super::parquet_file::{ParquetFile, Types};
use super::{Format, shape};
use crate::http::ApiError;

/// A file on its way.
pub(super) struct Written {
    format: Format,
    /// Something stands before the next row.
    is_begun: bool,
    has_rows: bool,
    /// Of the format that needs more than the row before.
    parquet: Option<ParquetFile>,
}

impl Written {
    pub(super) fn new(format: Format) -> Written {
        Written { format, is_begun: false, has_rows: false, parquet: None }
    }

    /// All of a file whose rows are there.
    pub(super) fn whole(format: Format, rows: &Rows) -> Result<Vec<u8>, ApiError> {
        let mut written = Written::new(format);
        if format == Format::Parquet {
            written.parquet = Some(ParquetFile::new(rows, Types::OfValues).map_err(internal)?);
        }
        let mut bytes = written.part(rows)?;
        bytes.extend(written.end()?);
        Ok(bytes)
    }

    /// The next rows. The first part has the head, whether or not it has rows.
    pub(super) fn part(&mut self, rows: &Rows) -> Result<Vec<u8>, ApiError> {
        let is_first = !std::mem::replace(&mut self.is_begun, true);
        match self.format {
            Format::Ndjson => Ok(shape::ndjson(rows)),
            Format::Csv => {
                let mut text = if is_first { shape::csv_head(rows) } else { Vec::new() };
                shape::csv_rows(rows, &mut text);
                Ok(text)
            }
            Format::Json => {
                let mut text = if is_first { b"[".to_vec() } else { Vec::new() };
                for object in shape::objects(rows) {
                    let has_rows = std::mem::replace(&mut self.has_rows, true);
                    text.extend_from_slice(if has_rows { b",\n" } else { b"\n" });
                    text.extend_from_slice(&object);
                }
                Ok(text)
            }
            Format::Parquet => self.parquet_part(rows).map_err(internal),
        }
    }

    fn parquet_part(&mut self, rows: &Rows) -> parquet::errors::Result<Vec<u8>> {
        match &mut self.parquet {
            Some(file) => file.part(rows),
            None => self.parquet.insert(ParquetFile::new(rows, Types::OfNames)?).part(rows),
        }
    }

    /// What stands behind the last row: without it the file is not whole.
    pub(super) fn end(self) -> Result<Vec<u8>, ApiError> {
        match (self.format, self.parquet) {
            (Format::Json, _) => Ok(b"\n]\n".to_vec()),
            (_, Some(file)) => file.end().map_err(internal),
            _ => Ok(Vec::new()),
        }
    }
}

fn internal(error: parquet::errors::ParquetError) -> ApiError {
    ApiError::internal(&error)
}

#[cfg(test)]
mod tests {
    use insighthub_model::table::{Table, Value};

    use super::*;

    fn file(format: Format, parts: &[&[i64]]) -> String {
        let mut written = Written::new(format);
        let table = |rows: &&[i64]| {
            let rows = rows.iter().map(|number| vec![Value::Int(*number)]).collect();
            Rows::Table(Table { columns: vec!["n".to_owned()], rows })
        };
        let mut text: Vec<u8> = parts.iter().flat_map(|rows| written.part(&table(rows)).unwrap()).collect();
        text.extend(written.end().unwrap());
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn parts_make_one_file() {
        let parts: [&[i64]; 3] = [&[1, 2], &[], &[3]];
        assert_eq!(file(Format::Csv, &parts), "n\r\n1\r\n2\r\n3\r\n");
        assert_eq!(file(Format::Ndjson, &parts), "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
        let array: serde_json::Value = serde_json::from_str(&file(Format::Json, &parts)).unwrap();
        assert_eq!(array, serde_json::json!([{ "n": 1 }, { "n": 2 }, { "n": 3 }]));
    }

    #[test]
    fn a_file_without_rows_is_one_as_well() {
        assert_eq!(file(Format::Csv, &[&[]]), "n\r\n");
        assert_eq!(file(Format::Ndjson, &[&[]]), "");
        let array: serde_json::Value = serde_json::from_str(&file(Format::Json, &[&[]])).unwrap();
        assert_eq!(array, serde_json::json!([]));
    }
}
