//! Where a page ended: the next page starts strictly after it, whatever was stored in between.

use std::fmt;
use std::str::FromStr;

use insighthub_model::{LogId, PartitionId, Record, Timestamp};

/// The last record of a page in the order of search, newest first: by timestamp, then by log id.
///
/// Text form, opaque to clients and safe in URLs: `1`, then 16 hex digits of the timestamp, 4 of the
/// partition, 16 of the offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cursor {
    pub timestamp: Timestamp,
    pub log_id: LogId,
}

/// The first character of the text form.
const VERSION: char = '1';
const DIGITS: usize = 16 + 4 + 16;

/// A text that is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the cursor is not one of this server's: pass next_cursor of the page before, or leave it out to start again"
)]
pub struct CursorError;

impl Cursor {
    /// The cursor after this record.
    pub fn after(record: &Record) -> Cursor {
        Cursor { timestamp: record.timestamp, log_id: record.log_id }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LogId { partition, offset } = self.log_id;
        write!(f, "{VERSION}{:016x}{:04x}{offset:016x}", self.timestamp.0, partition.0)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix(VERSION).ok_or(CursorError)?;
        // from_str_radix takes a sign; a cursor must not have two spellings.
        let is_plain = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if digits.len() != DIGITS || !is_plain {
            return Err(CursorError);
        }
        let number = |from: usize, to: usize| {
            let digits = digits.get(from..to).ok_or(CursorError)?;
            u64::from_str_radix(digits, 16).map_err(|_| CursorError)
        };
        let partition = u16::try_from(number(16, 20)?).map_err(|_| CursorError)?;
        Ok(Cursor {
            timestamp: Timestamp(number(0, 16)?.cast_signed()),
            log_id: LogId { partition: PartitionId(partition), offset: number(20, 36)? },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_reads_back_what_it_prints(timestamp in any::<i64>(), partition in any::<u16>(), offset in any::<u64>()) {
            let log_id = LogId { partition: PartitionId(partition), offset };
            let cursor = Cursor { timestamp: Timestamp(timestamp), log_id };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn other_text_is_refused(text in "[0-9a-fA-F+ü-]{0,40}") {
            let is_spelling = text.parse::<Cursor>().is_ok_and(|cursor| cursor.to_string() != text);
            prop_assert!(!is_spelling);
        }
    }

    #[test]
    fn a_cursor_of_another_version_is_refused() {
        let cursor =
            Cursor { timestamp: Timestamp(-1), log_id: LogId { partition: PartitionId(1), offset: 2 } };
        let text = cursor.to_string();
        assert_eq!(text, "1ffffffffffffffff00010000000000000002");
        assert_eq!(text.replacen('1', "2", 1).parse::<Cursor>(), Err(CursorError));
        assert_eq!("".parse::<Cursor>(), Err(CursorError));
    }
}
