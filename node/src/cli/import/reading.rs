//! Files to batches, on a thread of its own: cut by what they hold alone, so that they are cut alike when the import goes on.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use tokio::sync::mpsc::Sender;

use super::plan::Planned;
use super::summary::{Example, Summary};
use crate::cli::files::form::FormArg;
use crate::cli::files::input;
use crate::cli::files::lines::Place;
use crate::cli::files::records::{Is, Records};
use crate::cli::files::shaping::Shaper;

/// A batch is closed when it is as long as this: large enough to be cheap, small enough to be sent again.
const BATCH_BYTES: usize = 1 << 20;
/// A node cuts what has more records into several anyway.
const BATCH_RECORDS: usize = 8_192;

/// Records of one file, under their number.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) sequence: u64,
    pub(super) path: PathBuf,
    pub(super) body: Bytes,
    /// The line of the file that each line of the body comes from.
    pub(super) lines: Vec<u64>,
    /// Where the next batch begins.
    pub(super) next: (usize, Place),
    /// What is known before it is sent.
    pub(super) known: Summary,
    /// The file cannot be read on.
    pub(super) unread: Option<(usize, Place)>,
}

/// What is to be read.
pub(super) struct Reading {
    pub(super) plan: Vec<Planned>,
    pub(super) form: FormArg,
    pub(super) delimiter: Option<u8>,
    pub(super) shaper: Shaper,
    /// Where to begin.
    pub(super) sequence: u64,
    pub(super) file: usize,
    pub(super) place: Place,
    /// Bytes read so far, as they lie on the disk.
    pub(super) read: Arc<AtomicU64>,
}

impl Reading {
    /// Reads to the end of the plan, or until nobody wants more.
    pub(super) fn run(mut self, batches: &Sender<Batch>) {
        while let Some(file) = self.plan.get(self.file).cloned() {
            if self.read_file(&file, batches).is_none() {
                return;
            }
        }
    }

    /// `None` where nobody wants more.
    fn read_file(&mut self, file: &Planned, batches: &Sender<Batch>) -> Option<()> {
        let mut records = match self.open(file) {
            Ok(records) => records,
            Err(error) => {
                let batch = self.batch(file);
                return self.give_up(file, batch, &error, batches);
            }
        };
        loop {
            let mut batch = self.batch(file);
            let end = match self.fill(file, &mut records, &mut batch) {
                Ok(end) => end,
                Err(error) => return self.give_up(file, batch, &error, batches),
            };
            match end {
                End::Full(place) => self.place = place,
                End::OfFile => self.go_to_next_file(),
            }
            batch.next = (self.file, self.place);
            batches.blocking_send(batch).ok()?;
            if end == End::OfFile {
                return Some(());
            }
        }
    }

    fn open(&self, file: &Planned) -> io::Result<Limited> {
        let is_begun = self.place != Place::default();
        if !file.is_stdin() {
            let now = super::plan::look(&file.path)?;
            if is_begun && !file.is_still(&now) {
                return Err(io::Error::other(
                    "it has changed since the import began: import it anew with --again",
                ));
            }
        }
        let mut input = input::open(&file.path, &self.read)?;
        let form = self.form.decide(&file.path, input.stream.fill_buf()?, self.delimiter);
        let until = (!input.is_compressed && file.bytes > 0).then_some(file.bytes);
        Ok(Limited { records: Records::open(form, input.stream, self.place)?, until })
    }

    /// Puts records into a batch until it is full or the file is at its end.
    fn fill(&self, file: &Planned, from: &mut Limited, batch: &mut Batch) -> io::Result<End> {
        let mut body = Vec::with_capacity(BATCH_BYTES + BATCH_BYTES / 8);
        let end = loop {
            if body.len() >= BATCH_BYTES || batch.known.read >= BATCH_RECORDS as u64 {
                break Ok(End::Full(from.records.place()));
            }
            let found = match from.next(&self.shaper, &mut body) {
                Ok(Some(found)) => found,
                Ok(None) => break Ok(End::OfFile),
                Err(error) => break Err(error),
            };
            let example = |reason: &str| vec![Example::new(&file.path, found.line, reason)];
            let mut known = Summary { read: 1, ..Summary::default() };
            match &found.is {
                Is::Record => batch.lines.push(found.line),
                Is::Unfitting => {
                    batch.lines.push(found.line);
                    known.unfitting = 1;
                    known.unfitting_examples = example("does not fit the pattern");
                }
                Is::Refused(reason) => {
                    known.rejected = 1;
                    known.rejections = example(reason);
                }
            }
            batch.known.add(known);
        };
        batch.body = body.into();
        batch.next = (self.file, from.records.place());
        end
    }

    /// Sends what was read of a file that cannot be read on, and leaves it.
    fn give_up(
        &mut self,
        file: &Planned,
        mut batch: Batch,
        error: &io::Error,
        batches: &Sender<Batch>,
    ) -> Option<()> {
        let (_, place) = batch.next;
        batch.unread = Some((self.file, place));
        batch.known.unreadable = vec![Example::new(&file.path, place.line + 1, error.to_string())];
        self.go_to_next_file();
        batch.next = (self.file, self.place);
        batches.blocking_send(batch).ok()
    }

    fn go_to_next_file(&mut self) {
        self.file += 1;
        self.place = self.plan.get(self.file).map_or(Place::default(), |file| file.from);
    }

    /// The next batch, with nothing in it yet.
    fn batch(&mut self, file: &Planned) -> Batch {
        let sequence = self.sequence;
        self.sequence += 1;
        Batch {
            sequence,
            path: file.path.clone(),
            body: Bytes::new(),
            lines: Vec::new(),
            next: (self.file, self.place),
            known: Summary::default(),
            unread: None,
        }
    }
}

/// Why a batch is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Full(Place),
    OfFile,
}

/// The records that were there when the import began.
struct Limited {
    records: Records<Box<dyn io::BufRead + Send>>,
    /// A record that begins here or later is of later.
    until: Option<u64>,
}

impl Limited {
    fn next(
        &mut self,
        shaper: &Shaper,
        body: &mut Vec<u8>,
    ) -> io::Result<Option<crate::cli::files::records::Found>> {
        if self.until.is_some_and(|until| self.records.place().offset >= until) {
            return Ok(None);
        }
        self.records.next(shaper, body)
    }
}
