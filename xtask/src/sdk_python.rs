//! The Python SDK: linted, type-checked, built, installed from the built file into a clean environment and tested there
//! against the node that was built before.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::apt::Need;
use crate::fingerprint;
use crate::step::{node_binary, root, run as run_command, step, target};

const PYTHON: Need = Need {
    packages: &["python3", "python3-venv"],
    files: &["/usr/bin/python3", "/usr/share/doc/python3-venv"],
    purpose: "Python and its environments",
};
/// What a Python must be able to do; Debian packs environments apart from the interpreter.
const PROBE: &str = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))";
/// The tools of the checks. The oldest Python they run on is newer than the oldest the SDK runs on.
const REQUIREMENTS: &str = "requirements-dev.txt";
/// What the tests import beside the SDK; exact versions are those of the requirements.
const OF_TESTS: [&str; 3] = ["pytest", "structlog", "loguru"];

/// Everything that must pass.
pub(crate) fn run() -> Result<()> {
    let python = interpreter()?;
    let tools = step("Python SDK: tools", || tools(&python))?;
    step("Python SDK: lints", || {
        run_command(tools.command("ruff").args(["check", "--quiet", "."]))?;
        run_command(tools.command("ruff").args(["format", "--quiet", "--check", "."]))
    })?;
    step("Python SDK: types", || {
        run_command(tools.command("mypy").arg("--cache-dir").arg(folder().join("mypy")))
    })?;
    let wheel = step("Python SDK: build", || build(&tools))?;
    let installed = step("Python SDK: install", || install(&python, &wheel))?;
    step("Python SDK: tests", || {
        run_command(
            installed
                .command("python")
                .args(["-m", "pytest", "-p", "no:cacheprovider", "tests"])
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .env("INSIGHTHUB_BIN", node_binary()),
        )
    })
}

/// A virtual environment.
struct Environment(PathBuf);

impl Environment {
    /// One of its programs, in the SDK's folder.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.0.join("bin").join(program));
        command.current_dir(source());
        command
    }

    fn make(python: &Path, place: PathBuf) -> Result<Environment> {
        run_command(Command::new(python).args(["-m", "venv", "--clear"]).arg(&place))?;
        Ok(Environment(place))
    }

    fn pip_install(&self) -> Command {
        let mut command = self.command("python");
        command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "10"]);
        command
    }
}

/// The Python that is found first, or Debian's.
fn interpreter() -> Result<PathBuf> {
    let found = PathBuf::from("python3");
    if serves(&found) {
        return Ok(found);
    }
    let debian = PathBuf::from("/usr/bin/python3");
    if !serves(&debian) {
        PYTHON.ensure()?;
    }
    ensure!(
        serves(&debian),
        "Python 3.10 or newer with the modules venv and ensurepip is needed for these checks"
    );
    Ok(debian)
}

fn serves(python: &Path) -> bool {
    Command::new(python).args(["-c", PROBE]).output().is_ok_and(|output| output.status.success())
}

/// The environment of the tools, made anew when the requirements have changed.
fn tools(python: &Path) -> Result<Environment> {
    let environment = Environment(folder().join("tools"));
    let stamp = environment.0.join("requirements.fingerprint");
    let wanted = fingerprint::of(&[source().join(REQUIREMENTS)], "tools")?;
    if fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) {
        return Ok(environment);
    }
    let environment = Environment::make(python, environment.0)?;
    run_command(environment.pip_install().args(["--requirement", REQUIREMENTS]))?;
    fs::write(&stamp, wanted).with_context(|| stamp.display().to_string())?;
    Ok(environment)
}

/// Builds the source archive, and the wheel from it; answers the wheel.
fn build(tools: &Environment) -> Result<PathBuf> {
    let dist = folder().join("dist");
    if dist.exists() {
        fs::remove_dir_all(&dist).with_context(|| dist.display().to_string())?;
    }
    run_command(
        tools.command("python").args(["-m", "build", "--quiet", "--no-isolation", "--outdir"]).arg(&dist),
    )?;
    for entry in fs::read_dir(&dist)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "whl") {
            return Ok(path);
        }
    }
    anyhow::bail!("the build left no wheel in {}", dist.display())
}

/// A clean environment with the wheel and what its tests import.
fn install(python: &Path, wheel: &Path) -> Result<Environment> {
    let environment = Environment::make(python, folder().join("installed"))?;
    let mut command = environment.pip_install();
    run_command(command.args(["--constraint", REQUIREMENTS]).args(OF_TESTS).arg(wheel))?;
    Ok(environment)
}

fn source() -> PathBuf {
    root().join("sdk-python")
}

fn folder() -> PathBuf {
    target().join("sdk-python")
}
