//! The bytes of a batch: each column as one run of little-endian values, uncompressed.
//!
//! Layout, version 2: version u8, rows u32, services (count u16, texts), service u16 each, timestamp
//! i64 each, level u8 each, messages, latency f64 each, field columns (count u16; name, kind u8, count
//! u32, rows u32 each unless dense, values), keys (u8: whether there are any; u128 each). A text column is
//! its lengths u32 each, then the bytes. The caller compresses, checks and bounds the whole.

use super::{FieldColumn, FieldKind, FieldValues, RecordBatch, TextColumn};
use crate::Level;
use crate::limits::{CHUNK_COLUMNS_MAX, CHUNK_RECORDS_MAX};

const VERSION: u8 = 2;

/// Bytes that are no batch: damage, or a format of another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BatchDecodeError {
    #[error("the batch ends in the middle of {0}")]
    Truncated(&'static str),
    #[error("the batch has format version {0}, this program reads version {VERSION}")]
    Version(u8),
    #[error("the batch holds an invalid {0}")]
    Invalid(&'static str),
}

type Decoded<T> = Result<T, BatchDecodeError>;

/// The bytes of a batch.
pub fn encode(batch: &RecordBatch) -> Vec<u8> {
    let mut out = Vec::with_capacity(batch.bytes_held() + 256);
    out.push(VERSION);
    put_u32(&mut out, batch.len() as u32);
    put_u16(&mut out, batch.services.len() as u16);
    for service in &batch.services {
        put_text(&mut out, service);
    }
    put_values(&mut out, &batch.service, u16::to_le_bytes);
    put_values(&mut out, &batch.timestamp, i64::to_le_bytes);
    out.extend_from_slice(&batch.level);
    put_texts(&mut out, &batch.message);
    put_values(&mut out, &batch.latency_ms, f64::to_le_bytes);
    put_u16(&mut out, batch.fields.len() as u16);
    for column in &batch.fields {
        put_field(&mut out, column, batch.len());
    }
    out.push(u8::from(!batch.keys.is_empty()));
    put_values(&mut out, &batch.keys, u128::to_le_bytes);
    out
}

/// The batch of [`encode`]'s bytes. Holds what it promises for any input: bounded memory, no panic.
pub fn decode(bytes: &[u8]) -> Decoded<RecordBatch> {
    let mut reader = Reader { rest: bytes };
    let version = reader.u8("version")?;
    if version != VERSION {
        return Err(BatchDecodeError::Version(version));
    }
    let rows = reader.u32("row count")? as usize;
    if rows > CHUNK_RECORDS_MAX {
        return Err(BatchDecodeError::Invalid("row count"));
    }
    let service_count = reader.u16("service count")?;
    let services = (0..service_count).map(|_| reader.text("service")).collect::<Decoded<Vec<_>>>()?;
    let batch = RecordBatch {
        services,
        service: reader.array(rows, "services", u16::from_le_bytes)?,
        timestamp: reader.array(rows, "timestamps", i64::from_le_bytes)?,
        level: reader.take(rows, "levels")?.to_vec(),
        message: reader.texts(rows, "messages")?,
        latency_ms: reader.array(rows, "latencies", f64::from_le_bytes)?,
        fields: reader.fields(rows)?,
        keys: reader.keys(rows)?,
    };
    if batch.level.iter().any(|level| Level::from_number(*level).is_none()) {
        return Err(BatchDecodeError::Invalid("level"));
    }
    if batch.service.iter().any(|service| usize::from(*service) >= batch.services.len()) {
        return Err(BatchDecodeError::Invalid("service index"));
    }
    if !reader.rest.is_empty() {
        return Err(BatchDecodeError::Invalid("tail"));
    }
    Ok(batch)
}

/// One by one into room that is there: a flattened iterator of bytes would be appended byte by byte.
fn put_values<T: Copy, const N: usize>(out: &mut Vec<u8>, values: &[T], bytes: fn(T) -> [u8; N]) {
    out.reserve(values.len() * N);
    for value in values {
        out.extend_from_slice(&bytes(*value));
    }
}

fn put_u16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put_u32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_u32(out, text.len() as u32);
    out.extend_from_slice(text.as_bytes());
}

