//! The JavaScript SDK: built, type-checked, packed, installed into a clean folder and tested there against the node that
//! was built before.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::apt::Need;
use crate::step::{node_binary, root, run as run_command, step};

const NODE_JS: Need =
    Need { packages: &["nodejs", "npm"], files: &["/usr/bin/node", "/usr/bin/npm"], purpose: "Node.js" };
/// The oldest the SDK promises to run on; what Debian has.
const MAJOR_MIN: u32 = 18;

/// Everything that must pass.
pub(crate) fn run() -> Result<()> {
    if version().is_none() || !starts("npm") {
        NODE_JS.ensure()?;
    }
    let found = version().unwrap_or_default();
    ensure!(found >= MAJOR_MIN, "Node.js {MAJOR_MIN} or newer is needed for these tests, this is {found}");
    // Nothing of what is installed needs to run a program for it.
    step("JavaScript SDK: libraries of its tests", || {
        run_command(npm().args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))
    })?;
    step("JavaScript SDK: build", || run_command(npm().args(["run", "--silent", "build"])))?;
    step("JavaScript SDK: types", || run_command(npm().args(["run", "--silent", "check"])))?;
    step("JavaScript SDK: size", || run_command(npm().args(["run", "--silent", "size"])))?;
    step("JavaScript SDK: packed, installed and tested", || {
        run_command(npm().args(["run", "--silent", "pack-test"]).env("INSIGHTHUB_BIN", node_binary()))
    })
}

fn npm() -> Command {
    let mut command = Command::new("npm");
    command.current_dir(root().join("sdk-js"));
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
