//! Node.js and npm, and what a folder of the checkout wants installed by them.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::apt::Need;
use crate::step::{root, run, step};

const NODE_JS: Need =
    Need { packages: &["nodejs", "npm"], files: &["/usr/bin/node", "/usr/bin/npm"], purpose: "Node.js" };

/// Installs Node.js if there is none; fails if it is older than `major_min`.
pub(crate) fn ensure(major_min: u32) -> Result<()> {
    if version().is_none() || !starts("npm") {
        NODE_JS.ensure()?;
    }
    let found = version().unwrap_or_default();
    ensure!(found >= major_min, "Node.js {major_min} or newer is needed for these tests, this is {found}");
    Ok(())
}

/// Installs exactly what the lock file of a folder names.
pub(crate) fn install(what: &str, folder: &str) -> Result<()> {
    // Nothing of what is installed needs to run a program for it.
    step(what, || run(npm(folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])))
}

/// npm in a folder of the checkout.
pub(crate) fn npm(folder: &str) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(root().join(folder));
    command
}

fn starts(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// The major version of the Node.js that is found first.
fn version() -> Option<u32> {
    let output = Command::new("node").arg("--version").output().ok()?;
    major(&String::from_utf8_lossy(&output.stdout))
}

fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major(""), None);
    }
}
