//! The JavaScript SDK: built, type-checked, packed, installed into a clean folder and tested there against the node that
//! was built before.

use std::process::Command;

use anyhow::Result;

use crate::node_js;
use crate::step::{node_binary, run as run_command, run_tests, step};

const FOLDER: &str = "sdk-js";
/// The oldest the SDK promises to run on; what Debian has.
const MAJOR_MIN: u32 = 18;

/// Everything that must pass.
pub(crate) fn run() -> Result<()> {
    node_js::ensure(MAJOR_MIN)?;
    node_js::install("JavaScript SDK: libraries of its tests", FOLDER)?;
    step("JavaScript SDK: build", || run_command(npm().args(["run", "--silent", "build"])))?;
    step("JavaScript SDK: types", || run_command(npm().args(["run", "--silent", "check"])))?;
    step("JavaScript SDK: size", || run_command(npm().args(["run", "--silent", "size"])))?;
    step("JavaScript SDK: packed, installed and tested", || {
        run_tests(npm().args(["run", "--silent", "pack-test"]).env("INSIGHTHUB_BIN", node_binary()))
    })
}

fn npm() -> Command {
    node_js::npm(FOLDER)
}
