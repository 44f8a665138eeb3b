//! What the cluster page knows from its repeated looks.

use std::rc::Rc;

use yew::Reducible;

use crate::api::cluster::Cluster;
use crate::api::error::ApiError;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterWatch {
    /// The last good answer; it stays when a later look fails.
    pub cluster: Option<Cluster>,
    pub error: Option<ApiError>,
    /// Known after two good looks at the same node.
    pub accepted_per_sec: Option<f64>,
    answered_at_ms: f64,
    looked_at_ms: f64,
}

/// One look at the cluster.
#[derive(Debug)]
pub struct Look {
    pub now_ms: f64,
    pub result: Result<Cluster, ApiError>,
}

impl ClusterWatch {
    /// How old what is shown is, where the last look failed.
    pub fn outdated_ms(&self) -> Option<u64> {
        let is_outdated = self.error.is_some() && self.cluster.is_some();
        is_outdated.then(|| (self.looked_at_ms - self.answered_at_ms).max(0.0) as u64)
    }
}

impl Reducible for ClusterWatch {
    type Action = Look;

    fn reduce(self: Rc<Self>, look: Look) -> Rc<Self> {
        let mut next = (*self).clone();
        next.looked_at_ms = look.now_ms;
        match look.result {
            Err(error) => next.error = Some(error),
            Ok(cluster) => {
                let elapsed_secs = (look.now_ms - self.answered_at_ms) / 1_000.0;
                let before = self.cluster.as_ref().map(|cluster| cluster.ingest.accepted);
                // A smaller count means that another node answers now, or that it was restarted.
                let grown = before.and_then(|before| cluster.ingest.accepted.checked_sub(before));
                next.accepted_per_sec = match grown {
                    Some(grown) if elapsed_secs > 0.0 => Some(grown as f64 / elapsed_secs),
                    _ => None,
                };
                next.answered_at_ms = look.now_ms;
                next.cluster = Some(cluster);
                next.error = None;
            }
        }
        Rc::new(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::cluster::Ingest;

    fn look(now_ms: f64, accepted: u64) -> Look {
        let ingest = Ingest { accepted, ..Ingest::default() };
        Look { now_ms, result: Ok(Cluster { ingest, ..Cluster::default() }) }
    }

    #[test]
    fn the_rate_comes_from_two_looks_and_survives_a_restart() {
        let watch = Rc::new(ClusterWatch::default()).reduce(look(1_000.0, 100)).reduce(look(3_000.0, 600));
        assert_eq!(watch.accepted_per_sec, Some(250.0));
        assert_eq!(watch.reduce(look(5_000.0, 3)).accepted_per_sec, None);
    }

    #[test]
    fn a_lost_node_keeps_the_last_answer_and_grows_stale() {
        let lost = |now_ms| Look { now_ms, result: Err(ApiError::unreachable()) };
        let watch = Rc::new(ClusterWatch::default()).reduce(look(1_000.0, 1)).reduce(lost(3_000.0));
        let watch = watch.reduce(lost(11_000.0));
        assert!(watch.cluster.is_some());
        assert_eq!(watch.outdated_ms(), Some(10_000));
        assert_eq!(watch.reduce(look(12_000.0, 2)).outdated_ms(), None);
    }
}
