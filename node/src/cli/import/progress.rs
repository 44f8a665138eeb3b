//! How far an import is, on one line of a terminal: bytes, records a second, and how long it will still take.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Often enough for an eye.
const SHOWN_EVERY: Duration = Duration::from_millis(200);

/// See the module's documentation. Where stderr is no terminal it says nothing.
#[derive(Debug)]
pub(super) struct Progress {
    is_terminal: bool,
    started: Instant,
    shown: Option<Instant>,
    /// 0: nobody knows.
    bytes_total: u64,
    bytes_read: Arc<AtomicU64>,
    records: u64,
}

impl Progress {
    pub(super) fn new(bytes_total: u64, bytes_read: Arc<AtomicU64>) -> Progress {
        let is_terminal = std::io::stderr().is_terminal();
        Progress { is_terminal, started: Instant::now(), shown: None, bytes_total, bytes_read, records: 0 }
    }

    /// Counts what was stored or refused, and shows it when it is time.
    pub(super) fn add(&mut self, records: u64) {
        self.records += records;
        if self.is_terminal && self.shown.is_none_or(|shown| shown.elapsed() >= SHOWN_EVERY) {
            self.shown = Some(Instant::now());
            let read = self.bytes_read.load(Ordering::Relaxed);
            let line = sentence(read, self.bytes_total, self.records, self.started.elapsed());
            // A terminal that is gone is nobody's loss. The rest of the line before is cleared.
            drop(write!(std::io::stderr(), "\r{line}\x1b[K"));
        }
    }

    /// Leaves the terminal as it was.
    pub(super) fn clear(&self) {
        if self.shown.is_some() {
            drop(write!(std::io::stderr(), "\r\x1b[K"));
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

fn sentence(read: u64, total: u64, records: u64, elapsed: Duration) -> String {
    let secs = elapsed.as_secs_f64().max(0.001);
    let rate = (records as f64 / secs) as u64;
    if total == 0 {
        return format!("{}  {records} records  {rate} records/s", bytes(read));
    }
    let share = (read as f64 / total as f64).min(1.0);
    let left = if share > 0.0 { secs / share - secs } else { 0.0 };
    let left = Duration::from_secs_f64(left.clamp(0.0, 359_999.0)).as_secs();
    format!(
        "{} of {}  {:.0} %  {records} records  {rate} records/s  {}:{:02}:{:02} left",
        bytes(read),
        bytes(total),
        share * 100.0,
        left / 3_600,
        left / 60 % 60,
        left % 60
    )
}

pub(super) fn bytes(count: u64) -> String {
    let mut size = count as f64;
    for unit in ["B", "kB", "MB"] {
        if size < 1_000.0 {
            return if unit == "B" { format!("{count} B") } else { format!("{size:.1} {unit}") };
        }
        size /= 1_000.0;
    }
    format!("{size:.2} GB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_is_left() {
        let line = sentence(25_000_000, 100_000_000, 80_000, Duration::from_secs(20));
        assert_eq!(line, "25.0 MB of 100.0 MB  25 %  80000 records  4000 records/s  0:01:00 left");
        assert_eq!(sentence(999, 0, 10, Duration::from_secs(1)), "999 B  10 records  10 records/s");
        assert_eq!(bytes(1_234_567_890), "1.23 GB");
    }
}
