//! The life of stored records: what is old or deleted is hidden at once and leaves the disk later; small blocks are
//! merged. Pure: no clock, no disk.
//!
//! `horizon` and `erasure` say what is hidden, `veil` hides it from readers; `merge_policy` and `expiry_policy` decide
//! for a leader what to propose next. How files change is `partition::merging`. See `docs/decisions/0013`.

mod erasure;
mod expiry_policy;
mod horizon;
mod letter_source;
mod merge_policy;
mod veil;

pub(crate) use erasure::StoredErasure;
pub use erasure::{Deletion, Erasure};
pub use expiry_policy::{NodeBlock, expiry_of, floors_for};
pub use horizon::{Expiry, Horizon};
pub use merge_policy::{BlockShape, Due, Pace, plan_merges};
pub use veil::{Veil, Veiled};
