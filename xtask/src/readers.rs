//! Programs that read what leaves a cluster: pyarrow for exports, Prometheus for metrics and rules.

use std::path::PathBuf;

use anyhow::Result;

use crate::apt::Need;
use crate::python_tools;

const PROMETHEUS: Need = Need {
    packages: &["prometheus"],
    files: &["/usr/bin/prometheus", "/usr/bin/promtool"],
    purpose: "Prometheus, which reads metrics",
};

/// Installs what is missing; answers the Python that has pyarrow.
pub(crate) fn ensure() -> Result<PathBuf> {
    PROMETHEUS.ensure()?;
    let programs = python_tools::ensure("pyarrow", "chaos-tests/pyarrow/requirements.txt")?;
    Ok(programs.join("python"))
}
