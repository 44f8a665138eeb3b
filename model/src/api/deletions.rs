//! `POST /api/admin/delete` and `GET /api/admin/deletions`.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Nothing was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Counted {
    pub dry_run: bool,
    pub matched_records: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Begun {
    pub id: u64,
    /// `hidden` everywhere, or `partly_hidden`: the rest follows.
    pub state: String,
    #[serde(default)]
    pub partitions_not_reached: Vec<u16>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Deletions {
    /// Newest first.
    pub deletions: Vec<ListedDeletion>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ListedDeletion {
    pub id: u64,
    pub user: String,
    pub asked_at: Timestamp,
    pub query: String,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub reason: String,
    pub state: String,
    pub partitions: u16,
    pub partitions_done: usize,
    /// Records and dead letters, of the partitions that are done.
    pub erased: u64,
}
