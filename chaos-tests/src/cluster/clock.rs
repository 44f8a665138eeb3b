//! A clock of one node that can be set while it runs (libfaketime). Its monotonic time is left alone.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

/// A node's clock: real time plus an offset.
#[derive(Debug)]
pub struct Clock {
    file: PathBuf,
}

impl Clock {
    /// Whether this machine can set a node's clock; the error says what to install.
    pub fn is_possible() -> Result<()> {
        let install = "apt-get install --no-install-recommends faketime";
        ensure!(Path::new(LIBRARY).exists(), "{LIBRARY} is missing; install it with: {install}");
        Ok(())
    }

    pub fn new(directory: &Path) -> Result<Clock> {
        let clock = Clock { file: directory.join("clock") };
        clock.set(0)?;
        Ok(clock)
    }

    /// Sets the clock so many seconds before or after the real time.
    pub fn set(&self, offset_secs: i64) -> Result<()> {
        // In place by rename: the node must not read half a line.
        let written = self.file.with_extension("new");
        std::fs::write(&written, format!("{offset_secs:+}s\n"))?;
        Ok(std::fs::rename(&written, &self.file)?)
    }

    /// What makes a process read the clock from here.
    pub fn environment(&self) -> Vec<(String, String)> {
        let file = self.file.display().to_string();
        let pairs = [
            ("LD_PRELOAD", LIBRARY),
            ("FAKETIME_TIMESTAMP_FILE", file.as_str()),
            ("FAKETIME_NO_CACHE", "1"),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_process_sees_the_clock_it_was_given() {
        if let Err(reason) = Clock::is_possible() {
            println!("skipped: {reason:#}");
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::new(directory.path()).unwrap();
        let seconds = || {
            let date = Command::new("date").arg("+%s").envs(clock.environment()).output().unwrap();
            String::from_utf8(date.stdout).unwrap().trim().parse::<i64>().unwrap()
        };
        let before = seconds();
        for offset_secs in [-3_600, 3_600, 0] {
            clock.set(offset_secs).unwrap();
            assert!((seconds() - before).abs_diff(offset_secs) < 10, "{offset_secs}");
        }
    }
}
