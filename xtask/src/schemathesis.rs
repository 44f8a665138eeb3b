//! Installs schemathesis into a Python environment of its own, in the versions that the checkout names.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::apt::Need;
use crate::step::{root, run, step, target};

const PYTHON: Need = Need {
    packages: &["python3", "python3-venv"],
    // The second is what a Python without `venv` lacks on Debian.
    files: &["/usr/bin/python3", "/usr/share/python-wheels"],
    purpose: "Python with virtual environments",
};

/// The program; what is there in the right versions is not installed again.
pub(crate) fn ensure() -> Result<PathBuf> {
    let home = target().join("schemathesis");
    let program = home.join("bin").join("schemathesis");
    let requirements = root().join("chaos-tests/schemathesis/requirements.txt");
    let wanted = fs::read_to_string(&requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    let installed = home.join("installed.txt");
    if program.is_file() && fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        return Ok(program);
    }
    step("install schemathesis", || {
        let mut environment = Command::new("python3");
        environment.args(["-m", "venv", "--clear"]).arg(&home);
        // Where there is one already, by whatever means, nothing is installed.
        if run(&mut environment).is_err() {
            PYTHON.ensure()?;
            run(&mut environment)?;
        }
        let mut pip = Command::new(home.join("bin").join("pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"]);
        run(pip.arg(&requirements))
    })?;
    fs::write(&installed, wanted)?;
    Ok(program)
}
