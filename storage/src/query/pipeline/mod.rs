//! Queries with stages: what every replica gathers, how parts of replicas are put together, and what the node
//! that was asked makes of the whole.
//!
//! ```text
//! Plan::new(query)  ─►  Gathering        per replica: `gather` over column sources  ─►  Gathered
//!                   │                    node asked:  Gathered::merge
//!                   └►  finishing stages node asked:  `finish`                      ─►  Rows
//! ```

mod by_minute;
pub(super) mod cells;
mod distinct;
mod edge;
mod finish;
pub(super) mod gather;
pub(super) mod group_ids;
mod group_order;
mod groups;
mod numbers;
mod plan;
mod ranked;
mod rate;
mod rows;
mod state;
pub(super) mod template;
pub(super) mod whole_minutes;

pub use finish::{Rows, finish};
pub use gather::{Counts, Gathered, gather};
pub use groups::Groups;
pub use plan::{Gathering, Grouping, Key, Plan};
pub use rows::value_of;

/// Groups of one answer; more are a question that nobody reads the answer of.
pub const GROUPS_MAX: usize = 1_000_000;
/// Memory of the groups of one replica's part, bytes.
pub const GROUP_BYTES_MAX: usize = 256 << 20;
