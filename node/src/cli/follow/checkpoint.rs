//! How far each file was sent, and the batch that may or may not have arrived: written before it is sent, with its bytes, so
//! that after a kill the same batch goes out under the same number, whatever became of the files.

use std::path::PathBuf;

use bytes::Bytes;
use insighthub_model::clock::Clock;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::tracked::Tracked;
use crate::cli::error::CliError;
use crate::cli::files::state_file::{StateFile, beside, default_folder, failure, replace};
use crate::system_clock::SystemClock;

const VERSION: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct State {
    version: u32,
    options: String,
    producer: String,
    /// Of the batch that was begun last.
    sequence: u64,
    /// The hash of its bytes; none once it has arrived.
    pending: Option<u64>,
    /// Where the next batch begins in each file.
    files: Vec<Tracked>,
}

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Checkpoint {
    file: StateFile,
    state: State,
}

/// A batch that is to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pending {
    pub(super) sequence: u64,
    pub(super) body: Bytes,
}

impl Checkpoint {
    /// What is there, or a new one; with the files that it knows, if it is not new.
    pub(super) fn open(path: PathBuf, options: &str) -> Result<(Checkpoint, Option<Vec<Tracked>>), CliError> {
        let file = StateFile::take(path)?;
        if let Some(mut state) = file.read::<State>()? {
            if state.version != VERSION || state.options != options {
                let shown = file.path().display();
                let message = format!(
                    "the checkpoint {shown} was made with other options: name another with --checkpoint"
                );
                return Err(CliError::Argument(message));
            }
            let files = std::mem::take(&mut state.files);
            return Ok((Checkpoint { file, state }, Some(files)));
        }
        let mut random = [0; 8];
        getrandom::fill(&mut random)
            .map_err(|error| CliError::Argument(format!("the system gives no random bytes: {error}")))?;
        let producer = format!("follow-{:x}-{:016x}", SystemClock.now().0, u64::from_le_bytes(random));
        let state = State {
            version: VERSION,
            options: options.to_owned(),
            producer,
            sequence: 0,
            pending: None,
            files: Vec::new(),
        };
        Ok((Checkpoint { file, state }, None))
    }

    pub(super) fn producer(&self) -> &str {
        &self.state.producer
    }

    pub(super) fn path(&self) -> &std::path::Path {
        self.file.path()
    }

    /// The batch that was under way when the process ended.
    pub(super) fn pending(&self) -> Result<Option<Pending>, CliError> {
        let Some(hash) = self.state.pending else { return Ok(None) };
        let path = self.body_path();
        let body = std::fs::read(&path).map_err(|error| failure(&path, &error))?;
        // Other bytes are those of the next batch, and that is only begun when this one has arrived.
        let is_this = xxh3_64(&body) == hash;
        Ok(is_this.then(|| Pending { sequence: self.state.sequence, body: body.into() }))
    }

    /// Writes down a batch and where the files stand behind it; it is sent after that.
    pub(super) fn begin(&mut self, body: Bytes, files: &[Tracked]) -> Result<Pending, CliError> {
        replace(&self.body_path(), &body)?;
        self.state.sequence += 1;
        self.state.pending = Some(xxh3_64(&body));
        self.write(files)?;
        Ok(Pending { sequence: self.state.sequence, body })
    }

    /// Writes down that the batch has arrived, and where the files stand.
    pub(super) fn settle(&mut self, files: &[Tracked]) -> Result<(), CliError> {
        self.state.pending = None;
        self.write(files)
    }

    fn write(&mut self, files: &[Tracked]) -> Result<(), CliError> {
        self.state.files = files.to_vec();
        self.file.write(&self.state)
    }

    fn body_path(&self) -> PathBuf {
        beside(self.file.path(), "batch")
    }
}

/// One for each set of patterns and each cluster.
pub(super) fn default_path(patterns: &[String], url: &str) -> PathBuf {
    let mut nodes: Vec<&str> = url.split(',').map(str::trim).collect();
    nodes.sort_unstable();
    let folder = std::env::current_dir().unwrap_or_default();
    let key = xxh3_64(format!("{folder:?} {patterns:?} {nodes:?}").as_bytes());
    default_folder().join(format!("follow-{key:016x}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_that_may_not_have_arrived_is_found_again_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("follow.json");
        let open = || Checkpoint::open(path.clone(), "a").unwrap();
        let (mut checkpoint, known) = open();
        assert!(known.is_none());
        let sent = checkpoint.begin("one".into(), &[]).unwrap();
        drop(checkpoint);
        let (mut checkpoint, known) = open();
        assert_eq!((checkpoint.pending().unwrap(), known), (Some(sent), Some(Vec::new())));
        checkpoint.settle(&[]).unwrap();
        assert_eq!(checkpoint.pending().unwrap(), None);
        let second = checkpoint.begin("two".into(), &[]).unwrap();
        assert_eq!(second.sequence, 2);
        // Killed after the bytes of the third were written, and before the checkpoint says so.
        replace(&checkpoint.body_path(), b"three").unwrap();
        drop(checkpoint);
        assert_eq!(open().0.pending().unwrap(), None, "the second had arrived");
        assert!(Checkpoint::open(path.clone(), "b").is_err(), "other options");
    }
}
