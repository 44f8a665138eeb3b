//! How far an import has come: who it is to the cluster, which batch is next and where in which file that begins.
//!
//! Written after what it says has been stored. The batches between are cut from the same files in the same way and sent
//! under the same numbers, so that those that were stored are recognised.

use std::path::PathBuf;

use insighthub_model::clock::Clock;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use super::plan::Planned;
use super::summary::Summary;
use crate::cli::error::CliError;
use crate::cli::files::lines::Place;
use crate::cli::files::state_file::{StateFile, beside, default_folder, failure, replace};
use crate::system_clock::SystemClock;

const VERSION: u32 = 1;

/// What is written.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    version: u32,
    /// Differs where other options would make other records of the same files.
    options: String,
    pub(super) producer: String,
    /// Of the next batch.
    pub(super) sequence: u64,
    /// The place of the next file among those planned, and where in it the next batch begins.
    pub(super) file: usize,
    pub(super) place: Place,
    pub(super) summary: Summary,
    /// Files that could not be read to their end, and how far they were.
    pub(super) unread: Vec<(usize, Place)>,
    /// The plan is through.
    pub(super) is_done: bool,
}

/// A checkpoint and the files it speaks of.
#[derive(Debug)]
pub(super) struct Ledger {
    file: StateFile,
    pub(super) checkpoint: Checkpoint,
    pub(super) plan: Vec<Planned>,
}

/// What an import begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    New,
    /// An earlier one was not finished.
    GoesOn,
    /// Everything was imported before; these many files have come, and these many have changed since.
    After {
        new: usize,
        changed: usize,
    },
}

impl Ledger {
    /// Opens what is there, or begins. `found` are the files there are now.
    pub(super) fn open(
        path: PathBuf,
        options: &str,
        found: Vec<Planned>,
        again: bool,
    ) -> Result<(Ledger, Start), CliError> {
        let file = StateFile::take(path)?;
        let known = if again { None } else { file.read::<Checkpoint>()? };
        let Some(checkpoint) = known else {
            let ledger = Ledger { file, checkpoint: Checkpoint::new(options)?, plan: found };
            ledger.write_plan()?;
            ledger.write()?;
            return Ok((ledger, Start::New));
        };
        if checkpoint.version != VERSION || checkpoint.options != options {
            let shown = file.path().display();
            let message = format!(
                "the checkpoint {shown} is of an import with other options: give it the same, name another with \
                 --checkpoint, or import everything anew with --again"
            );
            return Err(CliError::Argument(message));
        }
        let plan = read_plan(&file)?;
        let mut ledger = Ledger { file, checkpoint, plan };
        if !ledger.checkpoint.is_done {
            return Ok((ledger, Start::GoesOn));
        }
        let start = ledger.continue_with(&found);
        ledger.write_plan()?;
        ledger.write()?;
        Ok((ledger, start))
    }

    pub(super) fn path(&self) -> &std::path::Path {
        self.file.path()
    }

    pub(super) fn write(&self) -> Result<(), CliError> {
        self.file.write(&self.checkpoint)
    }

    /// Plans what was not there before, and what could not be read.
    fn continue_with(&mut self, found: &[Planned]) -> Start {
        let known = |file: &&Planned| self.plan.iter().find(|old| old.path == file.path);
        let mut changed = 0;
        let mut plan: Vec<Planned> = Vec::new();
        for file in found {
            match known(&file) {
                // What comes in is other each time.
                None => plan.push(file.clone()),
                Some(_) if file.is_stdin() => plan.push(file.clone()),
                Some(old) => changed += usize::from(!old.is_unchanged(file)),
            }
        }
        for (place, from) in std::mem::take(&mut self.checkpoint.unread) {
            plan.extend(self.plan.get(place).map(|file| Planned { from, ..file.clone() }));
        }
        let new = plan.len();
        self.checkpoint.file = self.plan.len();
        self.checkpoint.place = plan.first().map_or(Place::default(), |file| file.from);
        self.checkpoint.is_done = plan.is_empty();
        self.checkpoint.summary = Summary::default();
        self.plan.append(&mut plan);
        Start::After { new, changed }
    }

