//! What became of the records that were sent: `GET /api/accounting`, `GET /api/dead-letters/summary`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::answer::Coverage;
use crate::{LogId, Timestamp};

/// Per service: sent = stored + rejected + dropped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Accounting {
    /// By name; records without one first.
    pub services: Vec<ServiceAccount>,
    pub total: Account,
    /// Every figure is what there is.
    pub exact: bool,
    /// Why not.
    pub inexact_because: Vec<String>,
    pub coverage: Coverage,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ServiceAccount {
    /// `None`: refused records that named no service that could be read.
    pub service: Option<String>,
    #[serde(flatten)]
    pub account: Account,
    /// Most first.
    pub rejected_by: Vec<RejectedBy>,
    /// Where the library that dropped them said why: `queue_full`, `spool_full`, `closed`, `exit`.
    pub dropped_by: BTreeMap<String, u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Account {
    /// The sum of the others.
    pub sent: u64,
    /// Records, without the reports of libraries about themselves.
    pub stored: u64,
    /// Kept as dead letters.
    pub rejected: u64,
    /// Before they were sent, as the client libraries have said so far.
    pub dropped: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RejectedBy {
    /// `None`: the record as a whole.
    pub field: Option<String>,
    /// Without what is different in each record.
    pub reason: String,
    pub count: u64,
}

/// Why records were refused, most frequent first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DeadLettersSummary {
    pub reasons: Vec<SummedReason>,
    /// Of all reasons, those that are not listed included.
    pub total: u64,
    /// There are more reasons than are listed.
    pub more: bool,
    pub exact: bool,
    /// Why not.
    pub inexact_because: Vec<String>,
    pub coverage: Coverage,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SummedReason {
    /// `None`: the records named no service that could be read.
    pub service: Option<String>,
    /// `None`: the record as a whole.
    pub field: Option<String>,
    /// Without what is different in each record.
    pub reason: String,
    pub count: u64,
    /// The newest of them.
    pub last_received_at: Timestamp,
    pub sample_id: LogId,
}
