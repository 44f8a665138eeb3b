//! Where a follower is: the next offset of every partition.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use insighthub_model::{Offset, PartitionId};

/// Next offset to be shown, by partition. Text form, URL-safe: `t1` then `.PARTITION-OFFSET` in hex for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TailCursor(pub BTreeMap<PartitionId, Offset>);

/// A text that is no tail cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is not one that a live tail gave; leave it out to start at the newest record")]
pub struct CursorError;

impl fmt::Display for TailCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("t1")?;
        self.0.iter().try_for_each(|(partition, offset)| write!(f, ".{:x}-{offset:x}", partition.0))
    }
}

impl FromStr for TailCursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let mut parts = text.split('.');
        if parts.next() != Some("t1") {
            return Err(CursorError);
        }
        let positions = parts.map(|part| {
            let (partition, offset) = part.split_once('-').ok_or(CursorError)?;
            let partition = u16::from_str_radix(partition, 16).map_err(|_| CursorError)?;
            let offset = Offset::from_str_radix(offset, 16).map_err(|_| CursorError)?;
            Ok((PartitionId(partition), offset))
        });
        positions.collect::<Result<_, _>>().map(TailCursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_what_it_prints() {
        let cursor = TailCursor(BTreeMap::from([(PartitionId(0), 26), (PartitionId(17), u64::MAX)]));
        assert_eq!(cursor.to_string(), "t1.0-1a.11-ffffffffffffffff");
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in ["", "t2.0-1", "t1.0", "t1.x-1"] {
            assert_eq!(text.parse::<TailCursor>(), Err(CursorError), "{text}");
        }
    }
}
