//! A record that was refused: kept with its reason so that it can be mended and sent again.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// One refused record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    pub received_at: Timestamp,
    /// The way in: `http`, `otlp`, `syslog` ...
    pub origin: String,
    /// The record's service where it could be read.
    pub service: Option<String>,
    /// The field at fault where there is one.
    pub field: Option<String>,
    pub reason: String,
    /// Position in the request, from 0.
    pub position: u64,
    /// The record as it came, at most `DEAD_LETTER_RAW_BYTES_MAX` bytes.
    pub raw: Vec<u8>,
    /// Bytes the record had before it was cut.
    pub raw_bytes_total: u64,
}
