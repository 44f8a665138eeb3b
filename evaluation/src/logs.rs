//! Runs the service detectors over a file of records in event order, as a node does over what it commits: records first,
//! then the clock, which is the newest event time seen. Nothing is read ahead; memory is one slice and the detectors.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead};
use std::sync::Arc;

use insighthub_detect::scorer::RowScores;
use insighthub_detect::service::{ServiceDetector, TickScores};
use insighthub_detect::template::{MaskError, Masks};
use insighthub_model::batch::{BatchBuilder, FixedFields};
use insighthub_model::timestamp::NANOS_PER_SEC;
use insighthub_model::{Level, RecordBatch, Timestamp};

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

/// Reads a line as a batch of one record, or says why it is none: the parser of a node, which this crate does not know.
pub type Parse<'a> = &'a dyn Fn(&str) -> Result<RecordBatch, String>;

/// The detectors of all services of a file.
pub struct Runner<'a> {
    parse: Parse<'a>,
    masks: Arc<Masks>,
    detectors: BTreeMap<String, ServiceDetector>,
    builder: BatchBuilder,
    slice: i64,
    now: i64,
    records: u64,
    scores: RowScores,
    ticks: TickScores,
}

impl fmt::Debug for Runner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Runner of {} services after {} records", self.detectors.len(), self.records)
    }
}

impl<'a> Runner<'a> {
    /// Detectors of services never seen; messages are looked at through `masks`, regular expressions, first.
    pub fn new(parse: Parse<'a>, masks: &[String]) -> Result<Runner<'a>, MaskError> {
        Ok(Runner {
            parse,
            masks: Arc::new(Masks::new(masks)?),
            detectors: BTreeMap::new(),
            builder: BatchBuilder::default(),
            slice: 0,
            now: 0,
            records: 0,
            scores: RowScores::default(),
            ticks: TickScores::default(),
        })
    }

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
        let parsed = (self.parse)(line.trim()).map_err(|error| LogsError::Record { line: number, error })?;
        let (Some(nanos), Some(level)) = (parsed.timestamp.first(), parsed.level.first()) else {
            return Err(LogsError::Record { line: number, error: "no record".to_owned() });
        };
        let timestamp = Timestamp(*nanos);
        let slice = timestamp.0.div_euclid(SLICE_NANOS);
        if slice > self.slice || self.builder.len() >= SLICE_RECORDS_MAX {
            self.fold(sink)?;
            self.tick(sink)?;
            self.slice = self.slice.max(slice);
        }
        self.now = self.now.max(timestamp.0);
        self.builder.record().finish(FixedFields {
            service: parsed.service_of(0),
            timestamp,
            level: Level::from_number(*level).unwrap_or(Level::Info),
            message: parsed.message.get(0),
            latency_ms: parsed.latency_ms.first().copied().filter(|ms| ms.is_finite()),
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
            let detector = self.detectors.entry(service.clone()).or_insert_with(|| {
                let mut detector = ServiceDetector::new(service);
                detector.set_masks(&self.masks);
                detector
            });
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
