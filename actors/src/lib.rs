//! The supervised actors of a node.
//!
//! ```text
//! root ─┬─ ingest                 routes requests to partitions, limits services
//!       ├─ partition (one each) ─── shard (one per service): scores its records
//!       ├─ tail hub ─────────────── session (one per live tail)
//!       ├─ alert evaluator, alert notifier
//!       └─ liveness (with peers) ── beat receiver, node server of ractor_cluster
//! ```
//! A message carries a batch, never one record. Every failed actor is restarted by the one policy in
//! [`supervision`]; what an actor held when it failed was not acknowledged.

pub mod admission;
pub mod alerting;
pub mod detection;
mod forwarding;
pub mod ingest;
pub mod liveness;
mod mailbox;
mod observer;
pub mod partition;
mod rate_limit;
mod root;
pub mod roster;
mod shard;
pub mod spreading;
mod supervision;
mod system;
pub mod tail;

pub use forwarding::Delivery;
pub use mailbox::{Mailbox, SendError};
pub use observer::Observer;
pub use system::{ActorSystem, FaultTarget, Submission, SystemOptions};
