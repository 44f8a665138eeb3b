//! schemathesis, which asks a node all that its document says can be asked.

use std::path::PathBuf;

use anyhow::Result;

use crate::python_tools;

/// The program.
pub(crate) fn ensure() -> Result<PathBuf> {
    let programs = python_tools::ensure("schemathesis", "chaos-tests/schemathesis/requirements.txt")?;
    Ok(programs.join("schemathesis"))
}
