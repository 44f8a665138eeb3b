//! A command from any node to the leader of its group and back.

use std::time::Duration;

use insighthub_model::PartitionId;
use tokio::time::Instant;

use super::Cluster;
use super::message::{Failure, Request, Response};
use crate::command::{Applied, Command, Payload};
use crate::control::{ControlCommand, ControlReply};
use crate::group::Group;
use crate::raft::NodeId;
use crate::store::group_of;
use crate::wal::GroupId;

/// An election takes less; then the caller is told that the group has no leader.
const DEADLINE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);

impl Cluster {
    /// Changes the control state; when this returns the change is visible on this node.
    pub async fn propose_control(&self, command: ControlCommand) -> Result<ControlReply, Failure> {
        let group = GroupId(0);
        match self.propose(group, Command::Control(command)).await? {
            Applied::Control(reply) => Ok(reply),
            _ => Err(Failure::Unknown("the control group gave an answer of another kind".into())),
        }
    }

    /// Puts a command through a partition's group, wherever its leader is.
    pub async fn propose_to(&self, partition: PartitionId, command: Command) -> Result<Applied, Failure> {
        self.propose(group_of(partition), command).await
    }

    async fn propose(&self, group: GroupId, command: Command) -> Result<Applied, Failure> {
        let payload = Payload::new(command).map_err(|error| Failure::Invalid(error.to_string()))?;
        let deadline = Instant::now() + DEADLINE;
        let mut attempt = 0;
        loop {
            let leader = self.leader_of_group(group).or_else(|| {
                let partition = crate::store::partition_of_group(group)?;
                self.guess_leader(partition, attempt)
            });
            let failure = match leader {
                None => Failure::Unavailable(format!("group {group} has no leader")),
                Some(leader) => match self.propose_at(leader, group, payload.clone(), deadline).await {
                    Ok(applied) => return Ok(applied),
                    Err(failure) => failure,
                },
            };
            // Whether it was applied is not known: trying again might do it twice.
            let is_final = matches!(failure, Failure::Unknown(_) | Failure::Invalid(_));
            if let (Failure::NotLeader { leader }, Some(partition)) =
                (&failure, crate::store::partition_of_group(group))
            {
                self.learn_leader(partition, *leader);
            }
            if is_final || Instant::now() + PAUSE >= deadline {
                return Err(failure);
            }
            attempt += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn propose_at(
        &self,
        leader: NodeId,
        group: GroupId,
        payload: Payload,
        deadline: Instant,
    ) -> Result<Applied, Failure> {
        if leader == self.me() {
            let here = self.group(group).ok_or(Failure::NotLeader { leader: None })?;
            return Ok(here.propose_payload(payload).await?.0);
        }
        let request = Request::Propose { group: group.0, command: payload.to_bytes() };
        let within = deadline.saturating_duration_since(Instant::now());
        match self.ask(leader, group, &request, within).await? {
            Response::Propose { applied, index } => {
                if let Some(here) = self.group(group)
                    && !here.wait_applied(Some(index), deadline).await
                {
                    tracing::debug!(%group, index, "a change is not yet visible on this node");
                }
                Ok(applied)
            }
            _ => Err(Failure::Unknown("the leader gave an answer of another kind".into())),
        }
    }

    /// The group's replica on this node.
    pub(super) fn group(&self, group: GroupId) -> Option<Group> {
        match crate::store::partition_of_group(group) {
            None => Some(self.store.control.group.clone()),
            Some(partition) => Some(self.store.partition(partition)?.group),
        }
    }
}
