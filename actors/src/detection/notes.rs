//! What detectors find out, as the store keeps it.

use insighthub_model::detection::{Detector, Episode, PatternCounts, PatternText, ServiceWindow};
use insighthub_model::timestamp::NANOS_PER_SEC;
use insighthub_storage::codec;
use insighthub_storage::note::Note;
use serde::Serialize;
use serde::de::DeserializeOwned;

const VERSION: u8 = 1;
const MINUTE_NANOS: i64 = 60 * NANOS_PER_SEC;

/// What a note is; the numbers are the disk form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum NoteKind {
    Window = 1,
    Episode = 2,
    PatternCounts = 3,
    PatternText = 4,
    /// Of the moment, never kept.
    Detector = 5,
}

/// Something that can be noted.
pub trait Told: Serialize + DeserializeOwned {
    const KIND: NoteKind;
    /// The time it is about, nanoseconds since 1970.
    fn span(&self) -> (i64, i64);
}

impl Told for ServiceWindow {
    const KIND: NoteKind = NoteKind::Window;

    fn span(&self) -> (i64, i64) {
        (self.end.0, self.end.0)
    }
}

impl Told for Episode {
    const KIND: NoteKind = NoteKind::Episode;

    /// One that is not over meets every time to come.
    fn span(&self) -> (i64, i64) {
        (self.opened_at.0, self.ended_at.map_or(i64::MAX, |end| end.0.max(self.opened_at.0)))
    }
}

impl Told for PatternCounts {
    const KIND: NoteKind = NoteKind::PatternCounts;

    fn span(&self) -> (i64, i64) {
        let from = self.minute.saturating_mul(MINUTE_NANOS);
        (from, from.saturating_add(MINUTE_NANOS - 1))
    }
}

impl Told for PatternText {
    const KIND: NoteKind = NoteKind::PatternText;

    fn span(&self) -> (i64, i64) {
        (self.first_seen.0, self.first_seen.0)
    }
}

impl Told for Detector {
    const KIND: NoteKind = NoteKind::Detector;

    fn span(&self) -> (i64, i64) {
        (0, i64::MAX)
    }
}

/// Its place in the log is put in by whoever knows it.
pub(super) fn note<T: Told>(service: &str, value: &T) -> Option<Note> {
    let (from, to) = value.span();
    let bytes = codec::encode(VERSION, value)
        .inspect_err(|error| tracing::error!(service, %error, "what was found out cannot be kept"))
        .ok()?;
    Some(Note { kind: T::KIND as u8, service: service.to_owned(), ticks: 0, from, to, bytes })
}

/// What a note says; `None` where this program cannot read it.
pub fn told<T: Told>(note: &Note) -> Option<T> {
    if note.kind != T::KIND as u8 {
        return None;
    }
    codec::decode(VERSION, &note.bytes)
        .inspect_err(|error| tracing::warn!(service = note.service, %error, "a note cannot be read"))
        .ok()
}
