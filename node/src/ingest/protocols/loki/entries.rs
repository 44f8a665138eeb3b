//! A push laid out: its streams with their labels, and its entries in their order.

use std::ops::Range;

use insighthub_model::Timestamp;
use insighthub_model::limits::IngestLimits;

use crate::ingest::rejection::{Read, RecordError, RequestError};
use crate::ingest::scan_text::Text;

/// A push, as far as it could be read.
#[derive(Debug, Default)]
pub(super) struct Entries<'a> {
    /// Unescaped texts.
    pub arena: String,
    /// Labels and structured metadata.
    pairs: Vec<(Text<'a>, Text<'a>)>,
    /// The labels of each stream, in `pairs`.
    streams: Vec<Range<usize>>,
    pub list: Vec<Entry<'a>>,
    /// Where reading ended before the end.
    pub unread: Option<Unread<'a>>,
}

/// One line.
#[derive(Clone, Debug)]
pub(super) struct Entry<'a> {
    /// Where it begins in the body.
    pub offset: usize,
    pub stream: usize,
    pub moment: Read<Timestamp>,
    pub line: Text<'a>,
    /// In `pairs`.
    pub metadata: Range<usize>,
}

/// The rest of a body that is broken.
#[derive(Debug)]
pub(super) struct Unread<'a> {
    pub offset: usize,
    pub raw: &'a [u8],
    pub error: RecordError,
}

impl<'a> Entries<'a> {
    pub(super) fn text<'b>(&'b self, text: Text<'a>) -> &'b str
    where
        'a: 'b,
    {
        text.of(&self.arena)
    }

    pub(super) fn labels(&self, stream: usize) -> impl Iterator<Item = (&str, &str)> {
        self.pairs_of(self.streams.get(stream).cloned().unwrap_or_default())
    }

    pub(super) fn metadata(&self, entry: &Entry<'a>) -> impl Iterator<Item = (&str, &str)> {
        self.pairs_of(entry.metadata.clone())
    }

    fn pairs_of(&self, range: Range<usize>) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.pairs.get(range).unwrap_or_default();
        pairs.iter().map(|(name, value)| (self.text(*name), self.text(*value)))
    }

    /// Bytes that the lines of a stream have in common.
    pub(super) fn label_bytes(&self, stream: usize) -> usize {
        self.labels(stream).map(|(name, value)| name.len() + value.len()).sum()
    }

    /// A new stream; its labels come when they are found.
    pub(super) fn begin_stream(&mut self) -> usize {
        self.streams.push(0..0);
        self.streams.len() - 1
    }

    pub(super) fn set_labels(
        &mut self,
        stream: usize,
        labels: impl IntoIterator<Item = (Text<'a>, Text<'a>)>,
    ) {
        let range = self.keep(labels);
        if let Some(known) = self.streams.get_mut(stream) {
            *known = range;
        }
    }

    /// Keeps labels or metadata.
    pub(super) fn keep(&mut self, pairs: impl IntoIterator<Item = (Text<'a>, Text<'a>)>) -> Range<usize> {
        let start = self.pairs.len();
        self.pairs.extend(pairs);
        start..self.pairs.len()
    }

    pub(super) fn push(&mut self, entry: Entry<'a>, limits: &IngestLimits) -> Result<(), RequestError> {
        if self.list.len() >= limits.records_max {
            return Err(RequestError::TooManyRecords { records_max: limits.records_max });
        }
        self.list.push(entry);
        Ok(())
    }
}

/// A time as Loki has it: nanoseconds since 1970, in decimal.
pub(super) fn moment(text: &str) -> Read<Timestamp> {
    let nanos = text.parse().ok().filter(|nanos: &i64| *nanos >= 0);
    nanos.map(Timestamp).ok_or_else(|| {
        let reason = format!(
            "the time of an entry must be nanoseconds since 1970 in quotes, got {:?}",
            crate::ingest::rejection::quoted(text)
        );
        RecordError::field("timestamp", reason)
    })
}