fn put_texts(out: &mut Vec<u8>, texts: &TextColumn) {
    let mut before = 0;
    for end in texts.ends() {
        put_u32(out, end - before);
        before = *end;
    }
    out.extend_from_slice(texts.arena_text().as_bytes());
}

fn put_field(out: &mut Vec<u8>, column: &FieldColumn, rows: usize) {
    put_text(out, &column.name);
    out.push(column.values.kind() as u8);
    put_u32(out, column.rows.len() as u32);
    // A dense column names every row; its rows need not be written.
    if column.rows.len() != rows {
        put_values(out, &column.rows, u32::to_le_bytes);
    }
    match &column.values {
        FieldValues::Bool(values) => out.extend(values.iter().map(|value| u8::from(*value))),
        FieldValues::Int(values) => put_values(out, values, i64::to_le_bytes),
        FieldValues::Float(values) => put_values(out, values, f64::to_le_bytes),
        FieldValues::Text(values) | FieldValues::Json(values) => put_texts(out, values),
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize, what: &'static str) -> Decoded<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(BatchDecodeError::Truncated(what))?;
        self.rest = rest;
        Ok(taken)
    }

    fn u8(&mut self, what: &'static str) -> Decoded<u8> {
        self.take(1, what).map(|bytes| bytes.first().copied().unwrap_or(0))
    }

    fn u16(&mut self, what: &'static str) -> Decoded<u16> {
        self.array(1, what, u16::from_le_bytes).map(|values| values.first().copied().unwrap_or(0))
    }

    fn u32(&mut self, what: &'static str) -> Decoded<u32> {
        self.array(1, what, u32::from_le_bytes).map(|values| values.first().copied().unwrap_or(0))
    }

    fn array<const N: usize, T>(
        &mut self,
        count: usize,
        what: &'static str,
        read: fn([u8; N]) -> T,
    ) -> Decoded<Vec<T>> {
        let length = count.checked_mul(N).ok_or(BatchDecodeError::Invalid(what))?;
        let (values, _) = self.take(length, what)?.as_chunks::<N>();
        Ok(values.iter().map(|bytes| read(*bytes)).collect())
    }

    fn text(&mut self, what: &'static str) -> Decoded<String> {
        let length = self.u32(what)? as usize;
        let bytes = self.take(length, what)?.to_vec();
        String::from_utf8(bytes).map_err(|_| BatchDecodeError::Invalid(what))
    }

    fn texts(&mut self, count: usize, what: &'static str) -> Decoded<TextColumn> {
        let mut ends = self.array(count, what, u32::from_le_bytes)?;
        let mut end = 0u32;
        for length in &mut ends {
            end = end.checked_add(*length).ok_or(BatchDecodeError::Invalid(what))?;
            *length = end;
        }
        let bytes = self.take(end as usize, what)?.to_vec();
        let text = String::from_utf8(bytes).map_err(|_| BatchDecodeError::Invalid(what))?;
        TextColumn::from_parts(text, ends).ok_or(BatchDecodeError::Invalid(what))
    }

    fn fields(&mut self, rows: usize) -> Decoded<Vec<FieldColumn>> {
        let count = usize::from(self.u16("field count")?);
        if count > CHUNK_COLUMNS_MAX {
            return Err(BatchDecodeError::Invalid("field count"));
        }
        (0..count).map(|_| self.field(rows)).collect()
    }

    fn keys(&mut self, rows: usize) -> Decoded<Vec<u128>> {
        match self.u8("keys")? {
            0 => Ok(Vec::new()),
            1 => self.array(rows, "keys", u128::from_le_bytes),
            _ => Err(BatchDecodeError::Invalid("keys")),
        }
    }

    fn field(&mut self, rows: usize) -> Decoded<FieldColumn> {
        let name = self.text("field name")?;
        let kind = FieldKind::from_number(self.u8("field kind")?);
        let count = self.u32("value count")? as usize;
        if count > rows {
            return Err(BatchDecodeError::Invalid("value count"));
        }
        let present = match count == rows {
            true => (0..rows as u32).collect(),
            false => self.array(count, "field rows", u32::from_le_bytes)?,
        };
        let ascending = present.is_sorted_by(|a, b| a < b);
        if !ascending || present.last().is_some_and(|row| *row as usize >= rows) {
            return Err(BatchDecodeError::Invalid("field rows"));
        }
        let values = match kind.ok_or(BatchDecodeError::Invalid("field kind"))? {
            FieldKind::Bool => {
                FieldValues::Bool(self.take(count, "values")?.iter().map(|value| *value != 0).collect())
            }
            FieldKind::Int => FieldValues::Int(self.array(count, "values", i64::from_le_bytes)?),
            FieldKind::Float => FieldValues::Float(self.array(count, "values", f64::from_le_bytes)?),
            FieldKind::Text => FieldValues::Text(self.texts(count, "values")?),
            FieldKind::Json => FieldValues::Json(self.texts(count, "values")?),
        };
        Ok(FieldColumn { name, rows: present, values })
    }
}

