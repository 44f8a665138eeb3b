//! Programs from Python's registry, each set in an environment of its own, in the versions that the checkout names.

use std::fs;
use std::path::{Path, PathBuf};
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

/// The folder of the programs that a file of requirements names; what is there in the right versions is not installed again.
pub(crate) fn ensure(name: &str, requirements: &str) -> Result<PathBuf> {
    let home = target().join(name);
    let requirements = root().join(requirements);
    let wanted = fs::read_to_string(&requirements)
        .with_context(|| format!("cannot read {}", requirements.display()))?;
    let installed = home.join("installed.txt");
    if !fs::read_to_string(&installed).is_ok_and(|text| text == wanted) {
        step(&format!("install {name}"), || install(&home, &requirements))?;
        fs::write(&installed, wanted)?;
    }
    Ok(home.join("bin"))
}

fn install(home: &Path, requirements: &Path) -> Result<()> {
    let mut environment = Command::new("python3");
    environment.args(["-m", "venv", "--clear"]).arg(home);
    // Where there is one already, by whatever means, nothing is installed.
    if run(&mut environment).is_err() {
        PYTHON.ensure()?;
        run(&mut environment)?;
    }
    let mut pip = Command::new(home.join("bin").join("pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"]);
    run(pip.arg(requirements))
}
