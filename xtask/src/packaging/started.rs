//! A node that a check has started: waited for, asked over its command line, stopped as systemd and Docker stop it.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::insighthub;
use crate::node_process::NodeProcess;

/// On a machine with much else to do.
const WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Lines that wait to be read; a starting program prints a few.
const LINES_MAX: usize = 1_024;
/// What a node prints once it takes requests.
const LISTENING: &str = "listening on ";

pub(super) struct Started {
    process: NodeProcess,
    lines: Receiver<String>,
}

impl Started {
    /// Starts a program with these variables; its output goes to a file of its name.
    pub(super) fn new(
        name: &str,
        program: &Path,
        arguments: &[String],
        variables: &[(&str, String)],
        logs: &Path,
    ) -> Result<Started> {
        let mut words: Vec<String> = variables.iter().map(|(key, value)| format!("{key}={value}")).collect();
        words.push(program.display().to_string());
        words.extend_from_slice(arguments);
        let (sender, lines) = sync_channel(LINES_MAX);
        let log = logs.join(format!("{name}.log"));
        let process = NodeProcess::start(name, Path::new("/usr/bin/env"), &words, log, sender)?;
        Ok(Started { process, lines })
    }

    /// The address that a node says it listens on.
    pub(super) fn listening(&mut self) -> Result<String> {
        self.line(|line| line.strip_prefix(LISTENING).map(str::to_owned))
    }

    /// The first line of its output in which something is found.
    pub(super) fn line<T>(&mut self, find: impl Fn(&str) -> Option<T>) -> Result<T> {
        let deadline = Instant::now() + WITHIN;
        while Instant::now() < deadline {
            if let Some(found) = self.lines.try_iter().find_map(|line| find(&line)) {
                return Ok(found);
            }
            if let Some(status) = self.process.ended()? {
                bail!("{} ended ({status}):\n{}", self.process.name, self.process.last_lines());
            }
            std::thread::sleep(LOOK_EVERY);
        }
        bail!(
            "{} printed nothing of it within {} s:\n{}",
            self.process.name,
            WITHIN.as_secs(),
            self.process.last_lines()
        )
    }

    /// Asks it to stop; fails unless it ends in order.
    pub(super) fn stop(mut self) -> Result<()> {
        self.process.terminate();
        let deadline = Instant::now() + WITHIN;
        loop {
            if let Some(status) = self.process.ended()? {
                ensure!(
                    status.success(),
                    "{} ended with {status}:\n{}",
                    self.process.name,
                    self.process.last_lines()
                );
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "{} did not stop", self.process.name);
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if matches!(self.process.ended(), Ok(None)) {
            self.process.kill();
        }
    }
}

/// Repeats an order of the command line until it is carried out.
pub(super) fn until_it_says_yes(root: &Path, words: &[&str], variables: &[(&str, String)]) -> Result<()> {
    let deadline = Instant::now() + WITHIN;
    loop {
        let output = insighthub(root).args(words).envs(variables.iter().cloned()).output()?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        ensure!(Instant::now() < deadline, "`insighthub {}` went on saying: {said}", words.join(" "));
        std::thread::sleep(LOOK_EVERY);
    }
}

/// An empty folder for one check.
pub(super) fn scratch(name: &str) -> Result<PathBuf> {
    let folder = crate::step::target().join("packaging").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
    }
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(folder)
}
