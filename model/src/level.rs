//! Severity of a record, and the many ways clients spell it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Severity, least first. The numbers are the disk and wire form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "UPPERCASE")]
#[repr(u8)]
pub enum Level {
    Trace = 0,
    Debug = 1,
    #[default]
    Info = 2,
    Warn = 3,
    Error = 4,
    Fatal = 5,
}

impl Level {
    pub const ALL: [Level; 6] =
        [Level::Trace, Level::Debug, Level::Info, Level::Warn, Level::Error, Level::Fatal];

    pub fn name(self) -> &'static str {
        match self {
            Level::Trace => "TRACE",
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERROR",
            Level::Fatal => "FATAL",
        }
    }

    /// The level of a disk or wire number; `None` is damage.
    pub fn from_number(number: u8) -> Option<Level> {
        Level::ALL.get(usize::from(number)).copied()
    }

    /// Errors are what counts in `error_count`: ERROR and FATAL.
    pub fn is_error(self) -> bool {
        self >= Level::Error
    }

    /// The level of a numeric severity as pino and bunyan write it: 10, 20 ... 60.
    pub fn from_pino(number: u64) -> Option<Level> {
        match number {
            10 => Some(Level::Trace),
            20 => Some(Level::Debug),
            30 => Some(Level::Info),
            40 => Some(Level::Warn),
            50 => Some(Level::Error),
            60 => Some(Level::Fatal),
            _ => None,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that names no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no level: use TRACE, DEBUG, INFO, WARN, ERROR or FATAL")]
pub struct LevelError(pub String);

impl FromStr for Level {
    type Err = LevelError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(text));
        if is(&["info", "information", "informational", "notice", "log"]) {
            Ok(Level::Info)
        } else if is(&["error", "err", "severe", "fail", "failure"]) {
            Ok(Level::Error)
        } else if is(&["warn", "warning"]) {
            Ok(Level::Warn)
        } else if is(&["debug", "dbg", "fine", "verbose"]) {
            Ok(Level::Debug)
        } else if is(&["trace", "finer", "finest", "silly"]) {
            Ok(Level::Trace)
        } else if is(&["fatal", "critical", "crit", "alert", "emerg", "emergency", "panic"]) {
            Ok(Level::Fatal)
        } else {
            // Bounded: the text comes from a client and ends up in an error message.
            Err(LevelError(text.chars().take(32).collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_case_and_every_synonym_is_understood() {
        for (text, level) in [
            ("INFO", Level::Info),
            ("Warning", Level::Warn),
            ("err", Level::Error),
            ("CRITICAL", Level::Fatal),
            ("notice", Level::Info),
        ] {
            assert_eq!(text.parse(), Ok(level));
        }
        assert!("loud".parse::<Level>().is_err());
    }

    #[test]
    fn the_number_of_a_level_reads_back() {
        for level in Level::ALL {
            assert_eq!(Level::from_number(level as u8), Some(level));
        }
        assert_eq!(Level::from_number(6), None);
    }
}
