//! Finds the binary under test, and builds it once where there is none.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use anyhow::{Context, Result, ensure};

/// One build at a time, whichever test asks first.
static BUILDING: Mutex<()> = Mutex::new(());

/// `INSIGHTHUB_BIN`, else the release build, else the debug build, which is built if missing.
pub fn binary() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("INSIGHTHUB_BIN") {
        let named = PathBuf::from(named);
        ensure!(named.is_file(), "INSIGHTHUB_BIN names {}, which is no file", named.display());
        return Ok(named);
    }
    let release = target().join("release/insighthub");
    if release.is_file() { Ok(release) } else { debug_binary() }
}

/// The debug build, the only one with fault hooks; built if missing.
pub fn debug_binary() -> Result<PathBuf> {
    let debug = target().join("debug/insighthub");
    // A panic of another test while it built leaves nothing half done: cargo puts the binary in place last.
    let _one_at_a_time = BUILDING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if !debug.is_file() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args(["build", "--package", "insighthub-node", "--bin", "insighthub"])
            .current_dir(workspace())
            .status()
            .context("cargo cannot be started")?;
        ensure!(status.success(), "the binary could not be built");
    }
    Ok(debug)
}

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or_else(|| here.to_owned(), Path::to_owned)
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}
