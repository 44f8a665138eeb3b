//! What the package installs, tried where it was unpacked: its unit, and the node that the unit starts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::proxy::Proxy;
use super::started::{Started, scratch, until_it_says_yes};
use crate::apt::Need;
use crate::step::run;

const SYSTEMD: Need = Need {
    packages: &["systemd"],
    files: &["/usr/bin/systemd-analyze"],
    purpose: "the checker of systemd's units",
};
const UNIT: &str = "usr/lib/systemd/system/insighthub.service";
/// What may be left open to the process, of 100: a service of its own kind has 92 without any of the unit's bounds.
const EXPOSURE_MAX: &str = "15";
const PASSWORD: &str = "9f1c22d07ab4e6";

/// The unit is well formed, starts a program that is there and is bounded.
pub(super) fn unit(root: &Path) -> Result<()> {
    SYSTEMD.ensure()?;
    let text = fs::read_to_string(root.join(UNIT)).context("the package has no unit")?;
    let unit = scratch("unit")?.join("insighthub.service");
    fs::write(&unit, text.replace("/usr/bin/", &format!("{}/usr/bin/", root.display())))?;
    run(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit))?;
    let mut security = Command::new("systemd-analyze");
    security.args(["security", "--no-pager", "--offline=yes", "--threshold", EXPOSURE_MAX]).arg(&unit);
    let output = security.output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    anyhow::ensure!(output.status.success(), "the unit leaves too much open:\n{said}");
    Ok(())
}

/// Starts the node as the unit does, and speaks to it through Nginx with the sample.
pub(super) fn serve(root: &Path) -> Result<()> {
    let home = scratch("installed")?;
    let password = home.join("admin_password");
    fs::write(&password, format!("{PASSWORD}\n"))?;
    let (program, arguments) = command_of_unit(root)?;
    fs::create_dir_all(root.join("var/lib/insighthub"))?;
    let variables = [
        ("INSIGHTHUB_HTTP", "127.0.0.1:0".to_owned()),
        ("INSIGHTHUB_ADMIN_PASSWORD_FILE", password.display().to_string()),
        ("INSIGHTHUB_ACCESS__TRUSTED_PROXIES", "127.0.0.1".to_owned()),
        ("INSIGHTHUB_ALERTING__PUBLIC_URL", "https://localhost".to_owned()),
    ];
    let mut node = Started::new("node", &program, &arguments, &variables, &home)?;
    let address = node.listening()?;
    until_it_says_yes(root, &["health", "--url", &address], &[])?;
    let proxy = Proxy::start(&address, &home)?;
    let caller = [
        ("INSIGHTHUB_URL", proxy.url.clone()),
        ("INSIGHTHUB_CA", proxy.certificate.display().to_string()),
        ("INSIGHTHUB_USER", "admin".to_owned()),
        ("INSIGHTHUB_PASSWORD", PASSWORD.to_owned()),
    ];
    until_it_says_yes(root, &["cluster", "status", "--check"], &caller)?;
    // A WebSocket that stays open, and requests with bodies beside it.
    let mut tail =
        Started::new("tail", &root.join("usr/bin/insighthub"), &["tail".to_owned()], &caller, &home)?;
    let demo = ["demo", "--rate", "100"].map(str::to_owned);
    let demo = Started::new("demo", &root.join("usr/bin/insighthub"), &demo, &caller, &home)?;
    tail.line(|line| line.contains("\"service\"").then_some(()))?;
    drop((demo, tail));
    proxy.stop()?;
    node.stop()
}

/// The command of `ExecStart`, with its paths where the package was unpacked.
fn command_of_unit(root: &Path) -> Result<(PathBuf, Vec<String>)> {
    let text = fs::read_to_string(root.join(UNIT)).context("the package has no unit")?;
    let command = text.lines().find_map(|line| line.strip_prefix("ExecStart=")).context("no ExecStart")?;
    let mut words = command.split_whitespace().map(|word| match word.strip_prefix('/') {
        Some(path) => root.join(path).display().to_string(),
        None => word.to_owned(),
    });
    let program = words.next().context("ExecStart is empty")?;
    Ok((PathBuf::from(program), words.collect()))
}
