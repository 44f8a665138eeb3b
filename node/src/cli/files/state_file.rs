//! A small file that says how far something has come: whole at every moment, whatever ends the process.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cli::error::CliError;

/// A file that this process alone writes.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    /// Held while the process lives.
    _lock: File,
}

impl StateFile {
    /// Takes the file for this process; it need not be there.
    pub(crate) fn take(path: PathBuf) -> Result<StateFile, CliError> {
        let failed = |error: io::Error| failure(&path, &error);
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let lock = File::create(beside(&path, "lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(StateFile { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                let shown = path.display();
                Err(CliError::Argument(format!("another process is at work on the checkpoint {shown}")))
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What it says; `None` where there is none.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<Option<T>, CliError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failure(&self.path, &error)),
        };
        let unreadable = |error: serde_json::Error| {
            let shown = self.path.display();
            CliError::Argument(format!("{shown} is no checkpoint of this version ({error}): name another"))
        };
        serde_json::from_slice(&bytes).map(Some).map_err(unreadable)
    }

    pub(crate) fn write(&self, state: &impl Serialize) -> Result<(), CliError> {
        let bytes = serde_json::to_vec(state).map_err(|error| failure(&self.path, &error.into()))?;
        replace(&self.path, &bytes)
    }
}

/// Another file of the same name.
pub(crate) fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

/// Puts a file in the place of another, on the disk before it has its name.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let new = beside(path, "new");
    let write = || -> io::Result<()> {
        let mut file = File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        fs::rename(&new, path)
    };
    write().map_err(|error| failure(path, &error))
}

pub(crate) fn failure(path: &Path, error: &io::Error) -> CliError {
    CliError::Argument(format!("{}: {error}", path.display()))
}

/// Where checkpoints are kept if nothing else is said.
pub(crate) fn default_folder() -> PathBuf {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = named("XDG_STATE_HOME").or_else(|| Some(named("HOME")?.join(".local/state")));
    state.unwrap_or_else(|| PathBuf::from(".")).join("insighthub")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_one_process_s_and_says_what_was_written_last() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/state.json");
        let file = StateFile::take(path.clone()).unwrap();
        assert_eq!(file.read::<u64>().unwrap(), None);
        file.write(&1).unwrap();
        file.write(&2).unwrap();
        assert_eq!(file.read::<u64>().unwrap(), Some(2));
        assert!(StateFile::take(path.clone()).unwrap_err().to_string().contains("another process"));
        drop(file);
        assert_eq!(StateFile::take(path).unwrap().read::<u64>().unwrap(), Some(2));
    }
}
