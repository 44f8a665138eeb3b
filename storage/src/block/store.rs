//! Putting a finished block in place: a draft, synced, then renamed, then the directory synced.

use std::io;
use std::path::Path;

use super::BlockError;
use crate::fs::Fs;

/// Ending of a block that is not finished; such files may be removed at any start.
const DRAFT_ENDING: &str = "tmp";

/// Writes a file that exists whole or not at all, whatever happens. Replaces one of the same name.
pub(super) fn store(fs: &dyn Fs, directory: &Path, name: &str, content: &[u8]) -> Result<(), BlockError> {
    let path = directory.join(name);
    let draft = directory.join(format!("{name}.{DRAFT_ENDING}"));
    let failed = |action| {
        let path = path.clone();
        move |source| BlockError::Io { action, path, source }
    };
    match fs.remove(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(failed("clear the draft of")(error));
        }
        _ => {}
    }
    let file = fs.create_new(&draft).map_err(failed("create"))?;
    if let Err(error) = file.write_all_at(content, 0) {
        // What did not fit must not keep the disk full until it is tried again.
        drop(fs.remove(&draft));
        return Err(failed("write")(error));
    }
    file.sync_data().map_err(failed("sync"))?;
    fs.rename(&draft, &path).map_err(failed("rename"))?;
    fs.sync_dir(directory).map_err(failed("sync the directory of"))
}
