//! The Debian package: built by cargo-deb from what `node/Cargo.toml` says, judged by lintian, unpacked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::attendants;
use crate::apt::Need;
use crate::step::{cargo, run, step, target};

/// The builder of packages, in the version that was tried.
const CARGO_DEB: &str = "3.8.0";

const LINTIAN: Need =
    Need { packages: &["lintian"], files: &["/usr/bin/lintian"], purpose: "the judge of Debian packages" };

/// Packs the program that is there in this profile: `release`, or `debug` to try the package.
pub(super) fn build(profile: &str) -> Result<PathBuf> {
    attendants::write(profile)?;
    let package = target().join("packaging").join(format!("insighthub-{profile}.deb"));
    let mut command = Command::new(cargo_deb()?);
    command.current_dir(crate::step::root());
    command.args(["deb", "--locked", "--no-build", "--package", "insighthub-node", "--output"]).arg(&package);
    match profile {
        // Smaller would take longer.
        "debug" => command.args(["--profile", "dev", "--fast"]),
        // Where each instruction comes from is four fifths of the program.
        _ => command.arg("--strip"),
    };
    run(&mut command)?;
    Ok(package)
}

fn cargo_deb() -> Result<PathBuf> {
    let home = target().join("cargo-deb");
    let program = home.join("bin").join("cargo-deb");
    let version = Command::new(&program).arg("--version").output();
    if version.is_ok_and(|output| {
        String::from_utf8_lossy(&output.stdout).trim() == format!("cargo-deb {CARGO_DEB}")
    }) {
        return Ok(program);
    }
    step("install cargo-deb", || {
        let mut install = cargo();
        // Unoptimised: it is built for longer than it is used.
        install.args([
            "install",
            "--quiet",
            "--locked",
            "--debug",
            "cargo-deb",
            "--version",
            CARGO_DEB,
            "--root",
        ]);
        run(install.arg(&home).env_remove("CARGO_TARGET_DIR"))
    })?;
    Ok(program)
}

/// Fails where the package breaks Debian's policy.
pub(super) fn judge(package: &Path) -> Result<()> {
    LINTIAN.ensure()?;
    let mut lintian = Command::new("lintian");
    // A container has nobody else than root; no bug of Debian asks for this package.
    lintian.args(["--allow-root", "--suppress-tags", "initial-upload-closes-no-bugs"]);
    run(lintian.args(["--fail-on", "error,warning"]).arg(package))
}

/// Its files in a folder of their own.
pub(super) fn unpack(package: &Path) -> Result<PathBuf> {
    let root = target().join("packaging").join("root");
    if root.exists() {
        fs::remove_dir_all(&root).with_context(|| root.display().to_string())?;
    }
    run(Command::new("dpkg-deb").arg("--extract").arg(package).arg(&root))?;
    Ok(root)
}