    fn write_plan(&self) -> Result<(), CliError> {
        let path = plan_path(&self.file);
        let bytes = serde_json::to_vec(&self.plan).map_err(|error| failure(&path, &error.into()))?;
        replace(&path, &bytes)
    }
}

impl Checkpoint {
    fn new(options: &str) -> Result<Checkpoint, CliError> {
        let mut random = [0; 8];
        getrandom::fill(&mut random)
            .map_err(|error| CliError::Argument(format!("the system gives no random bytes: {error}")))?;
        let started = SystemClock.now().0;
        Ok(Checkpoint {
            version: VERSION,
            options: options.to_owned(),
            producer: format!("import-{started:x}-{:016x}", u64::from_le_bytes(random)),
            sequence: 1,
            file: 0,
            place: Place::default(),
            summary: Summary::default(),
            unread: Vec::new(),
            is_done: false,
        })
    }
}

fn plan_path(file: &StateFile) -> PathBuf {
    beside(file.path(), "files")
}

fn read_plan(file: &StateFile) -> Result<Vec<Planned>, CliError> {
    let path = plan_path(file);
    let bytes = std::fs::read(&path).map_err(|error| failure(&path, &error))?;
    serde_json::from_slice(&bytes).map_err(|error| failure(&path, &error.into()))
}

/// One for each set of paths and each cluster.
pub(super) fn default_path(paths: &[PathBuf], url: &str) -> PathBuf {
    let mut nodes: Vec<&str> = url.split(',').map(str::trim).collect();
    nodes.sort_unstable();
    let whole = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    let paths: Vec<PathBuf> = paths.iter().map(whole).collect();
    let key = xxh3_64(format!("{paths:?} {nodes:?}").as_bytes());
    default_folder().join(format!("import-{key:016x}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(name: &str, bytes: u64) -> Planned {
        let (path, device, inode, modified_nanos) = (PathBuf::from(name), 1, bytes, 1);
        Planned { path, device, inode, bytes, modified_nanos, from: Place::default() }
    }

    #[test]
    fn an_import_goes_on_where_it_was_and_takes_nothing_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("import.json");
        let open = |found: &[Planned], again| Ledger::open(path.clone(), "a", found.to_vec(), again).unwrap();
        let files = [planned("a", 1), planned("b", 2)];
        let (mut ledger, start) = open(&files, false);
        assert_eq!(start, Start::New);
        let producer = ledger.checkpoint.producer.clone();
        (ledger.checkpoint.sequence, ledger.checkpoint.file) = (7, 1);
        ledger.write().unwrap();
        drop(ledger);
        let (mut ledger, start) = open(&[planned("0", 9), planned("a", 1)], false);
        assert_eq!((start, ledger.plan.as_slice()), (Start::GoesOn, &files[..]), "the plan is fixed");
        assert_eq!((ledger.checkpoint.sequence, &ledger.checkpoint.producer), (7, &producer));
        ledger.checkpoint.is_done = true;
        let place = Place { offset: 5, line: 2 };
        ledger.checkpoint.unread.push((1, place));
        ledger.write().unwrap();
        drop(ledger);
        let (ledger, start) = open(&[planned("0", 9), planned("a", 3)], false);
        assert_eq!(start, Start::After { new: 2, changed: 1 });
        assert_eq!((ledger.checkpoint.file, ledger.checkpoint.is_done), (2, false));
        assert_eq!(ledger.plan[3], Planned { from: place, ..planned("b", 2) });
        drop(ledger);
        let other = Ledger::open(path.clone(), "b", Vec::new(), false).unwrap_err();
        assert!(other.to_string().contains("other options"), "{other}");
        let (ledger, start) = open(&files, true);
        assert_eq!((start, ledger.checkpoint.sequence), (Start::New, 1));
        assert_ne!(ledger.checkpoint.producer, producer);
    }
}
