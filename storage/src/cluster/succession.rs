//! Who follows a leader that has fallen silent: its followers in turn, the lowest id first.
//!
//! openraft's own timers draw one random timeout when a replica starts and look at it every one and a half
//! heartbeats, so two followers that once drew alike stand at the same moment again and again. Here they stand one
//! after another. openraft's timers stay on behind this one.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Cluster;
use crate::group::Group;
use crate::raft::NodeId;

/// How often a replica looks whether its leader is silent; part of every fail-over.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks this far apart are a pause of this process, not of a leader.
const ASLEEP: Duration = Duration::from_millis(200);

/// When the followers of a group act, as its configuration says.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// How long a follower refuses votes after it has heard its leader.
    lease: Duration,
    heartbeat: Duration,
}

impl Cluster {
    /// Runs until aborted.
    pub async fn watch_leaders(self: Arc<Self>) {
        let mut interval = tokio::time::interval(LOOK_EVERY);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut looked = Instant::now();
        loop {
            interval.tick().await;
            // A node that was asleep itself first hears what its leaders have sent meanwhile.
            let was_asleep = looked.elapsed() > ASLEEP;
            looked = Instant::now();
            if was_asleep {
                continue;
            }
            let partitions = self.store.partitions().into_iter().map(|partition| partition.group);
            for group in partitions.chain([self.store.control.group.clone()]) {
                if is_due(&group, self.me())
                    && let Err(error) = group.elect().await
                {
                    tracing::debug!(%error, "a replica cannot stand for election");
                }
            }
        }
    }
}

/// The leader has been silent for so long that it is this node's turn.
fn is_due(group: &Group, me: NodeId) -> bool {
    let Some((leader, silent_for)) = group.silent_leader() else { return false };
    let config = group.raft().config();
    let pace = Pace {
        lease: Duration::from_millis(config.election_timeout_max),
        heartbeat: Duration::from_millis(config.heartbeat_interval),
    };
    // A look at the members costs more than one at the time.
    silent_for > pace.lease && pace.turn(&group.voters(), leader, me).is_some_and(|turn| silent_for > turn)
}

impl Pace {
    /// The silence after which a voter stands. The first leaves the lease of the others time to run out, the next
    /// ones leave those before them time to be elected.
    fn turn(self, voters: &[NodeId], leader: NodeId, me: NodeId) -> Option<Duration> {
        let place = voters.iter().filter(|voter| **voter != leader).position(|voter| *voter == me)?;
        Some(self.lease + self.heartbeat + self.heartbeat / 2 * u32::try_from(place).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace { lease: Duration::from_millis(300), heartbeat: Duration::from_millis(100) };

    #[test]
    fn followers_stand_one_after_another_and_learners_never() {
        let turn = |me| PACE.turn(&[1, 3, 4, 7], 3, me).map(|turn| turn.as_millis());
        assert_eq!(turn(1), Some(400));
        assert_eq!(turn(4), Some(450));
        assert_eq!(turn(7), Some(500));
        assert_eq!(turn(3), None, "the silent leader itself");
        assert_eq!(turn(5), None, "no voter");
    }
}
