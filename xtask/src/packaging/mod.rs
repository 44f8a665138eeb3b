//! `cargo xtask package`: the Debian package; and the check of everything in `packaging/`.

mod attendants;
mod debian;
mod installed;
mod peers;
mod proxy;
mod started;
mod texts;

use std::process::Command;

use anyhow::Result;

use crate::dashboard::{self, Profile};
use crate::step::{cargo, run as run_command, step};

/// Builds the dashboard, the node and the package.
pub(crate) fn run() -> Result<()> {
    dashboard::build(Profile::Release)?;
    step("node: build", || {
        let arguments =
            ["build", "--locked", "--release", "--package", "insighthub-node", "--bin", "insighthub"];
        run_command(cargo().args(arguments))
    })?;
    let package = step("Debian package", || debian::build("release"))?;
    println!("{}", package.display());
    Ok(())
}

/// Holds the files against the programs they are for, and starts what the package installs, with the node that was built before.
pub(crate) fn check() -> Result<()> {
    step("packaging: shell scripts", texts::shell_scripts)?;
    step("packaging: image, compose file, workflow", texts::containers)?;
    let package = step("packaging: Debian package", || debian::build("debug"))?;
    step("packaging: lintian", || debian::judge(&package))?;
    let root = step("packaging: unpack", || debian::unpack(&package))?;
    step("packaging: unit", || installed::unit(&root))?;
    step("packaging: installed node behind Nginx", || installed::serve(&root))?;
    step("packaging: three peers of the compose file", || peers::serve(&root))
}

/// The program as it was unpacked.
fn insighthub(root: &std::path::Path) -> Command {
    Command::new(root.join("usr/bin/insighthub"))
}
