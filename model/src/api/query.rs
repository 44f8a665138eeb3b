//! `POST /api/query`: what it has cost. Records, or a table, stand beside that in a form of their own.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct QueryStats {
    pub scanned_records: u64,
    pub matched_records: u64,
    pub matched_is_lower_bound: bool,
    /// Blocks and batches that were passed over by what is known of them as a whole.
    pub pruned_sources: u64,
    pub elapsed_ms: f64,
}
