//! Deletion by query, from its entry in the control state to every partition and back: the entry says what has to be done,
//! so that any node can go on with it.

use std::time::Duration;

use insighthub_model::PartitionId;

use super::Cluster;
use super::message::{Failure, Request, Response};
use crate::command::{Applied, Command};
use crate::control::{AuditedCommand, ControlCommand, ControlReply, Deed, DeletionCommand, DeletionEntry};
use crate::life::Deletion;
use crate::partition::PartitionDeletion;
use crate::query::Conditions;
use crate::store::group_of;

const ASK_DEADLINE: Duration = Duration::from_secs(2);

impl Cluster {
    /// Writes the deletion down and brings it to every partition. Answers its number, and the partitions it has not
    /// reached yet: there it takes effect later. In all others nothing that matches is shown from here on.
    pub async fn delete(&self, entry: DeletionEntry, deed: Deed) -> Result<(u64, Vec<PartitionId>), Failure> {
        let conditions = entry.conditions.clone();
        let begin = ControlCommand::Deletion(DeletionCommand::Begin(Box::new(entry)));
        let begin = AuditedCommand { deed, command: Some(Box::new(begin)) };
        let id = match self.propose_control(ControlCommand::Audited(begin)).await? {
            ControlReply::Deletion(id) => id,
            reply => {
                return Err(Failure::Invalid(format!("there are too many deletions already ({reply:?})")));
            }
        };
        let proposals = self.store.all_partitions().map(|partition| {
            let conditions = conditions.clone();
            async move { (partition, self.hide(partition, id, conditions).await) }
        });
        let mut late = Vec::new();
        for (partition, hidden) in futures::future::join_all(proposals).await {
            if let Err(error) = hidden {
                tracing::warn!(%partition, id, %error, "a deletion has not reached a partition yet; it is brought there again");
                late.push(partition);
            }
        }
        Ok((id, late))
    }

    async fn hide(&self, partition: PartitionId, id: u64, conditions: Conditions) -> Result<(), Failure> {
        match self.propose_to(partition, Command::Delete(Deletion { id, conditions })).await? {
            Applied::Deleting(true) => Ok(()),
            _ => Err(Failure::Unavailable("too many deletions are in force".into())),
        }
    }

    /// Goes on with every deletion that is not done; the work of the node that leads the control group.
    pub(super) async fn drive_deletions(&self) {
        if !self.store.control.group.leadership().leads {
            return;
        }
        let partitions = usize::from(self.store.identity.partitions);
        let open: Vec<(u64, DeletionEntry)> = self.store.control.replica.read(|state| {
            let entries = state.deletions.entries.iter();
            let open = entries.filter(|(_, entry)| entry.erased.len() < partitions);
            open.map(|(id, entry)| (*id, entry.clone())).collect()
        });
        for (id, entry) in open {
            for partition in
                self.store.all_partitions().filter(|partition| !entry.erased.contains_key(partition))
            {
                if let Err(error) = self.drive_deletion(id, &entry, partition).await {
                    tracing::debug!(%partition, id, %error, "a deletion is looked at again later");
                }
            }
        }
    }

    async fn drive_deletion(
        &self,
        id: u64,
        entry: &DeletionEntry,
        partition: PartitionId,
    ) -> Result<(), Failure> {
        let states = self.deletion_in(id, partition).await?;
        if states.iter().all(Option::is_none) {
            return self.hide(partition, id, entry.conditions.clone()).await;
        }
        let are_done = states.iter().all(|state| state.is_some_and(|state| state.is_done));
        let Some(Some(PartitionDeletion { erased, .. })) = states.first().filter(|_| are_done) else {
            return Ok(());
        };
        let finish = DeletionCommand::Finish { id, partition, erased: *erased };
        self.propose_control(ControlCommand::Deletion(finish)).await.map(drop)
    }

    /// How far a deletion is in each replica of a partition; an error while one of them cannot be asked.
    pub async fn deletion_in(
        &self,
        id: u64,
        partition: PartitionId,
    ) -> Result<Vec<Option<PartitionDeletion>>, Failure> {
        let here = self.store.partition(partition).map(|hosted| hosted.replica.deletion(id));
        let mut states: Vec<_> = here.into_iter().collect();
        for node in self.holders_of(partition) {
            let request = Request::Deletion { partition, id };
            match self.ask(node, group_of(partition), &request, ASK_DEADLINE).await? {
                Response::Deletion(state) => states.push(state),
                _ => return Err(Failure::Unknown("a peer gave an answer of another kind".into())),
            }
        }
        Ok(states)
    }
}
