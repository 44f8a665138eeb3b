//! openraft on our log and our state: the only folder that names it beside `snapshot` and `group`.

mod log_store;
mod network;
mod state_machine;
mod types;

pub use log_store::GroupLog;
pub use network::LoneNetwork;
pub use state_machine::{ControlReplica, GroupState, StateMachine};
pub use types::{Membership, NodeId, Raft, RaftLogId, TypeConfig};
