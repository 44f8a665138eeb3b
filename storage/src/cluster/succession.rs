//! Who follows a leader that has fallen silent: its followers in turn, the lowest id first, each once a majority
//! says that it would be elected.
//!
//! openraft's own timers are off. They draw one random timeout when a replica starts and look at it every one and a
//! half heartbeats, so two followers that once drew alike stand at the same moment again and again; and they raise the
//! term of a node that was cut off or asleep, which deposes the leader of all others when it comes back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use super::Cluster;
use crate::group::Group;
use crate::raft::{NodeId, pre_vote};
use crate::store::group_of;
use crate::wal::GroupId;

/// Between two looks whether a leader is silent: the shorter time where one may be due soon, which is part of every
/// fail-over.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const LOOK_SELDOM: Duration = Duration::from_millis(100);

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
        let (mut looked, mut next) = (Instant::now(), LOOK_EVERY);
        let (mut standing, mut last) = (JoinSet::new(), BTreeMap::<GroupId, AbortHandle>::new());
        loop {
            tokio::time::sleep(next).await;
            while standing.try_join_next().is_some() {}
            let was_asleep = looked.elapsed() > ASLEEP;
            (looked, next) = (Instant::now(), LOOK_SELDOM);
            for (id, group) in self.groups() {
                if let Some(silence) = group.silent_for() {
                    next = next.min(group.lease().saturating_sub(silence).max(LOOK_EVERY));
                }
                if was_asleep {
                    // A node that was asleep itself first hears what its leaders have sent meanwhile.
                    group.hear_out();
                } else if is_due(&group, self.me()) && last.get(&id).is_none_or(AbortHandle::is_finished) {
                    last.insert(id, standing.spawn(Arc::clone(&self).stand(id, group)));
                }
            }
        }
    }

    /// Stands for election, unless a majority would not elect this node.
    async fn stand(self: Arc<Self>, id: GroupId, group: Group) {
        let pace = Pace::of(&group);
        let log = self.store.wal();
        let asked = pre_vote::would_be_elected(&group, id, self.me(), log, &self.transport, pace.lease).await;
        // Perhaps a leader made itself heard meanwhile.
        if matches!(asked, Ok(true)) && is_due(&group, self.me()) {
            if let Err(error) = group.elect().await {
                tracing::debug!(%id, %error, "a replica cannot stand for election");
            }
        } else {
            tracing::debug!(%id, ?asked, "a replica would not be elected now");
            tokio::time::sleep(pace.heartbeat / 2).await;
        }
    }

    fn groups(&self) -> impl Iterator<Item = (GroupId, Group)> {
        let partitions = self.store.partitions().into_iter();
        let partitions = partitions.map(|hosted| (group_of(hosted.replica.partition()), hosted.group));
        partitions.chain([(GroupId(0), self.store.control.group.clone())])
    }
}

/// The leader has been silent for so long that it is this node's turn.
fn is_due(group: &Group, me: NodeId) -> bool {
    let Some(silence) = group.silent_for() else { return false };
    let pace = Pace::of(group);
    // A look at the members costs more than one at the time.
    silence > pace.lease
        && pace.turn(&group.voters(), group.leadership().leader, me).is_some_and(|turn| silence > turn)
}

impl Pace {
    fn of(group: &Group) -> Pace {
        Pace { lease: group.lease(), heartbeat: group.heartbeat() }
    }

    /// The silence after which a voter stands. The first leaves the lease of the others time to run out, the next
    /// ones leave those before them time to be elected. A leader that has fallen silent has no turn.
    fn turn(self, voters: &[NodeId], leader: Option<NodeId>, me: NodeId) -> Option<Duration> {
        let mut heirs = voters.iter().filter(|voter| **voter == me || Some(**voter) != leader);
        let place = heirs.position(|voter| *voter == me)?;
        Some(self.lease + self.heartbeat + self.heartbeat / 2 * u32::try_from(place).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace { lease: Duration::from_millis(300), heartbeat: Duration::from_millis(100) };

    #[test]
    fn followers_stand_one_after_another_and_learners_never() {
        let turn = |me| PACE.turn(&[1, 3, 4, 7], Some(3), me).map(|turn| turn.as_millis());
        assert_eq!(turn(1), Some(400));
        assert_eq!(turn(4), Some(450));
        assert_eq!(turn(7), Some(500));
        assert_eq!(turn(5), None, "no voter");
    }

    #[test]
    fn where_nobody_is_known_to_lead_every_voter_has_its_turn() {
        let turn = |me| PACE.turn(&[1, 3, 4], None, me).map(|turn| turn.as_millis());
        assert_eq!([turn(1), turn(3), turn(4)], [Some(400), Some(450), Some(500)]);
        assert_eq!(PACE.turn(&[1], Some(1), 1), Some(PACE.lease + PACE.heartbeat), "the only voter");
    }
}