#[cfg(test)]
mod tests {
    use super::super::builder::FixedFields;
    use super::*;
    use crate::Timestamp;
    use crate::batch::BatchBuilder;
    use proptest::prelude::*;

    /// service, timestamp, level, message, latency, an int where present, a text where present
    type Row = (u8, i64, u8, String, Option<f64>, Option<i64>, Option<String>);

    fn batch_of(rows: &[Row]) -> RecordBatch {
        let mut builder = BatchBuilder::default();
        for (service, timestamp, level, message, latency_ms, int, text) in rows {
            let mut record = builder.record();
            if let Some(int) = int {
                record.int("i", *int).unwrap();
                record.float("f", *int as f64 / 3.0).unwrap();
                record.bool("b", int % 2 == 0).unwrap();
            }
            if let Some(text) = text {
                record.text("i.t", text).unwrap();
                record.json("j", "[1]").unwrap();
                record.key(text.len() as u128);
            }
            record.finish(FixedFields {
                service: &format!("s{service}"),
                timestamp: Timestamp(*timestamp),
                level: Level::from_number(*level).unwrap(),
                message,
                latency_ms: *latency_ms,
                raw_bytes: 1,
            });
        }
        builder.take()
    }

    fn rows() -> impl Strategy<Value = Vec<Row>> {
        let row = (
            0u8..4,
            any::<i64>(),
            0u8..6,
            ".{0,20}",
            proptest::option::of(0.0..1e6),
            proptest::option::of(any::<i64>()),
            proptest::option::of(".{0,9}"),
        );
        proptest::collection::vec(row, 0..40)
    }

    /// NaN marks "no latency" and is equal to nothing, so batches are compared without it.
    fn comparable(mut batch: RecordBatch) -> (RecordBatch, Vec<u64>) {
        let latency = batch.latency_ms.drain(..).map(f64::to_bits).collect();
        (batch, latency)
    }

    proptest! {
        #[test]
        fn a_batch_reads_back_what_was_written(rows in rows()) {
            let batch = batch_of(&rows);
            let decoded = decode(&encode(&batch)).unwrap();
            prop_assert_eq!(comparable(decoded), comparable(batch));
        }

        #[test]
        fn damaged_bytes_never_panic(rows in rows(), at in any::<prop::sample::Index>(), flip in 1u8.., cut in any::<prop::sample::Index>()) {
            let mut bytes = encode(&batch_of(&rows));
            let place = at.index(bytes.len());
            bytes[place] ^= flip;
            if let Ok(batch) = decode(&bytes) {
                for row in 0..batch.len() {
                    let view = batch.view(row).unwrap();
                    prop_assert!(view.fields().count() <= batch.fields.len());
                }
            }
            let keep = cut.index(bytes.len());
            bytes.truncate(keep);
            prop_assert!(decode(&bytes).is_err());
        }
    }
}
