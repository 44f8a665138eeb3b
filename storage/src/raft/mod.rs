//! openraft on our log and our state: the only folder that names it beside `snapshot`, `group` and `cluster`.

mod durable_snapshot;
mod log_store;
pub(crate) mod network;
pub(crate) mod pre_vote;
mod runtime;
pub(crate) mod service;
mod starter;
mod state_machine;
mod types;
pub(crate) mod wire;

pub use log_store::GroupLog;
pub use network::PeerNetwork;
pub(crate) use starter::GroupStarter;
pub use state_machine::{ControlReplica, GroupState, StateMachine};
pub use types::{Membership, NodeId, Raft, RaftLogId, TypeConfig};
