//! The connections that members have made to this node, one per member and lane.
//!
//! A second connection of a node on a lane replaces the first: the node would not have made it if the first were
//! still of use, and what a vanished node left behind must not pile up.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::answerer::Answerer;
use super::{Lane, NodeId};

#[derive(Default)]
pub(super) struct Accepted {
    /// Bounded by the number of connections.
    current: Mutex<BTreeMap<(NodeId, Lane), Arc<Answerer>>>,
}

impl Accepted {
    pub(super) fn enter(&self, node_id: NodeId, lane: Lane, answerer: &Arc<Answerer>) {
        let before = self.current.lock().insert((node_id, lane), answerer.clone());
        if let Some(before) = before {
            before.close();
        }
    }

    pub(super) fn leave(&self, node_id: NodeId, lane: Lane, answerer: &Arc<Answerer>) {
        let mut current = self.current.lock();
        if current.get(&(node_id, lane)).is_some_and(|last| Arc::ptr_eq(last, answerer)) {
            current.remove(&(node_id, lane));
        }
    }

    pub(super) fn close_all_of(&self, node_id: NodeId) {
        let current = self.current.lock();
        current.iter().filter(|((of, _), _)| *of == node_id).for_each(|(_, answerer)| answerer.close());
    }
}
