//! `/api/audit`, `/api/admin/delete` and `/api/admin/deletions`.

pub use insighthub_model::api::audit::{Audit, AuditEntry, Outcome};
pub use insighthub_model::api::deletions::{Begun, Counted, Deletions, ListedDeletion};
