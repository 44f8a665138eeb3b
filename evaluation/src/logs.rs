//! Runs the service detectors over a file of records in event order, as a node does over what it commits: records first,
//! then the clock, which is the newest event time seen. Nothing is read ahead; memory is one slice and the detectors.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use insighthub_detect::scorer::RowScores;
use insighthub_detect::service::{ServiceDetector, TickScores};
use insighthub_model::batch::{BatchBuilder, FixedFields};
use insighthub_model::timestamp::NANOS_PER_SEC;
use insighthub_model::{Level, RecordBatch, Timestamp};
use serde::Deserialize;

/// The clock ticks at least this often in event time, and a slice holds at most so many records.
const SLICE_NANOS: i64 = 10 * NANOS_PER_SEC;
const SLICE_RECORDS_MAX: usize = 4_096;

/// Takes what the detectors say, in order.
pub trait Sink {
    /// The scores of one service's `rows` of a slice; `first_line` is the line number of row 0.
    fn records(&mut self, slice: &Slice<'_>, scores: &RowScores) -> io::Result<()>;
    /// What a tick said of a service.
    fn tick(&mut self, service: &str, scores: &TickScores) -> io::Result<()>;
}

/// One service's rows of a slice.
#[derive(Debug, Clone, Copy)]
pub struct Slice<'a> {
    pub service: &'a str,
    pub batch: &'a RecordBatch,
    pub rows: &'a [u32],
    /// Row 0's number in the file, from 0.
    pub first_record: u64,
}

/// A file of records that cannot be scored.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    #[error("line {line}: {error}")]
    Record { line: u64, error: String },
    #[error("{0}")]
    Io(#[from] io::Error),
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    timestamp: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    service: std::borrow::Cow<'a, str>,
    #[serde(borrow, default)]
    level: std::borrow::Cow<'a, str>,
    #[serde(borrow, default)]
    message: std::borrow::Cow<'a, str>,
    #[serde(default)]
    latency_ms: Option<f64>,
}

/// The detectors of all services of a file.
#[derive(Debug, Default)]
pub struct Runner {
    detectors: BTreeMap<String, ServiceDetector>,
    builder: BatchBuilder,
    slice: i64,
    now: i64,
    records: u64,
    scores: RowScores,
    ticks: TickScores,
}

impl Runner {
    /// Reads all records; `progress` hears their number now and then.
    pub fn run(
        &mut self,
        mut lines: impl BufRead,
        sink: &mut impl Sink,
        mut progress: impl FnMut(u64),
    ) -> Result<u64, LogsError> {
        const PROGRESS_RECORDS: u64 = 100_000;
        let (mut line, mut number) = (String::new(), 0);
        while lines.read_line(&mut line)? > 0 {
            number += 1;
            if !line.trim().is_empty() {
                self.push(&line, number, sink)?;
                if (self.records + self.builder.len() as u64).is_multiple_of(PROGRESS_RECORDS) {
                    progress(self.records + self.builder.len() as u64);
                }
            }
            line.clear();
        }
        self.fold(sink)?;
        // The last windows close when nothing more can come.
        self.now += 60 * NANOS_PER_SEC;
        self.tick(sink)?;
        Ok(self.records)
    }

    fn push(&mut self, line: &str, number: u64, sink: &mut impl Sink) -> Result<(), LogsError> {
        let fail = |error: String| LogsError::Record { line: number, error };
        let parsed: Line<'_> = serde_json::from_str(line).map_err(|error| fail(error.to_string()))?;
        let timestamp = Timestamp::parse(&parsed.timestamp).map_err(|error| fail(error.to_string()))?;
        let slice = timestamp.0.div_euclid(SLICE_NANOS);
        if slice > self.slice || self.builder.len() >= SLICE_RECORDS_MAX {
            self.fold(sink)?;
            self.tick(sink)?;
            self.slice = self.slice.max(slice);
        }
        self.now = self.now.max(timestamp.0);
        self.builder.record().finish(FixedFields {
            service: &parsed.service,
            timestamp,
            level: parsed.level.parse().unwrap_or(Level::Info),
            message: &parsed.message,
            latency_ms: parsed.latency_ms,
            raw_bytes: line.len(),
        });
        Ok(())
    }

    fn fold(&mut self, sink: &mut impl Sink) -> io::Result<()> {
        let batch = self.builder.take();
        let mut rows_of: Vec<Vec<u32>> = vec![Vec::new(); batch.services.len()];
        for (row, service) in (0..).zip(&batch.service) {
            if let Some(rows) = rows_of.get_mut(usize::from(*service)) {
                rows.push(row);
            }
        }
        for (service, rows) in batch.services.iter().zip(&rows_of) {
            let detector =
                self.detectors.entry(service.clone()).or_insert_with(|| ServiceDetector::new(service));
            self.scores.scores.clear();
            self.scores.anomalies.clear();
            detector.fold(&batch, rows, self.records, &batch.timestamp, &mut self.scores);
            let slice = Slice { service, batch: &batch, rows, first_record: self.records };
            sink.records(&slice, &self.scores)?;
        }
        self.records += batch.len() as u64;
        Ok(())
    }

    fn tick(&mut self, sink: &mut impl Sink) -> io::Result<()> {
        for (service, detector) in &mut self.detectors {
            self.ticks.clear();
            detector.tick(Timestamp(self.now), &mut self.ticks);
            sink.tick(service, &self.ticks)?;
        }
        Ok(())
    }

    /// The detectors, by service.
    pub fn detectors(&self) -> &BTreeMap<String, ServiceDetector> {
        &self.detectors
    }
}
