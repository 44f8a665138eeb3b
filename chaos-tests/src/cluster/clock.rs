//! A clock of one node that can be set while it runs (libfaketime). Its monotonic time is left alone.

use std::path::{Path, PathBuf};
use std::time::Duration;

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

/// How far a `Date` header lies from the real time; `None` where it is no date.
pub fn offset_of(date: &str) -> Option<i64> {
    let format = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let told = time::PrimitiveDateTime::parse(date, format).ok()?.assume_utc();
    Some((told - time::OffsetDateTime::now_utc()).whole_seconds())
}

/// The `Date` header is made once a second, and takes its time on a busy machine.
pub const DATE_WITHIN: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_header_tells_how_far_a_clock_is_off() {
        let soon = time::OffsetDateTime::now_utc() + time::Duration::hours(1);
        let format = time::macros::format_description!(
            "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
        );
        let offset = offset_of(&soon.format(format).unwrap()).unwrap();
        assert!((3_598..=3_600).contains(&offset), "{offset}");
        assert_eq!(offset_of("yesterday"), None);
    }
}
